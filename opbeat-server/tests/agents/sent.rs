//! The figures of the recorded bodies, computed without the server's code.

use std::collections::BTreeMap;

use serde_json::Value;

/// The transactions of one name.
#[derive(Debug, Default)]
pub(crate) struct SentTransaction {
    /// The kind, which Python's agent does not send.
    pub(crate) kind: Option<String>,
    pub(crate) results: BTreeMap<String, u64>,
    pub(crate) durations: Vec<f64>,
}

/// A transaction's spans with the same kind and signature.
#[derive(Debug, Default)]
pub(crate) struct SentSpans {
    pub(crate) count: u64,
    pub(crate) total_ms: f64,
}

/// A transaction's spans by kind and signature. The root is among them.
pub(crate) type SpansByName = BTreeMap<(String, String), SentSpans>;

/// One sampled transaction of the agents for Node and browsers.
#[derive(Debug)]
pub(crate) struct RawSample {
    pub(crate) duration: f64,
    /// Kind, signature, start and duration of each span except the root.
    pub(crate) spans: Vec<(String, String, f64, f64)>,
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Returns a result as the API shows it.
pub(crate) fn result(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Returns the transactions of bodies by their name.
pub(crate) fn sent_transactions(bodies: &[Value]) -> BTreeMap<String, SentTransaction> {
    let mut sent: BTreeMap<String, SentTransaction> = BTreeMap::new();
    for group in bodies.iter().flat_map(|body| list(&body["transactions"])) {
        let durations: Vec<f64> = list(&group["durations"]).iter().map(|duration| duration.as_f64().unwrap()).collect();
        let transaction = sent.entry(text(&group["transaction"])).or_default();
        transaction.kind = group["kind"].as_str().map(str::to_owned);
        *transaction.results.entry(result(&group["result"])).or_default() += durations.len() as u64;
        transaction.durations.extend(durations);
    }
    sent
}

/// Returns the spans of the aggregating agents by transaction: Python sends groups with the durations of all spans.
pub(crate) fn aggregated_spans(bodies: &[Value]) -> BTreeMap<String, SpansByName> {
    let mut sent: BTreeMap<String, SpansByName> = BTreeMap::new();
    for group in bodies.iter().flat_map(|body| list(&body["traces"])) {
        let spans = sent.entry(text(&group["transaction"])).or_default();
        let spans = spans.entry((text(&group["kind"]), text(&group["signature"]))).or_default();
        for pair in list(&group["durations"]) {
            spans.count += 1;
            spans.total_ms += pair[0].as_f64().unwrap();
        }
    }
    sent
}

/// Returns the self time by kind of the aggregating agents: the time of the spans without that of their direct children.
/// The rest of the transactions' time is the application's.
pub(crate) fn aggregated_breakdown(bodies: &[Value], transaction: &str) -> BTreeMap<String, SentSpans> {
    let groups = bodies.iter().flat_map(|body| list(&body["traces"]));
    let groups: Vec<&Value> = groups.filter(|group| group["transaction"] == transaction).collect();
    // The root's duration differs from the second number of its pairs, which is that of the transaction.
    let number = |group: &Value| usize::from(group["kind"] == "transaction");
    let total =
        |group: &Value| list(&group["durations"]).iter().map(|pair| pair[number(group)].as_f64().unwrap()).sum::<f64>();
    let mut parts: BTreeMap<String, SentSpans> = BTreeMap::new();
    for group in &groups {
        let mut path = list(&group["parents"]).to_vec();
        path.push(group["signature"].clone());
        let children = groups.iter().filter(|child| list(&child["parents"]) == path);
        let part = parts.entry(breakdown_kind(group["kind"].as_str().unwrap()).to_owned()).or_default();
        part.count += list(&group["durations"]).len() as u64;
        part.total_ms += total(group) - children.map(|child| total(child)).sum::<f64>();
    }
    parts
}

/// Returns the kind under which a breakdown shows spans: the root's own time is the application's.
pub(crate) fn breakdown_kind(kind: &str) -> &str {
    if kind == "transaction" { "app" } else { kind }
}

/// Returns the sampled transactions of one name.
pub(crate) fn raw_samples(bodies: &[Value], transaction: &str) -> Vec<RawSample> {
    let mut samples = Vec::new();
    for traces in bodies.iter().map(|body| &body["traces"]) {
        let group = |index: &Value| &traces["groups"][usize::try_from(index.as_u64().unwrap()).unwrap()];
        for raw in list(&traces["raw"]) {
            let raw = list(raw);
            let triples: Vec<&[Value]> = raw.iter().skip(1).map(list).filter(|triple| !triple.is_empty()).collect();
            if group(&triples[0][0])["transaction"] != transaction {
                continue;
            }
            let spans = triples.iter().filter(|triple| !list(&group(&triple[0])["parents"]).is_empty());
            let named = spans.map(|triple| {
                let group = group(&triple[0]);
                (
                    text(&group["kind"]),
                    text(&group["signature"]),
                    triple[1].as_f64().unwrap(),
                    triple[2].as_f64().unwrap(),
                )
            });
            samples.push(RawSample { duration: raw[0].as_f64().unwrap(), spans: named.collect() });
        }
    }
    samples
}
