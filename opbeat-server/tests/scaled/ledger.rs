//! The bodies that were sent, each with content that can be counted.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::api::{Api, PATIENCE, pause};
use crate::deployment::Deployment;

/// The number of bodies that report the same transaction. Servers count a limited number of names.
const BODIES_PER_NAME: u64 = 8;

/// The base of the durations: each is this number to the power of the body's position, in milliseconds. The digits of
/// the sum are then the numbers of times that each body was counted.
const BASE: u64 = 8;

/// Bodies whose number is a multiple of this are errors, the others are transactions. Servers keep a limited number of errors
/// too: as many as names.
const ERROR_EVERY: u64 = 8;

/// The answer to a body.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Accepted,
    /// There was no answer. The body may have been stored, once.
    Unknown,
    Refused(StatusCode, String),
}

/// Everything that was sent, by number.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    answers: Mutex<BTreeMap<u64, Answer>>,
}

/// A body with the endpoint of the intake that it is sent to.
pub(crate) struct Body {
    pub(crate) endpoint: &'static str,
    pub(crate) json: Value,
}

impl Ledger {
    /// Returns the body with a number.
    pub(crate) fn body(number: u64) -> Body {
        if number.is_multiple_of(ERROR_EVERY) {
            let json = json!({"exception": {"type": format!("E{number}"), "value": "broken"}, "level": "error"});
            return Body { endpoint: "errors", json };
        }
        let (name, position) = (number / BODIES_PER_NAME, number % BODIES_PER_NAME);
        let duration = BASE.pow(u32::try_from(position).unwrap());
        let transaction = json!({"transaction": format!("work {name}"), "result": 200, "durations": [duration]});
        Body { endpoint: "transactions", json: json!({"transactions": [transaction], "traces": []}) }
    }

    /// Records the answer to a body.
    pub(crate) fn record(&self, number: u64, answer: reqwest::Result<(StatusCode, String)>) {
        let answer = match answer {
            Ok((StatusCode::ACCEPTED, _)) => Answer::Accepted,
            Ok((status, text)) => Answer::Refused(status, text),
            Err(_) => Answer::Unknown,
        };
        self.answers.lock().unwrap().insert(number, answer);
    }

    /// Returns the number of accepted bodies.
    pub(crate) fn accepted(&self) -> usize {
        self.answers.lock().unwrap().values().filter(|answer| **answer == Answer::Accepted).count()
    }

    /// Returns the statuses of the refused bodies.
    pub(crate) fn refused(&self) -> Vec<StatusCode> {
        let answers = self.answers.lock().unwrap();
        let refused = answers.values().filter_map(|answer| match answer {
            Answer::Refused(status, _) => Some(*status),
            _ => None,
        });
        refused.collect()
    }

    /// Checks that all bodies were accepted, apart from those whose connection broke.
    pub(crate) fn assert_none_refused(&self) {
        let answers = self.answers.lock().unwrap();
        let refused: Vec<_> = answers.iter().filter(|(_, answer)| matches!(answer, Answer::Refused(..))).collect();
        let first = &refused[..refused.len().min(3)];
        assert!(refused.is_empty(), "{} of {} bodies were refused: {first:?}", refused.len(), answers.len());
    }

    /// Checks that each accepted body is stored exactly once, and that each other one is stored once at most.
    pub(crate) async fn check(&self, deployment: &impl Deployment) {
        let answers = self.answers.lock().unwrap().clone();
        let is_accepted = |number: &u64| answers.get(number) == Some(&Answer::Accepted);
        let (mut deadline, mut least) = (Instant::now() + PATIENCE, usize::MAX);
        loop {
            let counts = counts(deployment.api(), &answers).await;
            let lost: Vec<u64> = answers.keys().copied().filter(|n| is_accepted(n) && counts[n] == 0).collect();
            if lost.is_empty() {
                break;
            }
            // After a long outage, much is waiting. It is lost if nothing of it arrives anymore.
            if lost.len() < least {
                (deadline, least) = (Instant::now() + PATIENCE, lost.len());
            }
            let first = &lost[..lost.len().min(10)];
            assert!(Instant::now() < deadline, "{} accepted bodies are not stored, such as {first:?}", lost.len());
            pause().await;
        }
        // A second copy of a body could still wait behind those that were counted.
        deployment.drained().await;
        let counts = counts(deployment.api(), &answers).await;
        let wrong: Vec<_> =
            counts.iter().filter(|(n, count)| **count > 1 || (**count == 0 && is_accepted(n))).collect();
        assert!(wrong.is_empty(), "these bodies of {} have wrong counts: {wrong:?}", answers.len());
        let kept = counts.iter().filter(|(n, count)| matches!(answers[n], Answer::Refused(..)) && **count > 0);
        assert_eq!(kept.count(), 0, "refused bodies are stored");
    }
}

/// Returns how often each body was counted.
async fn counts(api: &Api, answers: &BTreeMap<u64, Answer>) -> BTreeMap<u64, u64> {
    let mut counts: BTreeMap<u64, u64> = answers.keys().map(|number| (*number, 0)).collect();
    let app = "/api/v2/organizations/acme/apps/shop";
    for error in api.list(&format!("{app}/errors/"), "errors").await {
        let number = error["type_name"].as_str().and_then(|name| name.strip_prefix('E')?.parse().ok());
        let number =
            number.expect("an app keeps 10,000 errors, which are 80,000 bodies: choose a lower OPBEAT_LOAD_RATE");
        counts.insert(number, error["times_seen"].as_u64().unwrap());
    }
    for transaction in api.list(&format!("{app}/transactions/?range=24h"), "transactions").await {
        let name: u64 = transaction["name"].as_str().unwrap().strip_prefix("work ").unwrap().parse().unwrap();
        let mut rest = transaction["total_ms"].as_f64().unwrap() as u64;
        let mut sum = 0;
        for position in 0..BODIES_PER_NAME {
            let count = if position + 1 < BODIES_PER_NAME { rest % BASE } else { rest };
            rest /= BASE;
            sum += count;
            if count > 0 {
                counts.insert(name * BODIES_PER_NAME + position, count);
            }
        }
        assert_eq!(transaction["count"], sum, "{transaction}");
    }
    counts
}
