//! Waits for connections of bb8's pools.

use std::io;
use std::time::Duration;

use bb8::{ManageConnection, Pool, RunError};
use insta::assert_snapshot;
use opbeat_instrument::bb8::TimedGet;

use crate::{job, waiting};

/// Longer than the shortest wait that is recorded.
const LONG: Duration = Duration::from_millis(3);

#[derive(Debug)]
struct Connections;

impl ManageConnection for Connections {
    type Connection = ();
    type Error = io::Error;

    async fn connect(&self) -> io::Result<()> {
        Ok(())
    }

    async fn is_valid(&self, (): &mut ()) -> io::Result<()> {
        Ok(())
    }

    fn has_broken(&self, (): &mut ()) -> bool {
        false
    }
}

async fn pool(timeout: Duration) -> Pool<Connections> {
    let builder = Pool::builder().max_size(1).connection_timeout(timeout);
    builder.build(Connections).await.expect("connections are made at once")
}

#[tokio::test]
async fn a_long_wait_is_a_span() {
    let pool = pool(Duration::from_secs(60)).await;
    let spans = job::drive(async {
        let lent = pool.get().await.unwrap();
        let release = async {
            waiting::pass(LONG);
            drop(lent);
        };
        let (got, ()) = tokio::join!(pool.timed_get_owned(), release);
        drop(got.expect("the connection is released"));
    })
    .await;
    assert_snapshot!(spans, @"db.pool.wait bb8 get");
}

#[tokio::test]
async fn a_timeout_is_a_span_with_an_error() {
    let pool = pool(LONG).await;
    let spans = job::drive(async {
        let _lent = pool.get().await.unwrap();
        let error = pool.timed_get().await.expect_err("the only connection is lent");
        assert!(matches!(error, RunError::TimedOut), "{error}");
    })
    .await;
    assert_snapshot!(spans, @"db.pool.wait bb8 get · error=timeout");
}

#[tokio::test]
async fn a_wait_that_was_given_up_is_a_span_with_an_error() {
    let pool = pool(Duration::from_secs(60)).await;
    let spans = job::drive(async {
        let _lent = pool.get().await.unwrap();
        waiting::give_up_after(LONG, pool.timed_get()).await;
    })
    .await;
    assert_snapshot!(spans, @"db.pool.wait bb8 get · error=cancelled");
}
