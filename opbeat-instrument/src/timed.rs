//! Futures that run in a span which is changed when they are ready.

use std::future::{Future, poll_fn};
use std::pin::pin;

use opbeat_core::Span;
use opbeat_core::instrument::Position;

/// Runs a future in a span, and calls `finish` with the span and the future's output. Spans that start in the future
/// are children of the span.
///
/// Outside of transactions it only runs the future.
pub(crate) async fn timed<F: Future>(
    start: impl FnOnce(&Position) -> Span,
    future: F,
    finish: impl FnOnce(&Span, &F::Output),
) -> F::Output {
    let Some(position) = Position::current() else { return future.await };
    let span = start(&position);
    // A span that is not recorded has no position: spans in the future are then children of the span around it.
    let inside = span.position().unwrap_or(position);
    let mut future = pin!(future);
    let output = poll_fn(|context| {
        let _entered = inside.enter();
        future.as_mut().poll(context)
    })
    .await;
    finish(&span, &output);
    output
}
