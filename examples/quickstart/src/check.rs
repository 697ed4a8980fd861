//! The check that every request is counted exactly once.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::BoxError;
use crate::ledger::{Entries, Ledger};
use crate::monitor::{APPS, Monitor, ORGANIZATION};

/// The time within which the last delivery must appear in the API.
const PATIENCE: Duration = Duration::from_secs(60);

/// The counts of all apps, read from the API.
struct Counted {
    entries: Entries,
    percentiles: Map<String, Value>,
}

#[derive(Deserialize)]
struct TransactionList {
    transactions: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    name: String,
    count: u64,
    average_ms: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
}

#[derive(Deserialize)]
struct ErrorList {
    errors: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    type_name: String,
    times_seen: u64,
}

/// Reads the API until its counts equal the sent ones, and prints a summary. Fails with the differences after a minute.
#[expect(clippy::print_stdout, reason = "the program's output")]
pub(crate) async fn run(monitor: Monitor, ledger: &Ledger) -> Result<ExitCode, BoxError> {
    monitor.flush().await?;
    let token = monitor.read_token().await?;
    let sent = ledger.entries();
    let deadline = Instant::now() + PATIENCE;
    let counted = loop {
        let counted = read(&monitor.url(), &token).await?;
        if counted.entries == sent || Instant::now() > deadline {
            break counted;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let differences = differences(&sent, &counted.entries);
    let requests: u64 = sent.transactions.values().flat_map(BTreeMap::values).sum();
    let summary = json!({
        "requests_sent": requests,
        "transactions": counted.entries.transactions,
        "errors": counted.entries.errors,
        "durations": counted.percentiles,
        "differences": differences,
    });
    println!("{}", serde_json::to_string_pretty(&summary)?);
    monitor.stop().await;
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn read(server: &str, token: &str) -> Result<Counted, BoxError> {
    let client = reqwest::Client::new();
    let mut counted = Counted { entries: Entries::default(), percentiles: Map::new() };
    for app in APPS {
        let base = format!("{server}/api/v2/organizations/{ORGANIZATION}/apps/{app}");
        let get = |url: String| client.get(url).bearer_auth(token).send();
        let list: TransactionList =
            get(format!("{base}/transactions/?range=1h")).await?.error_for_status()?.json().await?;
        for transaction in list.transactions {
            counted.add(app, &transaction);
        }
        let list: ErrorList = get(format!("{base}/errors/")).await?.error_for_status()?.json().await?;
        for group in list.errors {
            let errors = counted.entries.errors.entry(app.to_owned()).or_default();
            *errors.entry(group.type_name).or_default() += group.times_seen;
        }
    }
    Ok(counted)
}

impl Counted {
    fn add(&mut self, app: &str, transaction: &Transaction) {
        let transactions = self.entries.transactions.entry(app.to_owned()).or_default();
        transactions.insert(transaction.name.clone(), transaction.count);
        let round = |ms: f64| (ms * 1_000.0).round() / 1_000.0;
        let durations = json!({
            "average_ms": round(transaction.average_ms),
            "p50_ms": round(transaction.p50_ms),
            "p95_ms": round(transaction.p95_ms),
            "p99_ms": round(transaction.p99_ms),
        });
        self.percentiles.insert(format!("{app}: {}", transaction.name), durations);
    }
}

/// Returns a line for each count that is too low or too high.
fn differences(sent: &Entries, counted: &Entries) -> Vec<String> {
    let transactions = compare("transactions", &sent.transactions, &counted.transactions);
    transactions.into_iter().chain(compare("errors", &sent.errors, &counted.errors)).collect()
}

type Counts = BTreeMap<String, BTreeMap<String, u64>>;

fn compare(what: &str, sent: &Counts, counted: &Counts) -> Vec<String> {
    let keys = |counts: &Counts| -> Vec<(String, String)> {
        counts.iter().flat_map(|(app, names)| names.keys().map(|name| (app.clone(), name.clone()))).collect()
    };
    let mut all = keys(sent);
    all.extend(keys(counted));
    all.sort_unstable();
    all.dedup();
    let number = |counts: &Counts, (app, name): &(String, String)| {
        counts.get(app).and_then(|names| names.get(name)).copied().unwrap_or(0)
    };
    let difference = |key: &(String, String)| {
        let (sent, counted) = (number(sent, key), number(counted, key));
        (sent != counted).then(|| format!("{what} of {}: {}: {sent} sent, {counted} counted", key.0, key.1))
    };
    all.iter().filter_map(difference).collect()
}
