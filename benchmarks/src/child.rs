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

use crate::variants::Variant;

/// Requests that are made ready at once, outside of the measured time.
const READY: usize = 128;

/// Runs a variant until its input ends.
///
/// - `time PATH N`: answers with the nanoseconds of one request, as the mean of N.
/// - `count PATH`: answers with the allocations of one request.
/// - `check`: answers `ok` if a request of each kind was delivered in full.
pub fn serve(name: &str) -> ExitCode {
    let variant = Variant::new(name);
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    // As `axum::serve` does once a connection: a router without its state applies its layers in every request.
    let router: Router = variant.router.clone().with_state(());
    for line in stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words.as_slice() {
            ["time", path, count] => time(&runtime, &router, path, count.parse().expect("a number")).to_string(),
            ["count", path] => count(&runtime, &router, path).to_string(),
            _ => check(&runtime, &router, &variant),
        };
        println!("{answer}");
        stdout().flush().expect("somebody listens");
    }
    ExitCode::SUCCESS
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

fn time(runtime: &Runtime, router: &Router, path: &str, count: usize) -> u64 {
    runtime.block_on(async {
        let mut spent = Duration::ZERO;
        for _ in 0..count / READY {
            let requests: Vec<_> = (0..READY).map(|_| request(path)).collect();
            let start = Instant::now();
            for request in requests {
                black_box(exchange(router, request).await);
            }
            spent += start.elapsed();
        }
        spent.as_nanos() as u64 / (count / READY * READY) as u64
    })
}

/// Counts on a warm application, so that nothing is counted that happens once.
fn count(runtime: &Runtime, router: &Router, path: &str) -> u64 {
    time(runtime, router, path, 1_024);
    let mut allocations: Vec<u64> = (0..101)
        .map(|_| {
            let request = request(path);
            let info = allocation_counter::measure(|| {
                black_box(runtime.block_on(exchange(router, request)));
            });
            info.count_total
        })
        .collect();
    allocations.sort_unstable();
    allocations[allocations.len() / 2]
}

fn check(runtime: &Runtime, router: &Router, variant: &Variant) -> String {
    let (plain, spans) = variant.per_request;
    for (path, expected, length) in [("/users/42", plain, 2), ("/spans", spans, 4)] {
        let before = (variant.delivered)();
        assert_eq!(runtime.block_on(exchange(router, request(path))), length);
        let delivered = (variant.delivered)() - before;
        if delivered != expected {
            return format!("{path} delivered {delivered}, not {expected}");
        }
    }
    "ok".to_owned()
}
