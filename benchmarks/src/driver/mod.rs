//! Calls an application in process, in the same way as its server.

mod actix;
mod axum;

use std::hint::black_box;
use std::time::{Duration, Instant};

use load::processor;
use tokio::runtime::{Builder, Runtime};

pub use self::actix::Actix;
pub use self::axum::Axum;

/// The number of requests that are prepared together, outside the measured time.
const READY: u64 = 128;

/// The headers of each request: four, which is typical for clients other than browsers.
const HEADERS: [(&str, &str); 4] =
    [("host", "shop.example"), ("user-agent", "benchmark/1.0"), ("accept", "*/*"), ("accept-encoding", "gzip")];

/// An application of one framework.
pub trait Application {
    type Request;

    /// Creates a request.
    fn request(path: &str) -> Self::Request;

    /// Returns the length of the response body.
    async fn exchange(&self, request: Self::Request) -> usize;
}

/// Drives an application.
pub trait Drive {
    /// Calls the application `count` times.
    fn drive(&self, path: &str, count: u64) -> Spent;

    /// Returns the allocations of one call on this thread.
    fn allocations(&self, path: &str) -> u64;
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    pub wall: Duration,
    /// The processor time of the calling thread.
    pub thread: Duration,
}

/// An application and the runtime that it is called in.
pub struct Driver<A> {
    runtime: Runtime,
    application: A,
}

impl<A: Application> Driver<A> {
    pub fn new(application: impl FnOnce(&Runtime) -> A) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let application = application(&runtime);
        Self { runtime, application }
    }
}

impl<A: Application> Drive for Driver<A> {
    fn drive(&self, path: &str, count: u64) -> Spent {
        assert!(count.is_multiple_of(READY), "rounds are multiples of {READY} requests");
        let length = if path == "/spans" { 4 } else { 2 };
        let mut spent = Spent::default();
        self.runtime.block_on(async {
            for _ in 0..count / READY {
                let requests: Vec<_> = (0..READY).map(|_| A::request(path)).collect();
                let (thread, start) = (processor::thread(), Instant::now());
                for request in requests {
                    let answered = black_box(self.application.exchange(request).await);
                    assert_eq!(answered, length, "the response to {path}");
                }
                spent.wall += start.elapsed();
                spent.thread += processor::thread() - thread;
            }
        });
        spent
    }

    fn allocations(&self, path: &str) -> u64 {
        let request = A::request(path);
        let counted = allocation_counter::measure(|| {
            black_box(self.runtime.block_on(self.application.exchange(request)));
        });
        counted.count_total
    }
}
