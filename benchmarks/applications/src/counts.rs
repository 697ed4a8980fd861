//! The transactions that the scripted server received.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use opbeat_testing::ScriptedServer;
use serde_json::Value as Json;

use crate::application::Application;
use crate::http::Answer;

/// The time in which all transactions must arrive.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The time in which further transactions may arrive: several intervals between deliveries, of 50 ms each.
const REST: Duration = Duration::from_millis(300);

/// The number of transactions for each name and result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<(String, String), usize>);

impl Counts {
    /// Returns the counts that the answers to an application's requests must lead to.
    pub fn expected(application: &Application, answers: &[Answer]) -> Self {
        let mut counts = Self::default();
        for (request, answer) in application.requests.iter().zip(answers) {
            let result = request.result.map_or_else(|| answer.status.to_string(), str::to_owned);
            counts.add(request.transaction(), result, 1);
        }
        counts
    }

    /// Waits until a server has received a number of transactions. Then waits for transactions beyond that number.
    pub fn received(server: &ScriptedServer, number: usize) -> Self {
        let deadline = Instant::now() + TIMEOUT;
        while Self::of(server).total() < number && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(REST);
        Self::of(server)
    }

    fn of(server: &ScriptedServer) -> Self {
        let mut counts = Self::default();
        for request in server.requests() {
            for group in request.body["transactions"].as_array().into_iter().flatten() {
                let durations = group["durations"].as_array().map_or(0, Vec::len);
                counts.add(text(&group["transaction"]), text(&group["result"]), durations);
            }
        }
        counts
    }

    pub fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// Returns the number of transactions for each name, such as `2 GET /, 1 GET unmatched`.
    pub fn by_name(&self) -> String {
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for ((name, _), number) in &self.0 {
            *names.entry(name).or_default() += number;
        }
        names.iter().map(|(name, number)| format!("{number} {name}")).collect::<Vec<_>>().join(", ")
    }

    /// Returns the names and results whose numbers differ from the expected ones.
    pub fn differences(&self, expected: &Self) -> Vec<String> {
        let keys: BTreeSet<_> = self.0.keys().chain(expected.0.keys()).collect();
        let numbers = keys.into_iter().map(|key| (key, self.number(key), expected.number(key)));
        let differing = numbers.filter(|(_, counted, expected)| counted != expected);
        let describe = |((name, result), counted, expected): (&(String, String), usize, usize)| {
            format!("{name} with the result {result} is counted {counted} times instead of {expected}")
        };
        differing.map(describe).collect()
    }

    fn number(&self, key: &(String, String)) -> usize {
        self.0.get(key).copied().unwrap_or(0)
    }

    fn add(&mut self, name: String, result: String, number: usize) {
        *self.0.entry((name, result)).or_default() += number;
    }
}

/// Returns a string of the body without its quotes.
fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
