use adapter_hyper::Opbeat;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use opbeat_testing::behaviour::{Subject, check, monitored};
use tokio::net::TcpListener;

use crate::app;
use crate::limits::Limits;

/// The cases that hyper alone cannot pass, each with the reason.
const EXEMPT: &[(&str, &str)] = &[
    ("fallback of a nested router", "the example's router has no fallbacks"),
    ("client address", "hyper does not know the client's address: only the code that accepts the connection does"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_behaviour_table_passes() {
    let (agent, exporter) = monitored();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = Opbeat::new(&agent, app::router(&agent));
    let service = Limits(service);
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone()));
        }
    });
    let table = tokio::task::spawn_blocking(move || {
        check(&Subject { address, agent: &agent, exporter: &exporter, kind: "web.hyper", exempt: EXEMPT });
    });
    table.await.unwrap();
    server.abort();
}
