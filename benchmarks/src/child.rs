//! One variant in a process of its own: does what its standard input says, one line at a time.

use std::hint::black_box;
use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use crate::processor;
use crate::variants::{Delivered, SPANS, Variant};

/// Requests that are made ready at once, outside of the measured time.
const READY: u64 = 128;

/// Runs a variant until its input ends.
///
/// - `run PATH N`: answers with what one request took, as the mean of N, in nanoseconds: the wall time, the processor
///   time of the request's thread, and that of all other threads until everything was delivered; at last how many
///   transactions and spans were not.
/// - `count PATH`: answers with the allocations of one request.
///
/// It panics when an answer is wrong, and when more is delivered than was recorded.
pub fn serve(name: &str) -> ExitCode {
    let mut app = Application::new(name);
    for line in stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words.as_slice() {
            ["run", path, count] => app.run(path, count.parse().expect("a number")),
            ["count", path] => app.count(path).to_string(),
            _ => panic!("{line:?} is none of the questions"),
        };
        println!("{answer}");
        stdout().flush().expect("somebody listens");
    }
    ExitCode::SUCCESS
}

struct Application {
    runtime: Runtime,
    router: Router,
    variant: Variant,
    /// What was delivered so far.
    delivered: Delivered,
}

impl Application {
    fn new(name: &str) -> Self {
        let variant = Variant::new(name);
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        // As `axum::serve` does once a connection: a router without its state applies its layers in every request.
        let router = variant.router.clone().with_state(());
        Self { runtime, router, variant, delivered: Delivered::default() }
    }

    fn run(&mut self, path: &str, count: u64) -> String {
        let idle = background(|| {
            self.deliver(path, 0);
        });
        let (mut spent, mut lost) = (Spent::default(), 0);
        let with_requests = background(|| {
            // Counting takes time by itself, and most where there are many allocations.
            allocation_counter::opt_out(|| spent = self.exchange_many(path, count));
            lost = self.deliver(path, count);
        });
        let each = |time: Duration| time.as_nanos() as u64 / count;
        let others = with_requests.saturating_sub(idle);
        format!("{} {} {} {lost}", each(spent.wall), each(spent.thread), each(others))
    }

    /// Counts on a warm application, so that nothing is counted that happens once.
    fn count(&mut self, path: &str) -> u64 {
        const TIMES: u64 = 101;
        self.run(path, 1_024);
        let mut allocations: Vec<u64> = (0..TIMES).map(|_| self.count_once(path)).collect();
        assert_eq!(self.deliver(path, TIMES), 0, "a hundred requests fit into any queue");
        allocations.sort_unstable();
        allocations[allocations.len() / 2]
    }

    fn count_once(&self, path: &str) -> u64 {
        let request = request(path);
        let info = allocation_counter::measure(|| {
            black_box(self.runtime.block_on(exchange(&self.router, request)));
        });
        info.count_total
    }

    fn exchange_many(&self, path: &str, count: u64) -> Spent {
        assert!(count.is_multiple_of(READY), "rounds are multiples of {READY} requests");
        let length = if path == "/spans" { 4 } else { 2 };
        let mut spent = Spent::default();
        self.runtime.block_on(async {
            for _ in 0..count / READY {
                let requests: Vec<_> = (0..READY).map(|_| request(path)).collect();
                let (thread, start) = (processor::thread(), Instant::now());
                for request in requests {
                    assert_eq!(black_box(exchange(&self.router, request).await), length, "the answer to {path}");
                }
                spent.wall += start.elapsed();
                spent.thread += processor::thread() - thread;
            }
        });
        spent
    }

    /// Delivers what was recorded, which is `count` requests more than last time. Returns how much of it was lost.
    fn deliver(&mut self, path: &str, count: u64) -> u64 {
        let before = std::mem::replace(&mut self.delivered, (self.variant.deliver)());
        let transactions = if self.variant.records { count } else { 0 };
        let spans = if path == "/spans" { transactions * SPANS } else { 0 };
        let lost = |recorded: u64, delivered: u64| recorded.checked_sub(delivered).expect("nothing is counted twice");
        lost(transactions, self.delivered.transactions - before.transactions)
            + lost(spans, self.delivered.spans - before.spans)
    }
}

#[derive(Default)]
struct Spent {
    wall: Duration,
    thread: Duration,
}

/// Returns the processor time that all threads but this one spend meanwhile.
fn background(work: impl FnOnce()) -> Duration {
    let (all, own) = (processor::process(), processor::thread());
    work();
    (processor::process() - all).saturating_sub(processor::thread() - own)
}

fn request(path: &str) -> Request<Body> {
    Request::get(path)
        .header("host", "shop.example")
        .header("user-agent", "benchmark/1.0")
        .header("accept", "*/*")
        .header("accept-encoding", "gzip")
        .body(Body::empty())
        .expect("a request")
}

async fn exchange(router: &Router, request: Request<Body>) -> usize {
    let Ok(response) = router.clone().oneshot(request).await;
    let body = response.into_body().collect().await.expect("a body");
    body.to_bytes().len()
}
