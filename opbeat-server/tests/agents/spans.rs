//! Compares spans: in the breakdown of each transaction, and in its samples.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sent::{RawSample, SentSpans, SpansByName, aggregated_breakdown, breakdown_kind, list, raw_samples, text};
use crate::shop::Shop;
use crate::transactions::is_close;

impl Shop {
    /// Compares the spans of an aggregating agent: the account, the bodies, the breakdown and the sample of means.
    pub(crate) async fn assert_aggregated(&self, sent: &BTreeMap<String, SpansByName>, bodies: &[Value]) {
        for expected in list(&self.account["spans"]) {
            let spans = &sent[expected["transaction"].as_str().unwrap()];
            let name = (text(&expected["kind"]), text(&expected["signature"]));
            assert_eq!(spans[&name].count, expected["count"].as_u64().unwrap(), "{expected}");
        }
        for (name, transaction) in self.shown_transactions().await {
            let shown = self.breakdown(&transaction).await;
            let exact = aggregated_breakdown(bodies, &name);
            assert_eq!(shown.keys().collect::<Vec<_>>(), exact.keys().collect::<Vec<_>>(), "{name}");
            for (kind, SentSpans { count, total_ms }) in &exact {
                assert_eq!(shown[kind]["count"], *count, "{name}: {kind}");
                assert!(is_close(&shown[kind]["self_ms"], *total_ms), "{name}: {kind}: {total_ms}: {shown:#?}");
            }
            let samples = self.samples(&transaction).await;
            assert_eq!(samples.len(), 1, "{name}: the agent sends no single transactions");
            let sample = &samples[0];
            assert_eq!(sample["is_aggregate"], true, "{name}");
            let shown: BTreeSet<(String, String)> = names(list(&sample["spans"])).collect();
            let expected: BTreeSet<_> = sent[&name].keys().filter(|(kind, _)| kind != "transaction").cloned().collect();
            assert_eq!(shown, expected, "{name}");
        }
    }

    /// Compares the sampled transactions of a sampling agent: each is shown with its own spans.
    pub(crate) async fn assert_sampled(&self, bodies: &[Value]) {
        for (name, transaction) in self.shown_transactions().await {
            let sent = raw_samples(bodies, &name);
            let shown = self.samples(&transaction).await;
            assert_eq!(shown.len(), sent.len(), "{name}");
            for sample in &sent {
                let same = shown.iter().find(|shown| is_close(&shown["duration_ms"], sample.duration));
                let same = same.unwrap_or_else(|| panic!("{name}: no sample of {} ms: {shown:#?}", sample.duration));
                assert_spans(&name, same, sample);
            }
            let breakdown = self.breakdown(&transaction).await;
            let all: f64 = breakdown.values().map(|part| part["self_ms"].as_f64().unwrap()).sum();
            let total = transaction["total_ms"].as_f64().unwrap();
            assert!((all - total).abs() <= total * 0.01, "{name}: samples stand for all: {all} of {total} ms");
            let kinds: BTreeSet<String> = breakdown.into_keys().collect();
            let spans = sent.iter().flat_map(|sample| &sample.spans);
            let mut expected: BTreeSet<String> = spans.map(|(kind, ..)| breakdown_kind(kind).to_owned()).collect();
            expected.insert("app".to_owned());
            assert_eq!(kinds, expected, "{name}");
        }
    }

    /// Returns the parts of a transaction's time by kind.
    pub(crate) async fn breakdown(&self, transaction: &Value) -> BTreeMap<String, Value> {
        let parts = self.opbeat.ask(&format!("transactions/{}/breakdown/?range=1h", transaction["id"])).await;
        list(&parts).iter().map(|part| (text(&part["kind"]), part.clone())).collect()
    }

    /// Returns all samples of a transaction, with their spans.
    pub(crate) async fn samples(&self, transaction: &Value) -> Vec<Value> {
        let path = format!("transactions/{}/samples/", transaction["id"]);
        let mut samples = Vec::new();
        for summary in list(&self.opbeat.ask(&format!("{path}?range=1h")).await) {
            samples.push(self.opbeat.ask(&format!("{path}{}/", summary["id"])).await);
        }
        samples
    }
}

/// Returns kind and signature of the shown spans.
fn names(spans: &[Value]) -> impl Iterator<Item = (String, String)> {
    spans.iter().map(|span| (text(&span["kind"]), text(&span["signature"])))
}

/// Compares the spans of one sampled transaction: names, starts and durations.
fn assert_spans(transaction: &str, shown: &Value, sent: &RawSample) {
    let shown = list(&shown["spans"]);
    let mut shown_names: Vec<_> = names(shown).collect();
    let mut expected: Vec<_> =
        sent.spans.iter().map(|(kind, signature, ..)| (kind.clone(), signature.clone())).collect();
    shown_names.sort();
    expected.sort();
    assert_eq!(shown_names, expected, "{transaction}");
    for (kind, signature, start, duration) in &sent.spans {
        let is_same = |span: &&Value| {
            let has_name = span["kind"] == kind.as_str() && span["signature"] == signature.as_str();
            has_name && is_close(&span["start_ms"], *start) && is_close(&span["duration_ms"], *duration)
        };
        assert!(shown.iter().any(|span| is_same(&span)), "{transaction}: {signature}: {start}, {duration}: {shown:#?}");
    }
}
