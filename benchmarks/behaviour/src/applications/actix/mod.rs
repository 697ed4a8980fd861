//! The application with actix-web.

mod carried;
mod ends;
mod files;
mod responses;

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::middleware::Next;
use actix_web::{HttpResponse, rt, web};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

pub use self::carried::carried;
pub use self::ends::{failures, late, shed_all, time_limit};
use crate::peer_api::PeerApi;

/// The parts that depend on the peer.
#[derive(Clone, Copy)]
pub struct Setup {
    pub api: PeerApi,
    /// Creates the routes `/chain` and `/captured`.
    pub failures: fn(&mut web::ServiceConfig, PeerApi),
}

/// Serves the application on a separate thread, behind a middleware, and returns its address. Each middleware makes
/// another type of it.
macro_rules! serve {
    ($setup:expr, $middleware:expr) => {
        $crate::applications::actix::serve!($setup, $middleware, $middleware)
    };
    // The second middleware is configured with the timeout outside it.
    ($setup:expr, $middleware:expr, $limited:expr) => {{
        use actix_web::middleware::from_fn;
        use actix_web::{App, HttpServer, rt, web};
        use $crate::applications::actix::{late, relay, shed_all, time_limit};
        let listener = $crate::applications::actix::listener();
        let address = listener.local_addr().expect("a bound socket has an address");
        let factory = move || {
            let twice = web::scope("/twice").wrap($middleware).route("", web::get().to(async || "twice"));
            let api = $setup.api;
            let relayed = web::scope("/relayed")
                .wrap($middleware)
                .wrap(from_fn(relay))
                .route("", web::get().to(move || async move { $crate::applications::actix::relayed(api) }));
            let routes = |config: &mut web::ServiceConfig| $crate::applications::actix::routes(config, $setup);
            let monitored = web::scope("").wrap($middleware).configure(routes).service(twice).service(relayed);
            let timed = web::scope("/late").wrap($limited).wrap(from_fn(time_limit)).route("", late($setup.api));
            let full = web::scope("/full").wrap($middleware).wrap(from_fn(shed_all)).route("", late($setup.api));
            App::new().service(timed).service(full).service(monitored)
        };
        std::thread::spawn(move || {
            let server = HttpServer::new(factory).workers(1).disable_signals();
            rt::System::new().block_on(async { server.listen(listener)?.run().await })
        });
        address
    }};
}
pub(crate) use serve;

pub fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port")
}

/// Tags the request of `/relayed`.
pub fn relayed(api: PeerApi) -> &'static str {
    api.tag();
    "relayed"
}

/// Calls the rest of the application in another task.
pub async fn relay<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> actix_web::Result<ServiceResponse<B>> {
    rt::spawn(async move { next.call(request).await }).await.map_err(ErrorInternalServerError)?
}

pub fn routes(config: &mut web::ServiceConfig, setup: Setup) {
    responses::routes(config, setup.api);
    names(config, setup.api);
    ends::routes(config, setup.api);
    (setup.failures)(config, setup.api);
}

fn names(config: &mut web::ServiceConfig, api: PeerApi) {
    let renamed = move || async move {
        (api.rename)("shop.renamed");
        "renamed"
    };
    config
        .service(web::scope("/old").default_service(web::to(async || HttpResponse::Gone().body("gone"))))
        .service(web::scope("/shop").route("/cart/{id}", web::get().to(echo_id)))
        .service(files::Files("/files"))
        .route("/renamed", web::get().to(renamed))
        .route("/healthz", web::get().to(async || "fine"));
}

async fn echo_id(id: web::Path<u32>) -> String {
    id.to_string()
}

type Chunk = Result<Bytes, Infallible>;

fn chunks(first: &'static [&'static str], rest: impl Stream<Item = Chunk> + 'static) -> HttpResponse {
    let first = stream::iter(first).map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
    HttpResponse::Ok().streaming(first.chain(rest))
}
