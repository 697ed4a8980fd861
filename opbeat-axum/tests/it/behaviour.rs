use std::net::SocketAddr;

use opbeat_testing::behaviour::{Subject, check, check_http2};

use crate::{app, monitored};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axum_passes_the_behaviour_table() {
    let (agent, exporter) = monitored();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = app::router(&agent).into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let table = tokio::task::spawn_blocking(move || {
        let subject = Subject { address, agent: &agent, exporter: &exporter, kind: "web.axum", exempt: &[] };
        check(&subject);
        check_http2(&subject);
    });
    table.await.unwrap();
    server.abort();
}
