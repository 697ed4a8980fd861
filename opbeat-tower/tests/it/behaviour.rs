use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use opbeat_core::testing::behaviour::{Subject, check};
use opbeat_tower::OpbeatLayer;
use tokio::net::TcpListener;
use tower::{Layer, service_fn};

use crate::{app, monitored};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tower_does_what_every_adapter_does() {
    let (agent, exporter) = monitored();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = OpbeatLayer::new(&agent).route_name(app::route_name).layer(service_fn(app::call));
    // A second layer around the first: the table counts each request once all the same.
    let service = OpbeatLayer::new(&agent).route_name(app::route_name).layer(service);
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    let table = tokio::task::spawn_blocking(move || {
        check(&Subject { address, agent: &agent, exporter: &exporter, kind: "web.tower", exempt: &[] });
    });
    table.await.unwrap();
    server.abort();
}
