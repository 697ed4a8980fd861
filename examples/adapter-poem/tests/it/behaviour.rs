use adapter_poem::Opbeat;
use opbeat_testing::behaviour::{Subject, check, monitored};
use poem::listener::TcpAcceptor;
use poem::{EndpointExt, Server};
use tokio::net::TcpListener;

use crate::app;

/// What poem makes impossible, and why.
const EXEMPT: &[(&str, &str)] = &[
    ("disconnect before the response head", "poem's server goes on with a handler whose client has gone"),
    ("reset before the response head", "poem's server goes on with a handler whose client has gone"),
    (
        "error in the response body",
        "poem's server polls a connection on that has failed, and hyper then ends the body as if it were whole",
    ),
    ("fallback of a nested router", "poem's routers have no fallbacks"),
    ("timeout outside the layer", "the middleware belongs around the whole application"),
    ("load shedding outside the layer", "the middleware belongs around the whole application"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poem_does_what_every_adapter_does() {
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
