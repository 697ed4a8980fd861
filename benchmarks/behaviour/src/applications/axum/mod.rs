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
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use tower::service_fn;

pub use self::carried::carried;
pub use self::ends::{answer, failures};
use super::LIMIT;
use crate::words::Words;

/// What depends on the peer.
#[derive(Clone, Copy)]
pub struct Ways {
    pub words: Words,
    /// Makes the routes `/chain` and `/captured`.
    pub failures: fn(Words) -> Router,
    /// Answers what limits fail with.
    pub answer: Answer,
}

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub type Answer = fn(BoxError) -> BoxFuture<'static, (StatusCode, &'static str)>;

/// Serves the application on a thread of its own, behind a layer that may be told of a time limit around it.
pub fn serve(ways: Ways, layer: impl Fn(Router, Option<Duration>) -> Router) -> SocketAddr {
    let plain = |router| layer(router, None);
    let monitored = responses::router(ways.words).merge(names(ways.words, plain)).merge(ends::router(ways));
    // The last one's answer to unmatched paths stays, and has to be monitored.
    let router = limited(ways, &layer).merge(plain(monitored));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    listener.set_nonblocking(true).expect("a socket can be told not to block");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("the socket does not block");
            axum::serve(listener, router).await
        })
    });
    address
}

/// Makes the routes that have limits around the layer.
fn limited(ways: Ways, layer: impl Fn(Router, Option<Duration>) -> Router) -> Router {
    let late = Router::new().route("/late", get(move || ends::tagged_forever(ways.words)));
    let full = Router::new().route("/full", get(async || "full"));
    let late = layer(late, Some(LIMIT)).route_layer(ends::limits(ways.answer).timeout(LIMIT));
    late.merge(layer(full, None).route_layer(ends::limits(ways.answer).load_shed().concurrency_limit(0)))
}

fn names(words: Words, layer: impl Fn(Router) -> Router) -> Router {
    let cart = Router::new().route("/cart/{id}", get(echo_id));
    let files = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::from("a file"))));
    let renamed = move || async move {
        (words.rename)("shop.renamed");
        "renamed"
    };
    Router::new()
        .nest("/shop", cart)
        .nest("/old", Router::new().fallback(async || (StatusCode::GONE, "gone")))
        .nest_service("/files", files)
        .merge(layer(Router::new().route("/twice", get(async || "twice"))))
        .route("/renamed", get(renamed))
        .route("/healthz", get(async || "fine"))
}

async fn echo_id(Path(id): Path<u32>) -> String {
    id.to_string()
}

type Chunk = Result<Bytes, Infallible>;

fn chunks(first: &'static [&'static str], rest: impl stream::Stream<Item = Chunk> + Send + 'static) -> Response {
    let first = stream::iter(first).map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
    Body::from_stream(first.chain(rest)).into_response()
}
