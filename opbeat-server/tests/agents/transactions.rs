//! Compares transactions: names, kinds, counts, results and durations.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::sent::{SentTransaction, list, result};
use crate::shop::Shop;

/// Returns whether two figures are equal but for rounding.
pub(crate) fn is_close(shown: &Value, exact: f64) -> bool {
    (shown.as_f64().unwrap() - exact).abs() <= exact.abs() * 0.001 + 0.002
}

impl Shop {
    /// Returns all transactions of the API, each by its name.
    pub(crate) async fn shown_transactions(&self) -> BTreeMap<String, Value> {
        let answer = self.opbeat.ask("transactions/?range=1h").await;
        let shown = list(&answer["transactions"]);
        assert_eq!(answer["total"], shown.len());
        let by_name: BTreeMap<String, Value> =
            shown.iter().map(|one| (one["name"].as_str().unwrap().to_owned(), one.clone())).collect();
        assert_eq!(by_name.len(), shown.len(), "each transaction is shown once: {answer:#}");
        by_name
    }

    /// Compares the API's transactions with those that were sent, and both with the program's account.
    pub(crate) async fn assert_transactions(&self, sent: &BTreeMap<String, SentTransaction>) {
        let shown = self.shown_transactions().await;
        let names: Vec<&String> = sent.keys().collect();
        assert_eq!(shown.keys().collect::<Vec<_>>(), names, "the names that were sent are shown");
        let account = list(&self.account["transactions"]);
        assert_eq!(account.len(), sent.len(), "the agent sent what the program did: {names:?}");
        for expected in account {
            let name = expected["name"].as_str().unwrap();
            let (shown, sent) = (&shown[name], &sent[name]);
            assert_eq!(shown["kind"], expected["kind"], "{name}");
            if let Some(kind) = &sent.kind {
                assert_eq!(shown["kind"], kind.as_str(), "{name}");
            }
            assert_eq!(shown["results"], results(&expected["results"]), "{name}");
            let sent_results: Map<String, Value> = sent.results.iter().map(|(k, n)| (k.clone(), (*n).into())).collect();
            assert_eq!(shown["results"], Value::Object(sent_results), "{name}");
            assert_durations(name, shown, &sent.durations);
        }
    }
}

/// Returns the results of an account as the API shows them: it has an empty text for a missing result.
fn results(account: &Value) -> Value {
    let pairs = account.as_object().unwrap().iter();
    let shown =
        pairs.map(|(key, count)| (if key == "null" { result(&Value::Null) } else { key.clone() }, count.clone()));
    Value::Object(shown.collect())
}

fn assert_durations(name: &str, shown: &Value, durations: &[f64]) {
    let mut sorted = durations.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (sum, count, max) = (sorted.iter().sum::<f64>(), sorted.len(), sorted[sorted.len() - 1]);
    assert_eq!(shown["count"], count, "{name}");
    assert!(is_close(&shown["total_ms"], sum), "{name}: {sum} ms in all: {shown:#}");
    assert!(is_close(&shown["average_ms"], sum / count as f64), "{name}: {shown:#}");
    assert!(is_close(&shown["max_ms"], max), "{name}: at most {max} ms: {shown:#}");
    let within_1_percent = |shown: &Value, exact: f64| (shown.as_f64().unwrap() - exact).abs() <= exact * 0.011 + 0.002;
    assert!(within_1_percent(&shown["p50_ms"], sorted[(count - 1) / 2]), "{name}: {durations:?}: {shown:#}");
    assert!(within_1_percent(&shown["p99_ms"], max), "{name}: {durations:?}: {shown:#}");
}
