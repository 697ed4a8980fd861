//! The smallest monitored axum application: `cargo run -p hello`

use axum::{Router, routing::get};
use opbeat_axum::{Agent, OpbeatLayer};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let agent = Agent::from_env();
    let app = Router::new().route("/hello/{name}", get(async || "hello")).layer(OpbeatLayer::new(&agent));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await
}
