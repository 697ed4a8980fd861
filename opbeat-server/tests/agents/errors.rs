//! Compares errors: type, message, culprit, level, request, user, extra values and frames.

use axum::http::Method;
use serde_json::{Map, Value};

use crate::recorder::Exchange;
use crate::sent::{list, text};
use crate::shop::Shop;

/// A secret that the programs put into requests and variables.
const SECRET: &str = "correct-horse";

/// An error as the API shows it: its group, and one of its occurrences.
struct Shown {
    group: Value,
    report: Value,
}

/// The agent that sent an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agent {
    Python,
    Node,
    Browser,
}

impl Shop {
    /// Compares each error that was sent with the API, and the groups with the program's account.
    pub(crate) async fn assert_errors(&self, agent: Agent, endpoint: &str) {
        let sent = self.recorder.bodies(endpoint);
        let shown = self.shown_errors().await;
        assert_eq!(shown.len(), sent.len(), "each error is kept");
        for body in &sent {
            let is_same = |shown: &&Shown| id(agent, &shown.report) == id(agent, body);
            let same: Vec<&Shown> = shown.iter().filter(is_same).collect();
            assert_eq!(same.len(), 1, "one occurrence has the id of {body:#}");
            assert_report(agent, &same[0].report, body);
            if agent != Agent::Browser {
                let found = self.opbeat.ask(&format!("errors/by-id/{}/", id(agent, body))).await;
                assert_eq!(id(agent, &found["occurrence"]["report"]), id(agent, body), "an error is found by its id");
            }
        }
        self.assert_locations(agent, endpoint);
        self.assert_groups(&shown);
    }

    /// Compares the addresses of the responses, which the agents log: each leads to its error.
    fn assert_locations(&self, agent: Agent, endpoint: &str) {
        let is_error = |exchange: &&Exchange| exchange.method == Method::POST && exchange.endpoint() == endpoint;
        for exchange in self.recorder.exchanges().iter().filter(is_error) {
            let location = exchange.answer_headers.get("location").expect("an accepted error has a location");
            let location = location.to_str().unwrap();
            assert!(location.contains("/acme/shop/errors/by-id/"), "{location}");
            if agent != Agent::Browser {
                assert!(location.ends_with(&id(agent, &exchange.json())), "{location}");
            }
        }
    }

    /// Returns all occurrences of all groups.
    async fn shown_errors(&self) -> Vec<Shown> {
        let answer = self.opbeat.ask("errors/").await;
        let groups = list(&answer["errors"]);
        assert_eq!(answer["total"], groups.len());
        let mut shown = Vec::new();
        for group in groups {
            let path = format!("errors/{}/", group["number"]);
            let detail = self.opbeat.ask(&path).await;
            let occurrences = list(&detail["occurrences"]);
            assert_eq!(group["times_seen"], occurrences.len(), "{group:#}");
            for occurrence in occurrences {
                let one = self.opbeat.ask(&format!("{path}occurrences/{}/", occurrence["id"])).await;
                assert!(!one.to_string().contains(SECRET), "a secret is shown: {one:#}");
                shown.push(Shown { group: group.clone(), report: one["occurrence"]["report"].clone() });
            }
        }
        shown
    }

    /// Compares the groups with the account: each entry is one group.
    fn assert_groups(&self, shown: &[Shown]) {
        let account = list(&self.account["errors"]);
        let numbers: std::collections::BTreeSet<i64> =
            shown.iter().map(|error| error.group["number"].as_i64().unwrap()).collect();
        assert_eq!(numbers.len(), account.len(), "each kind of error is one group");
        for expected in account {
            let type_name = text(&expected["type"]);
            let is_same = |error: &&Shown| {
                let has_message = expected["message"].is_null() || error.group["message"] == expected["message"];
                error.group["type_name"] == type_name.as_str() && has_message
            };
            let same: Vec<&Shown> = shown.iter().filter(is_same).collect();
            assert!(!same.is_empty(), "no group shows {expected}");
            assert_eq!(same.len() as u64, expected["times"].as_u64().unwrap(), "{expected}");
            for field in ["culprit", "level"] {
                if !expected[field].is_null() {
                    assert_eq!(same[0].group[field], expected[field], "{expected}");
                }
            }
            if let Some(id) = expected["id"].as_str() {
                assert!(same.iter().any(|error| error.report["client_supplied_id"] == id), "{expected}");
            }
            if let Some(function) = expected["newest_function"].as_str() {
                let frames = list(&same[0].report["stacktrace"]["frames"]);
                let newest = frames.last().unwrap_or_else(|| panic!("{expected} has no frames"));
                assert_eq!(newest["function"], function, "the newest call is last: {expected}");
                assert_eq!(newest["in_app"], true, "{expected}");
            }
        }
    }
}

/// Returns the id that the agent gave an error.
fn id(agent: Agent, report: &Value) -> String {
    match agent {
        Agent::Python => text(&report["client_supplied_id"]),
        Agent::Node => text(&report["extra"]["uuid"]),
        // These agents give none, and the program raises each error once.
        Agent::Browser => text(&report["exception"]["value"]),
    }
}

/// Compares one error with its body.
fn assert_report(agent: Agent, shown: &Value, sent: &Value) {
    let message = &sent["message"];
    for field in ["culprit", "level", "logger", "user", "extra", "param_message", "template", "query"] {
        if !sent[field].is_null() {
            assert_eq!(without_empty(&shown[field]), without_empty(&sent[field]), "{field} of {message}");
        }
    }
    for field in ["type", "value", "module"] {
        if !sent["exception"][field].is_null() {
            assert_eq!(shown["exception"][field], sent["exception"][field], "{field} of {message}");
        }
    }
    assert_eq!(text(&shown["machine"]["hostname"]), text(&sent["machine"]["hostname"]), "{message}");
    for field in ["method", "url", "query_string", "env"] {
        if !sent["http"][field].is_null() {
            assert_eq!(shown["http"][field], sent["http"][field], "{field} of {message}");
        }
    }
    if sent["stacktrace"].is_object() {
        assert_frames(agent, shown, sent);
    }
}

/// Returns an object without the members that are empty: the API leaves them out.
fn without_empty(value: &Value) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let is_empty = |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
    let kept = members.iter().filter(|(_, value)| !is_empty(value));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Compares the frames: the newest call is last, the agent's own calls are left out.
fn assert_frames(agent: Agent, shown: &Value, sent: &Value) {
    let message = &sent["message"];
    let mut expected: Vec<&Value> = list(&sent["stacktrace"]["frames"]).iter().collect();
    // Python's agent sends the stack of a log record newest first, and that of an exception oldest first.
    if agent == Agent::Python && !sent["exception"].is_object() {
        expected.reverse();
    }
    let is_agents = |frame: &Value| text(&frame["module"]).starts_with("opbeat.");
    expected.retain(|frame| !is_agents(frame));
    let call = |frame: &Value| (text(&frame["filename"]), text(&frame["function"]), frame["lineno"].as_i64());
    let shown = list(&shown["stacktrace"]["frames"]);
    let shown_calls: Vec<_> = shown.iter().map(call).collect();
    let expected_calls: Vec<_> = expected.iter().map(|frame| call(frame)).collect();
    assert_eq!(shown_calls, expected_calls, "frames of {message}");
    for (shown, sent) in shown.iter().zip(expected) {
        let path = text(&sent["abs_path"]);
        // Python's agent does not say which frames are the application's own.
        let is_library = ["/site-packages/", "/lib/python3"].iter().any(|part| path.contains(part));
        let in_app = if agent == Agent::Python { (!is_library).into() } else { sent["in_app"].clone() };
        assert_eq!(shown["in_app"], in_app, "{message}: {}", call(sent).0);
        for field in ["context_line", "colno"] {
            if !sent[field].is_null() {
                assert_eq!(shown[field], sent[field], "{field} of {message}");
            }
        }
    }
}
