//! An application that records every kind of data that is exported.

use std::collections::BTreeMap;
use std::io;

use opbeat_core::export::{Exporter, OtlpExporter};
use opbeat_core::http::{HttpTransaction, route};
use opbeat_core::record::{Outcome, TraceParent};
use opbeat_core::{Agent, Config, Level, User};

use crate::program::PATIENCE;

/// The trace that a job continues.
pub(crate) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

pub(crate) fn exporter(url: &str, variables: &[(&str, &str)]) -> Box<dyn Exporter> {
    let mut all = BTreeMap::from([("OTEL_EXPORTER_OTLP_ENDPOINT", url), ("OTEL_SERVICE_NAME", "shop")]);
    all.extend(variables.iter().copied());
    let get = |name: &str| all.get(name).map(|value| (*value).to_owned());
    Box::new(OtlpExporter::from_variables(&config(), get).unwrap())
}

fn config() -> Config {
    let mut config = Config::default().release("1.2.3").hostname("test-host");
    config.response_headers.push("x-request-id".to_owned());
    config
}

/// Records requests, a call over gRPC, jobs and errors, and delivers them.
pub(crate) fn run(exporters: Vec<Box<dyn Exporter>>) {
    let agent = Agent::with_exporters(&config(), exporters);
    browse(&agent);
    call(&agent);
    agent.begin_transaction("task.mail").end("shop.mail", "ok");
    let queued = agent.begin_transaction("task.queue");
    queued.set_trace_parent(TraceParent::parse(TRACE));
    queued.set_outcome(Outcome::ServerError);
    queued.end("shop.queued", "failed");
    agent.capture_error(&io::Error::other("no disk"));
    agent.capture_message(Level::Warning, "little memory");
    agent.flush(PATIENCE).unwrap();
}

fn browse(agent: &Agent) {
    let mut request = HttpTransaction::begin(agent, "web.test", "GET", |request| {
        request.set_line("GET", "/books/1?page=2");
        request.push_header("host", b"shop.example:8080");
        request.push_header("user-agent", b"test/1");
        request.push_header("content-length", b"12");
        request.set_client("192.0.2.7".parse().ok());
    });
    request.set_route_name(route("GET", "/books/{id}"));
    {
        let _entered = request.enter();
        opbeat_core::current().set_user(User::new(42).username("ada").email("ada@example.com"));
        {
            let _outer = opbeat_core::span("load the book", "app.load");
            let query = opbeat_core::span("SELECT FROM books", "db.postgresql.query");
            query.set_extra("sql", "SELECT * FROM books WHERE id = ?");
            query.set_extra("rows", 1);
        }
        {
            let call = opbeat_core::span("GET prices.example:8443", "ext.http.reqwest");
            call.set_extra("url", "https://prices.example:8443/v1/prices");
            call.set_extra("method", "GET");
            call.set_extra("status", 503);
            call.set_extra("retries", 2);
        }
        drop(opbeat_core::span("orders", "messaging.rabbitmq.publish"));
        drop(opbeat_core::span("orders", "messaging.rabbitmq.consume"));
        drop(opbeat_core::span("wait for a connection", "db.pool.wait"));
        drop(opbeat_core::span("COMMIT", "db.mysql.transaction"));
        let call = opbeat_core::span("shop.Stock/Reserve", "ext.grpc.tonic");
        call.set_extra("error", "unavailable");
        drop(call);
        drop(opbeat_core::span("book.html", "template.askama"));
        opbeat_core::capture_error(&io::Error::other("no books"));
    }
    request.start_response(500);
    request.set_response_headers([("x-request-id", b"7".as_slice())]);
    request.complete();
}

fn call(agent: &Agent) {
    let mut call =
        HttpTransaction::begin(agent, "web.grpc", "POST", |request| request.set_line("POST", "/shop.Stock/Reserve"));
    call.set_route_name("shop.Stock/Reserve".into());
    call.set_result_names(|_| "UNAVAILABLE");
    call.end(Outcome::ServerError);
}
