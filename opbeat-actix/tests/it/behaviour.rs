use actix_web::{App, HttpServer, rt, web};
use opbeat_actix::Opbeat;
use opbeat_core::testing::behaviour::{Subject, check};

use crate::{app, monitored};

/// What actix makes impossible, and why.
const EXEMPT: &[(&str, &str)] = &[
    ("client gone before the head", "actix notices a closed connection when it writes, and not while a handler runs"),
    ("trailers", "actix does not send any"),
    ("nested service", "actix has no opaque services: what lies beneath a prefix is a resource with a pattern"),
];

#[test]
fn actix_does_what_every_adapter_does() {
    let (agent, exporter) = monitored();
    let (layer, observer) = (agent.clone(), agent);
    rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let monitored = web::scope("").wrap(Opbeat::new(&layer)).configure(|config| app::routes(config, &layer));
            App::new().configure(|config| app::limited(config, &layer)).service(monitored)
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        let running = rt::spawn(server);
        let table = rt::task::spawn_blocking(move || {
            check(&Subject { address, agent: &observer, exporter: &exporter, kind: "web.actix", exempt: EXEMPT });
        });
        let checked = table.await;
        handle.stop(false).await;
        running.await.unwrap().unwrap();
        checked.unwrap();
    });
}
