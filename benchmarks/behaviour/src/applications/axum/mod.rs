//! The application with axum.

mod carried;
mod ends;
mod responses;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{Request, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use tower::service_fn;

pub use self::carried::carried;
pub use self::ends::{answer, failures};
use super::LIMIT;
use crate::peer_api::PeerApi;

/// The parts that depend on the peer.
#[derive(Clone, Copy)]
pub struct Setup {
    pub api: PeerApi,
    /// Creates the routes `/chain` and `/captured`.
    pub failures: fn(PeerApi) -> Router,
    /// Responds to errors of limits.
    pub answer: Answer,
}

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub type Answer = fn(BoxError) -> BoxFuture<'static, (StatusCode, &'static str)>;

/// Serves the application on a separate thread, behind a layer that can be configured for a timeout outside it.
pub fn serve(setup: Setup, layer: impl Fn(Router, Option<Duration>) -> Router) -> SocketAddr {
    let plain = |router| layer(router, None);
    let monitored = responses::router(setup.api).merge(names(setup.api, plain)).merge(ends::router(setup));
    // The last service's response to unmatched paths stays, and must be monitored.
    let router = limited(setup, &layer).merge(plain(monitored));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    listener.set_nonblocking(true).expect("a socket can be differs not to block");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("the socket does not block");
            axum::serve(listener, router).await
        })
    });
    address
}

/// Creates the routes that have limits outside the layer.
fn limited(setup: Setup, layer: impl Fn(Router, Option<Duration>) -> Router) -> Router {
    let late = Router::new().route("/late", get(move || ends::tagged_forever(setup.api)));
    let full = Router::new().route("/full", get(async || "full"));
    let late = layer(late, Some(LIMIT)).route_layer(ends::limits(setup.answer).timeout(LIMIT));
    late.merge(layer(full, None).route_layer(ends::limits(setup.answer).load_shed().concurrency_limit(0)))
}

fn names(api: PeerApi, layer: impl Fn(Router) -> Router) -> Router {
    let cart = Router::new().route("/cart/{id}", get(echo_id));
    let files = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::from("a file"))));
    let renamed = move || async move {
        (api.rename)("shop.renamed");
        "renamed"
    };
    let relayed = layer(Router::new().route(
        "/relayed",
        get(async move || {
            api.tag();
            "relayed"
        }),
    ));
    Router::new()
        .merge(relayed.layer(from_fn(relay)))
        .nest("/shop", cart)
        .nest("/old", Router::new().fallback(async || (StatusCode::GONE, "gone")))
        .nest_service("/files", files)
        .merge(layer(Router::new().route("/twice", get(async || "twice"))))
        .route("/renamed", get(renamed))
        .route("/healthz", get(async || "fine"))
}

/// Calls the rest of the application on another task.
async fn relay(request: Request<Body>, next: Next) -> Response {
    tokio::spawn(next.run(request)).await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn echo_id(Path(id): Path<u32>) -> String {
    id.to_string()
}

type Chunk = Result<Bytes, Infallible>;

fn chunks(first: &'static [&'static str], rest: impl stream::Stream<Item = Chunk> + Send + 'static) -> Response {
    let first = stream::iter(first).map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
    Body::from_stream(first.chain(rest)).into_response()
}
