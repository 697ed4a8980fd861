//! Sessions of websockets.

use std::future::Future;

use opbeat_core::task::session;

/// Makes a future the session of a websocket: a transaction of its own, of the kind `websocket.actix`.
///
/// The request of a websocket ends with its upgrade. Spawn this function's result instead of the future that handles the
/// socket: the transaction lasts as long as that future. It has the name of the request, the request as its parent, and
/// the same user and tags. Spans and errors in the future belong to it.
///
/// # Examples
///
/// ```
/// # async fn chat() {}
/// use actix_web::HttpResponse;
///
/// // With actix-ws, the response and the socket come from `actix_ws::handle`.
/// async fn connect() -> HttpResponse {
///     actix_web::rt::spawn(opbeat_actix::websocket(chat()));
///     HttpResponse::SwitchingProtocols().finish()
/// }
/// # let _ = actix_web::web::get().to(connect);
/// ```
pub fn websocket<F: Future>(handle: F) -> impl Future<Output = F::Output> {
    session("websocket.actix", handle)
}
