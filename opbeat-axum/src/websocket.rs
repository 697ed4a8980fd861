//! Sessions of websockets.

use std::future::Future;
use std::pin::Pin;

use opbeat_core::task::session;

/// Records the session of a websocket as a transaction of its own, of the kind `websocket.axum`.
///
/// The request of a websocket ends with its upgrade. Pass this function's result to `WebSocketUpgrade::on_upgrade`: the
/// transaction lasts as long as the handler of the socket. It has the name of the request, the request as its parent,
/// and the same user and tags. Spans and errors in the handler belong to it.
///
/// # Examples
///
/// ```
/// use axum::extract::ws::{WebSocket, WebSocketUpgrade};
/// use axum::response::Response;
///
/// async fn connect(upgrade: WebSocketUpgrade) -> Response {
///     upgrade.on_upgrade(opbeat_axum::websocket(chat))
/// }
///
/// async fn chat(mut socket: WebSocket) {
///     while let Some(Ok(message)) = socket.recv().await {
///         opbeat_axum::current().set_tag("room", "lobby");
///         let _ = socket.send(message).await;
///     }
/// }
/// # let _: axum::Router = axum::Router::new().route("/chat", axum::routing::any(connect));
/// ```
pub fn websocket<S, F: Future + Send + 'static>(
    handle: impl FnOnce(S) -> F,
) -> impl FnOnce(S) -> Pin<Box<dyn Future<Output = F::Output> + Send>> {
    let request = opbeat_core::current();
    move |socket| Box::pin(request.run(|| session("websocket.axum", handle(socket))))
}
