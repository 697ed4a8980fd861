//! The routes of the application.

use std::hint::black_box;
use std::num::ParseIntError;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use opbeat_axum::{Agent, OpbeatLayer};

/// The message of the panicking handler.
pub const EXPECTED: &str = "this handler always panics";

/// The number of frames between the handler and the captured error. With the frames of the runtime, there are about 40.
const FRAMES: usize = 15;

/// The durations of error captures.
static CAPTURES: Mutex<Vec<Duration>> = Mutex::new(Vec::new());

pub fn router(agent: Option<&Agent>) -> Router {
    let router = Router::new()
        .route("/users/{id}", get(|Path(id): Path<u64>| async move { id.to_string() }))
        .route("/panics", get(panics))
        .route("/captures", get(captures))
        .route("/fails", get(fails));
    match agent {
        Some(agent) => router.layer(OpbeatLayer::new(agent)),
        None => router,
    }
}

/// Removes and returns the durations of error captures.
pub fn take_captures() -> Vec<Duration> {
    std::mem::take(&mut *noted())
}

async fn panics() -> &'static str {
    panic!("{EXPECTED}")
}

async fn captures() -> &'static str {
    let took = below(FRAMES, &error());
    noted().push(took);
    "captured"
}

async fn fails() -> (StatusCode, &'static str) {
    opbeat_axum::capture_error(&error());
    (StatusCode::INTERNAL_SERVER_ERROR, "failed")
}

/// Captures an error this number of frames down.
#[inline(never)]
fn below(frames: usize, error: &ParseIntError) -> Duration {
    if frames > 0 {
        // The use of the result prevents tail calls, so each frame is kept.
        return black_box(below(black_box(frames - 1), error));
    }
    let start = Instant::now();
    opbeat_axum::capture_error(error);
    start.elapsed()
}

fn error() -> ParseIntError {
    "twelve".parse::<u32>().expect_err("it is no number")
}

fn noted() -> MutexGuard<'static, Vec<Duration>> {
    CAPTURES.lock().unwrap_or_else(PoisonError::into_inner)
}
