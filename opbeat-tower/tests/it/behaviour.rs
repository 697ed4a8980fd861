use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use opbeat_testing::behaviour::{CartError, Subject, check, check_http2};
use opbeat_tower::{Agent, OpbeatLayer};
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::{app, monitored};

type Called = Result<Response<UnsyncBoxBody<Bytes, CartError>>, Infallible>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tower_passes_the_behaviour_table() {
    let (agent, exporter) = monitored();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let layer = agent.clone();
    let server = tokio::spawn(async move {
        while let Ok((stream, client)) = listener.accept().await {
            let layer = layer.clone();
            let service = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(client);
                call(layer.clone(), request)
            });
            tokio::spawn(async move {
                let mut server = auto::Builder::new(TokioExecutor::new());
                server.http2().enable_connect_protocol();
                server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await
            });
        }
    });
    let table = tokio::task::spawn_blocking(move || {
        let subject = Subject { address, agent: &agent, exporter: &exporter, kind: "web.tower", exempt: &[] };
        check(&subject);
        check_http2(&subject);
    });
    table.await.unwrap();
    server.abort();
}

async fn call(agent: Agent, request: Request<Incoming>) -> Called {
    let layer = OpbeatLayer::new(&agent).route_name(app::Routes);
    match request.uri().path() {
        "/late" => {
            let inner = layer.outer_time_limit(app::LIMIT).layer(service_fn(app::call));
            call_or(StatusCode::GATEWAY_TIMEOUT, ServiceBuilder::new().timeout(app::LIMIT).service(inner), request)
                .await
        }
        "/full" => {
            let full = ServiceBuilder::new().load_shed().concurrency_limit(0);
            call_or(StatusCode::SERVICE_UNAVAILABLE, full.service(layer.layer(service_fn(app::call))), request).await
        }
        "/relayed" => {
            let inner = OpbeatLayer::new(&agent).route_name(app::Routes).layer(service_fn(app::call));
            let relay = service_fn(move |request| {
                let call = tokio::spawn(inner.clone().oneshot(request));
                async { call.await.expect("the handler does not panic") }
            });
            call_or(StatusCode::INTERNAL_SERVER_ERROR, layer.layer(relay), request).await
        }
        // Two layers wrap the service, and the table expects that each request is counted once.
        _ => {
            let service = layer.clone().layer(layer.layer(service_fn(app::call)));
            call_or(StatusCode::INTERNAL_SERVER_ERROR, service, request).await
        }
    }
}

/// Calls a service. Responds with a status if a limit outside of the layer was reached.
async fn call_or<S, B>(status: StatusCode, service: S, request: Request<Incoming>) -> Called
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    B: http_body::Body<Data = Bytes, Error = CartError> + Send + 'static,
{
    match service.oneshot(request).await {
        Ok(response) => Ok(response.map(BodyExt::boxed_unsync)),
        Err(_) => Ok(app::status(status).map(BodyExt::boxed_unsync)),
    }
}
