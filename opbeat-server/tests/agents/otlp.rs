//! OpenTelemetry's SDKs for Python and Node with their stock OTLP exporters.

use std::collections::BTreeMap;
use std::process::Command;

use axum::http::StatusCode;
use serde_json::Value;

use crate::program::{node, python};
use crate::sent::{list, text};
use crate::shop::{EmptyShop, Shop};
use crate::transactions::is_close;

fn python_sdk(protocol: &str) -> Command {
    let mut command = python("otel-python", "otel-python", "shop.py");
    command.arg(protocol).env("OPBEAT_SERVICE", "shop");
    command
}

fn node_sdk(protocol: &str) -> Command {
    let mut command = node("otel-node", &["shop.js", protocol]);
    command.env("OPBEAT_SERVICE", "shop");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn protobuf_of_the_python_sdk_is_shown_as_it_was_sent() {
    over_http(python_sdk("http/protobuf"), "application/x-protobuf").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_of_the_python_sdk_is_shown_as_it_was_sent() {
    over_grpc(python_sdk("grpc")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn protobuf_of_the_node_sdk_is_shown_as_it_was_sent() {
    over_http(node_sdk("http/protobuf"), "application/x-protobuf").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_of_the_node_sdk_is_shown_as_it_was_sent() {
    over_http(node_sdk("http/json"), "application/json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_of_the_node_sdk_is_shown_as_it_was_sent() {
    over_grpc(node_sdk("grpc")).await;
}

async fn over_grpc(command: Command) {
    let shop = EmptyShop::start().await.after_unrecorded(command).await;
    shop.assert_otlp().await;
}

/// Compares what a program sent, and what is shown when it is sent again as after a lost response.
async fn over_http(command: Command, content_type: &str) {
    let shop = EmptyShop::start().await.after(command).await;
    let exchanges = shop.recorder.exchanges();
    let mut paths: Vec<&str> = exchanges.iter().map(|exchange| exchange.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths, ["/v1/logs", "/v1/metrics", "/v1/traces"]);
    for exchange in &exchanges {
        assert_eq!(exchange.header("content-type"), content_type);
        assert_eq!(exchange.status, StatusCode::OK, "{}: {}", exchange.path, exchange.answer);
        let answered = exchange.answer_headers.get("content-type").unwrap();
        assert_eq!(answered, content_type, "the answer has the encoding of the request");
    }
    shop.assert_otlp().await;
    for exchange in exchanges.iter().filter(|exchange| exchange.path == "/v1/traces") {
        assert_eq!(shop.recorder.repeat(exchange).await, StatusCode::OK);
    }
    shop.opbeat.drained().await;
    shop.assert_otlp().await;
}

impl Shop {
    /// Compares the API with the program's account. The program knows all figures: its spans have fixed times.
    async fn assert_otlp(&self) {
        assert_eq!(self.account["failures"], serde_json::json!([]), "the exporters report no failure");
        let shown = self.shown_transactions().await;
        let account = list(&self.account["transactions"]);
        let names: Vec<String> = shown.keys().cloned().collect();
        let mut expected: Vec<String> = account.iter().map(|one| text(&one["name"])).collect();
        expected.sort();
        assert_eq!(names, expected, "server and consumer spans become transactions");
        for expected in account {
            let transaction = &shown[expected["name"].as_str().unwrap()];
            if !expected["results"].is_null() {
                assert_eq!(transaction["results"], expected["results"], "{expected}");
            }
            let durations: Vec<f64> = list(&expected["durations_ms"]).iter().map(|ms| ms.as_f64().unwrap()).collect();
            assert_eq!(transaction["count"], durations.len(), "{expected}");
            assert!(is_close(&transaction["total_ms"], durations.iter().sum()), "{expected}: {transaction:#}");
            assert!(is_close(&transaction["max_ms"], durations.iter().copied().fold(0.0, f64::max)), "{expected}");
        }
        self.assert_otlp_spans(&shown).await;
        self.assert_otlp_errors().await;
    }

    async fn assert_otlp_spans(&self, shown: &BTreeMap<String, Value>) {
        let account = list(&self.account["spans"]);
        let transaction = &shown[account[0]["transaction"].as_str().unwrap()];
        let breakdown = self.breakdown(transaction).await;
        let all: f64 = breakdown.values().map(|part| part["self_ms"].as_f64().unwrap()).sum();
        assert!(is_close(&transaction["total_ms"], all), "each time is counted exactly once: {breakdown:#?}");
        let spans: u64 = account.iter().map(|span| span["count"].as_u64().unwrap()).sum();
        let parts = breakdown.iter().filter(|(kind, _)| *kind != "app");
        assert_eq!(parts.map(|(_, part)| part["count"].as_u64().unwrap()).sum::<u64>(), spans, "{breakdown:#?}");
        let samples = self.samples(transaction).await;
        assert_eq!(transaction["count"], samples.len());
        for sample in &samples {
            let mut signatures: Vec<String> =
                list(&sample["spans"]).iter().map(|span| text(&span["signature"])).collect();
            signatures.sort();
            assert_eq!(signatures, ["GET prices.example", "SELECT FROM orders", "render"], "{sample:#}");
            let depth = |signature: &str| {
                let mut spans = list(&sample["spans"]).iter();
                spans.find(|span| span["signature"] == signature).unwrap()["depth"].as_u64().unwrap()
            };
            assert_eq!(depth("GET prices.example"), depth("render") + 1, "the call is inside of `render`: {sample:#}");
            assert_eq!(depth("SELECT FROM orders"), depth("render"), "{sample:#}");
        }
    }

    async fn assert_otlp_errors(&self) {
        let answer = self.opbeat.ask("errors/").await;
        let account = list(&self.account["errors"]);
        assert_eq!(answer["total"], account.len(), "error logs and exceptions become errors: {answer:#}");
        for expected in account {
            let is_same = |group: &&Value| group["message"] == expected["message"];
            let group =
                list(&answer["errors"]).iter().find(is_same).unwrap_or_else(|| panic!("{expected}: {answer:#}"));
            assert_eq!(group["type_name"], text(&expected["type"]).as_str(), "{expected}");
            assert_eq!(group["times_seen"], expected["times"], "{expected}");
            assert_eq!(group["level"], "error", "{expected}");
            let detail = self.opbeat.ask(&format!("errors/{}/", group["number"])).await;
            let report = &detail["occurrence"]["report"];
            assert_eq!(report["machine"]["hostname"], self.account["host"], "{report:#}");
            let shown = report.to_string();
            for attribute in ["release", "environment"] {
                let value = self.account[attribute].as_str().unwrap();
                assert!(shown.contains(value), "{attribute} {value}: {report:#}");
            }
            if let Some(function) = expected["newest_function"].as_str() {
                assert!(shown.contains(function), "the stack is shown: {report:#}");
            }
        }
    }
}
