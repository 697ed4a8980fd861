//! An HTTP server that answers as scripted.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use tokio::net::TcpListener;

/// Answers each request with the next status and body, and with 404 after the last one. It runs on the runtime of the
/// test, which stops it.
pub(super) async fn start(script: impl IntoIterator<Item = (StatusCode, &'static [u8])>) -> SocketAddr {
    let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
    let next = move |_body: Bytes| {
        let reply = script.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        async move { reply.unwrap_or((StatusCode::NOT_FOUND, b"the script has ended")) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(axum::serve(listener, Router::new().fallback(next)).into_future());
    address
}
