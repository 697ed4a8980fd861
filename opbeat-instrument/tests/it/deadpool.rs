//! Waits for connections of deadpool's pools.

use std::convert::Infallible;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Pool, PoolError, RecycleResult, TimeoutType};
use insta::assert_snapshot;
use opbeat_instrument::deadpool::TimedGet;

use crate::{job, waiting};

/// Longer than the shortest wait that is recorded.
const LONG: Duration = Duration::from_millis(3);

#[derive(Debug)]
struct Connections;

impl Manager for Connections {
    type Type = ();
    type Error = Infallible;

    async fn create(&self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn recycle(&self, (): &mut (), _: &Metrics) -> RecycleResult<Infallible> {
        Ok(())
    }
}

fn pool(wait: Option<Duration>) -> Pool<Connections> {
    let builder = Pool::builder(Connections).max_size(1).wait_timeout(wait).runtime(Runtime::Tokio1);
    builder.build().expect("the settings are valid")
}

#[tokio::test]
async fn a_long_wait_is_a_span() {
    let pool = pool(None);
    let spans = job::drive(async {
        let lent = pool.get().await.unwrap();
        let release = async {
            waiting::pass(LONG);
            drop(lent);
        };
        let (got, ()) = tokio::join!(pool.timed_get(), release);
        drop(got.expect("the connection is released"));
    })
    .await;
    assert_snapshot!(spans, @"db.pool.wait deadpool get");
}

#[tokio::test]
async fn a_timeout_is_a_span_with_an_error() {
    let pool = pool(Some(LONG));
    let spans = job::drive(async {
        let _lent = pool.get().await.unwrap();
        let error = pool.timed_get().await.expect_err("the only connection is lent");
        assert!(matches!(error, PoolError::Timeout(TimeoutType::Wait)), "{error}");
    })
    .await;
    assert_snapshot!(spans, @"db.pool.wait deadpool get · error=timeout");
}

#[tokio::test]
async fn a_failed_wait_is_a_span_with_an_error() {
    let pool = pool(None);
    pool.close();
    let spans = job::drive(async {
        pool.timed_get().await.expect_err("the pool is closed");
    })
    .await;
    assert_snapshot!(spans, @"db.pool.wait deadpool get · error=closed");
}

#[tokio::test]
async fn a_wait_that_was_given_up_is_a_span_with_an_error() {
    let pool = pool(None);
    let spans = job::drive(async {
        let _lent = pool.get().await.unwrap();
        waiting::give_up_after(LONG, pool.timed_get()).await;
    })
    .await;
    assert_snapshot!(spans, @"db.pool.wait deadpool get · error=cancelled");
}
