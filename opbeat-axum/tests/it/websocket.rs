//! Sessions of websockets, over a real connection.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use opbeat_axum::{OpbeatLayer, User};
use opbeat_core::record::Outcome;

use crate::monitored;

const PATIENCE: Duration = Duration::from_secs(30);

async fn connect(upgrade: WebSocketUpgrade) -> Response {
    opbeat_axum::current().set_user(User::new(7));
    upgrade.on_upgrade(opbeat_axum::websocket(chat))
}

/// Reads messages until the client leaves.
async fn chat(mut socket: WebSocket) {
    while let Some(Ok(_)) = socket.recv().await {}
    opbeat_axum::current().set_tag("left", "yes");
    opbeat_axum::capture_error(&std::io::Error::other("the line is cut"));
}

/// Opens a websocket, and closes the connection.
fn visit(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "GET /chat HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut status = String::new();
    BufReader::new(&stream).read_line(&mut status).unwrap();
    assert!(status.starts_with("HTTP/1.1 101"), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_session_is_a_transaction_of_its_own() {
    let (agent, exporter) = monitored();
    let app = Router::new().route("/chat", any(connect)).layer(OpbeatLayer::new(&agent));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let recorded = tokio::task::spawn_blocking(move || {
        visit(address);
        while exporter.count("GET /chat") < 2 {
            agent.flush(PATIENCE).unwrap();
        }
        agent.flush(PATIENCE).unwrap();
        exporter.take()
    });
    let recorded = recorded.await.unwrap();
    server.abort();
    let of_kind = |kind: &str| recorded.samples.iter().find(|sample| sample.kind == kind).unwrap();
    let (request, session) = (of_kind("web.axum"), of_kind("websocket.axum"));
    assert_eq!((request.outcome, request.result.to_string().as_str()), (Outcome::Upgraded, "101"));
    assert_eq!((session.outcome, session.result.to_string().as_str()), (Outcome::Ok, "ok"));
    assert_eq!((session.parent, session.name.to_string().as_str()), (Some(request.id), "GET /chat"));
    assert_eq!(session.user.as_ref().and_then(|user| user.id.as_deref()), Some("7"));
    assert_eq!(session.tags, [("left".into(), "yes".into())]);
    assert_eq!(recorded.errors[0].transaction.as_ref().map(|transaction| transaction.id), Some(session.id));
}
