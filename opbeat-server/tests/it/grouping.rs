//! Grouping: errors shaped like those in public issue trackers, in the groups in which a developer expects them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde_json::Value;

use crate::running::Running;

/// The highest share of pairs that may be wrong.
const MAX_WRONG: f64 = 0.02;

/// An error with the group in which a developer expects it.
struct Labelled {
    label: String,
    body: Value,
}

fn corpus() -> Vec<Labelled> {
    let folder = format!("{}/tests/fixtures/grouping", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut corpus = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let groups: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for group in groups {
            let label = format!("{name}: {}", group["group"].as_str().unwrap());
            for body in group["errors"].as_array().unwrap() {
                corpus.push(Labelled { label: label.clone(), body: body.clone() });
            }
        }
    }
    corpus
}

/// Posts all errors, and returns the number of each one's group.
async fn groups(corpus: &[Labelled]) -> Vec<i64> {
    let running = Running::start().await;
    let now = Timestamp::now();
    for (number, error) in corpus.iter().enumerate() {
        let mut body = error.body.clone();
        body["client_supplied_id"] = number.to_string().into();
        // Seconds apart, since a few occurrences of one second are kept only.
        body["timestamp"] = (now - SignedDuration::from_secs(2 * number as i64)).to_string().into();
        assert_eq!(running.post("errors", body.to_string()).await.status(), StatusCode::ACCEPTED, "{body}");
    }
    running.drained().await;
    let mut groups = Vec::new();
    for number in 0..corpus.len() {
        groups.push(running.ask(&format!("errors/by-id/{number}/")).await["number"].as_i64().unwrap());
    }
    groups
}

#[tokio::test]
async fn errors_are_grouped_as_a_developer_expects() {
    let corpus = corpus();
    assert!(corpus.len() >= 400, "{}", corpus.len());
    let groups = groups(&corpus).await;
    let (mut expected, mut split) = (0, BTreeMap::new());
    let (mut found, mut merged) = (0, BTreeMap::new());
    for (at, (one, group)) in corpus.iter().zip(&groups).enumerate() {
        for (other, other_group) in corpus.iter().zip(&groups).skip(at + 1) {
            let (is_expected, is_found) = (one.label == other.label, group == other_group);
            expected += usize::from(is_expected);
            found += usize::from(is_found);
            let pair = || format!("{} | {}", one.body["message"], other.body["message"]);
            if is_expected && !is_found {
                split.entry(one.label.clone()).or_insert_with(Vec::new).push(pair());
            }
            if is_found && !is_expected {
                merged.entry(format!("{} + {}", one.label, other.label)).or_insert_with(Vec::new).push(pair());
            }
        }
    }
    let count = |wrong: &BTreeMap<String, Vec<String>>| wrong.values().map(Vec::len).sum::<usize>();
    // Each share is of the pairs that are together: nearly all pairs of errors have nothing in common.
    let (split_share, merged_share) = (count(&split) as f64 / expected as f64, count(&merged) as f64 / found as f64);
    assert!(
        split_share <= MAX_WRONG && merged_share <= MAX_WRONG,
        "split wrongly: {split_share:.4} of {expected} pairs\n{split:#?}\nmerged wrongly: {merged_share:.4} of {found} pairs\n{merged:#?}"
    );
}
