//! Futures whose code is compiled with this crate.

use std::pin::Pin;

/// Returns a future as a trait object.
///
/// The compiler makes the code of an async function where its future is polled. Without this, each binary and each test
/// program would compile most of the server again. It works in functions that are neither async nor generic, and not
/// inlined.
pub(crate) fn compiled_here<'a, T>(
    future: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    future
}
