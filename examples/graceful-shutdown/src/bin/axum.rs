//! An axum server that delivers its last interval when it is stopped: by a signal, or by a request.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use opbeat_axum::{Agent, OpbeatLayer};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

#[tokio::main]
async fn main() -> io::Result<()> {
    let agent = Agent::from_env();
    let stop = Arc::new(Notify::new());
    let stopping = Arc::clone(&stop);
    let app = Router::new()
        .route("/hello", get(async || "hello"))
        .route("/stop", post(async move || stopping.notify_one()))
        .layer(OpbeatLayer::new(&agent));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);

    axum::serve(listener, app).with_graceful_shutdown(stopped(stop)).await?;
    // The server has answered all requests. `shutdown` blocks, so it gets a thread of its own.
    let delivered = tokio::task::spawn_blocking(move || agent.shutdown(Duration::from_secs(2))).await?;
    if let Err(error) = delivered {
        eprintln!("{error}");
    }
    Ok(())
}

/// Waits for Ctrl-C, for the SIGTERM of a service manager, or for the application itself.
async fn stopped(stop: Arc<Notify>) {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate => {}
        () = stop.notified() => {}
    }
}
