//! Sessions that a request opens, and that outlive it.

use std::borrow::Cow;
use std::future::Future;

use crate::transaction::current;

/// Makes a future a session that the current request opens, such as that of a websocket: a transaction of its own.
///
/// It begins when the future is first polled, and ends with it. It has the name of the request, a kind of its own, the
/// request as its parent, and the same trace, user and tags. A session that is dropped before its end counts as
/// `cancelled`, and one that panics as `panicked`.
///
/// # Examples
///
/// ```
/// # async fn chat() {}
/// # async fn handler() {
/// tokio::spawn(opbeat_core::task::session("websocket.example", chat()));
/// # }
/// ```
pub fn session<F: Future>(kind: impl Into<Cow<'static, str>>, future: F) -> impl Future<Output = F::Output> {
    let (request, kind) = (current(), kind.into());
    async move {
        let session = request.begin_child(kind);
        let output = session.wrap(future).await;
        session.complete();
        output
    }
}
