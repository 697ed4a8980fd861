//! Time that passes in tests, at least as long as they need it.

use std::time::{Duration, Instant};

/// Returns when at least this time has passed.
pub(crate) fn pass(time: Duration) {
    let since = Instant::now();
    while since.elapsed() < time {
        std::thread::yield_now();
    }
}

/// Polls a future until it waits, and drops it after at least `time`.
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "diesel-async"))]
pub(crate) async fn give_up_after<F: Future>(time: Duration, future: F) {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending(), "the future waits");
        pass(time);
        std::task::Poll::Ready(())
    })
    .await;
}
