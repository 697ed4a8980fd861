//! A bare handler that reads the same bodies, in this process: the most that acceptance can be compared with.

use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::any;
use serde_json::Value;

use crate::load::Kind;
use crate::server::App;
use crate::{Options, Result, post};

/// Measures the handler.
pub(crate) fn run(options: &Options, template: &Value, kind: Kind, connections: usize) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?.to_string();
    let handler = any(async |body: Bytes| if body.is_empty() { StatusCode::BAD_REQUEST } else { StatusCode::ACCEPTED });
    let router = Router::new().fallback_service(handler);
    runtime.spawn(async move { axum::serve(listener, router).await });
    let app = App { path: "/".to_owned(), token: "none".to_owned() };
    let started = Instant::now();
    let latencies = post(options, template, kind, connections, &address, &app)?;
    let events = (latencies.len() * kind.events()) as f64;
    let at = |share: f64| {
        latencies[((latencies.len() as f64 * share) as usize).min(latencies.len() - 1)].as_secs_f64() * 1e3
    };
    println!(
        "| {} in a bare handler | {connections} | {events} | {:.0} | {:.2} | {:.2} | | | | | |",
        kind.name(),
        events / started.elapsed().as_secs_f64(),
        at(0.5),
        at(0.99),
    );
    Ok(())
}
