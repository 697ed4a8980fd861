use adapter_poem::Opbeat;
use opbeat_testing::behaviour::{Subject, check, monitored};
use poem::listener::TcpAcceptor;
use poem::{EndpointExt, Server};
use tokio::net::TcpListener;

use crate::app;

/// The cases that poem cannot pass, each with the reason.
const EXEMPT: &[(&str, &str)] = &[
    ("disconnect before the response head", "poem's server keeps polling a handler after its client disconnected"),
    ("reset before the response head", "poem's server keeps polling a handler after its client disconnected"),
    (
        "error in the response body",
        "poem's server keeps polling a failed connection, and hyper then ends the body as if it were complete",
    ),
    ("fallback of a nested router", "poem's routers have no fallbacks"),
    ("timeout outside the layer", "the middleware wraps the whole application"),
    ("load shedding outside the layer", "the middleware wraps the whole application"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_behaviour_table_passes() {
    let (agent, exporter) = monitored();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let opbeat = Opbeat::new(&agent);
    let app = app::route(&opbeat).with(opbeat);
    let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
    let server = tokio::spawn(Server::new_with_acceptor(acceptor).run(app));
    let table = tokio::task::spawn_blocking(move || {
        check(&Subject { address, agent: &agent, exporter: &exporter, kind: "web.poem", exempt: EXEMPT });
    });
    table.await.unwrap();
    server.abort();
}
