//! Waits for connections of r2d2's pools.

use std::io;
use std::time::Duration;

use insta::assert_snapshot;
use r2d2::{ManageConnection, Pool};

use crate::{job, waiting};

/// Longer than the shortest wait that is recorded.
const LONG: Duration = Duration::from_millis(3);

/// Connections that are tested for some time before they are lent.
struct Tested(Duration);

impl ManageConnection for Tested {
    type Connection = ();
    type Error = io::Error;

    fn connect(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_valid(&self, _: &mut ()) -> io::Result<()> {
        waiting::pass(self.0);
        Ok(())
    }

    fn has_broken(&self, _: &mut ()) -> bool {
        false
    }
}

fn pool(manager: Tested, timeout: Duration) -> Pool<Tested> {
    let builder = Pool::builder().max_size(1).connection_timeout(timeout);
    builder.event_handler(opbeat_instrument::r2d2::waits()).build(manager).expect("connections are made at once")
}

#[test]
fn a_long_wait_is_a_span() {
    let pool = pool(Tested(LONG), Duration::from_secs(60));
    let spans = job::run(|| drop(pool.get().unwrap()));
    assert_snapshot!(spans, @"db.pool.wait r2d2 checkout");
}

#[test]
fn a_timeout_is_a_span_with_an_error() {
    let pool = pool(Tested(Duration::ZERO), Duration::from_secs(60));
    let lent = pool.get().unwrap();
    let spans = job::run(|| {
        let _handler = opbeat_core::span("handler", "app");
        pool.get_timeout(LONG).expect_err("the only connection is lent");
    });
    assert_snapshot!(spans, @"
    app handler
      db.pool.wait r2d2 checkout · error=timeout
    ");
    drop(lent);
}

#[test]
fn short_waits_are_not_recorded() {
    const COUNT: usize = 200;
    let pool = pool(Tested(Duration::ZERO), Duration::from_secs(60));
    let spans = job::run(|| (0..COUNT).for_each(|_| drop(pool.get().unwrap())));
    // A busy machine may interrupt some of them for long.
    assert!(spans.lines().count() < COUNT / 2, "{spans}");
}
