use std::net::SocketAddr;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, rt};
use opbeat_actix::{Agent, Opbeat};
use opbeat_testing::behaviour::{Subject, check, check_only};

use crate::{app, monitored};

/// The cases that are impossible with actix, with the reasons.
const EXEMPT: &[(&str, &str)] = &[
    (
        "disconnect before the response head",
        "actix notices a regular close of the connection only when it writes to it",
    ),
    ("trailers", "actix does not send any"),
    ("timeout outside the layer", "it needs a limit around the whole application, which `limited_server` has"),
    ("load shedding outside the layer", "it needs a limit around the whole application, which `limited_server` has"),
];

/// Starts a server with one worker, so that all requests take turns on one thread.
macro_rules! serve {
    ($app:expr) => {{
        let server = HttpServer::new($app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        (address, handle)
    }};
}

fn monitored_server(agent: Agent) -> (SocketAddr, ServerHandle) {
    serve!(move || {
        let routes = agent.clone();
        App::new().wrap(Opbeat::new(&agent)).configure(move |config| app::routes(config, &routes))
    })
}

fn limited_server(agent: Agent) -> (SocketAddr, ServerHandle) {
    serve!(move || {
        let opbeat = Opbeat::new(&agent).outer_time_limit(app::LIMIT);
        App::new().wrap(opbeat).wrap(from_fn(app::limit)).configure(app::limited)
    })
}

#[test]
fn actix_passes_the_behaviour_table() {
    let (agent, exporter) = monitored();
    rt::System::new().block_on(async move {
        let (address, server) = monitored_server(agent.clone());
        let (limited, limited_server) = limited_server(agent.clone());
        let table = rt::task::spawn_blocking(move || {
            let subject = Subject { address, agent: &agent, exporter: &exporter, kind: "web.actix", exempt: EXEMPT };
            check(&subject);
            let limits = ["timeout outside the layer", "load shedding outside the layer"];
            check_only(&Subject { address: limited, exempt: &[], ..subject }, &limits);
        });
        let checked = table.await;
        server.stop(false).await;
        limited_server.stop(false).await;
        checked.unwrap();
    });
}
