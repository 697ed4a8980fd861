//! OpenTelemetry's types for JavaScript.

use std::fmt::Write;
use std::process::Command;

use serde_json::Value as Json;

use crate::program::{Program, installed, sources};
use crate::shop::{TRACE, exporter, run};

#[test]
fn protobuf_is_read_and_its_names_are_known() {
    let mut command = Command::new("node");
    command.arg(sources().join("node/receive.js")).env("NODE_PATH", installed("node").join("node_modules"));
    let program = Program::start(command);
    run(vec![exporter(&program.url(), &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")])]);
    let accounts: Vec<Json> = (0..3).map(|_| program.account()).collect();
    let mut lines = Vec::new();
    for account in &accounts {
        assert!(account["error"].is_null(), "{account}");
        let unknown = account["unknown"].as_array().unwrap();
        assert!(unknown.iter().all(|name| name.as_str().unwrap().starts_with("opbeat.")), "{unknown:?}");
        for span in account["spans"].as_array().unwrap() {
            lines.push(format!("span {} {} {}", span["kind"], span["name"], span["events"]));
            if span["name"] == "shop.queued" {
                assert_eq!(span["ids"][0], TRACE[3..35], "the job continues the trace");
            }
        }
        lines.extend(
            account["points"].as_array().unwrap().iter().map(|point| format!("{} {}", point["metric"], point["count"])),
        );
        lines.extend(account["records"].as_array().unwrap().iter().map(|record| format!("record {record}")));
    }
    lines.sort();
    let shown = lines.iter().fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").unwrap();
        text
    });
    insta::assert_snapshot!(shown, @r#"
    "http.server.request.duration" 1
    "opbeat.job.duration" 1
    "opbeat.job.duration" 1
    "rpc.server.call.duration" 1
    record "Error: no disk"
    record "little memory"
    span 1 "book.html" []
    span 1 "load the book" []
    span 1 "shop.mail" []
    span 1 "wait for a connection" []
    span 2 "GET /books/{id}" ["exception"]
    span 2 "shop.Stock/Reserve" ["exception"]
    span 3 "COMMIT" []
    span 3 "GET prices.example:8443" []
    span 3 "SELECT books" []
    span 3 "shop.Stock/Reserve" []
    span 4 "orders" []
    span 5 "orders" []
    span 5 "shop.queued" []
    "#);
}
