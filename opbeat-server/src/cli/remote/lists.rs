//! The commands `opbeat transactions`, `opbeat errors` and `opbeat findings`.

use std::error::Error;

use clap::Args;
use form_urlencoded::Serializer;
use serde_json::Value;

use super::client::{Reader, segment};
use super::table::{Column, ago, duration, json, print, text};
use crate::cli::names::{Names, parse_names};
use crate::dashboard::format;

/// Lists the transactions of an app, those with the greatest share of the time first.
#[derive(Debug, Args)]
pub(crate) struct Transactions {
    /// The names of the organization and the app, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    app: Names,
    /// The time until now: `15m`, `1h`, `6h`, `24h`, `7d` or `30d`.
    #[arg(long, default_value = "24h")]
    range: String,
    /// The largest number of transactions, at most 200.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    reader: Reader,
}

/// Lists the errors of an app, open ones first.
#[derive(Debug, Args)]
pub(crate) struct Errors {
    /// The names of the organization and the app, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    app: Names,
    /// Only those of a status: `open`, `regressed`, `resolved` or `muted`.
    #[arg(long)]
    status: Option<String>,
    /// Only those with this text in their type, message, culprit or level.
    #[arg(long)]
    search: Option<String>,
    /// The order: `last_seen`, `times_seen` or `users`.
    #[arg(long, default_value = "last_seen")]
    order: String,
    /// The largest number of errors, at most 200.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    reader: Reader,
}

/// Lists the transactions of an app that became slower, with the release and the reason.
#[derive(Debug, Args)]
pub(crate) struct Findings {
    /// The names of the organization and the app, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    app: Names,
    #[command(flatten)]
    reader: Reader,
}

// Headings in lower case are those of numbers.
const TRANSACTIONS: [Column; 8] = [
    ("impact", |row| format::share(row["impact"].as_f64().unwrap_or(0.0))),
    ("average", |row| duration(row, "average_ms")),
    ("p50", |row| duration(row, "p50_ms")),
    ("p95", |row| duration(row, "p95_ms")),
    ("p99", |row| duration(row, "p99_ms")),
    ("rate", |row| format::per_minute(row["per_minute"].as_f64().unwrap_or(0.0))),
    ("failed", |row| {
        let [failed, count] = ["failed", "count"].map(|field| row[field].as_f64().unwrap_or(0.0));
        format::share(failed / count.max(1.0))
    }),
    ("TRANSACTION", |row| text(row, "name")),
];

const ERRORS: [Column; 7] = [
    ("number", |row| format!("E#{}", row["number"])),
    ("times", |row| format::count(row["times_seen"].as_u64().unwrap_or(0))),
    ("users", users),
    ("last seen", |row| ago(row, "last_seen")),
    ("STATUS", |row| if row["regressed_at"].is_null() { text(row, "status") } else { "regressed".to_owned() }),
    ("CULPRIT", |row| text(row, "culprit")),
    ("ERROR", title),
];

const FINDINGS: [Column; 3] = [
    ("release", |row| row["release"].as_i64().map_or_else(|| "none".to_owned(), |number| format!("R#{number}"))),
    ("found", |row| ago(row, "found_at")),
    ("FINDING", |row| text(row, "sentence")),
];

/// Returns the number of users of an error. Servers before this figure send none.
fn users(row: &Value) -> String {
    row["users"].as_i64().map_or_else(String::new, |users| format::users(users, row["has_more_users"] == true))
}

/// Returns the type and the message of an error.
pub(super) fn title(row: &Value) -> String {
    let (kind, message) = (text(row, "type_name"), text(row, "message"));
    if kind.is_empty() { message } else { format!("{kind}: {message}") }
}

impl Names {
    /// Returns a path of the API below the app.
    pub(super) fn path(&self, below: &str) -> String {
        format!("/api/v2/organizations/{}/apps/{}/{below}", segment(&self.organization), segment(&self.app))
    }
}

impl Transactions {
    pub(in crate::cli) async fn run(self) -> Result<(), Box<dyn Error>> {
        let mut query = Serializer::new(String::new());
        query.append_pair("range", &self.range).append_pair("limit", &self.limit.to_string());
        let list = self.reader.get(&self.app.path(&format!("transactions/?{}", query.finish()))).await?;
        let nothing = format!("Nothing ran in the last {}.", self.range);
        show(&self.reader, &list, "transactions", &TRANSACTIONS, &nothing)
    }
}

impl Errors {
    pub(in crate::cli) async fn run(self) -> Result<(), Box<dyn Error>> {
        let mut query = Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string()).append_pair("order", &self.order);
        for (name, value) in [("status", &self.status), ("search", &self.search)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        let list = self.reader.get(&self.app.path(&format!("errors/?{}", query.finish()))).await?;
        let is_all = self.status.is_none() && self.search.is_none();
        show(&self.reader, &list, "errors", &ERRORS, if is_all { "No errors." } else { "No errors match." })
    }
}

impl Findings {
    pub(in crate::cli) async fn run(self) -> Result<(), Box<dyn Error>> {
        let list = self.reader.get(&self.app.path("findings/")).await?;
        show(&self.reader, &list, "findings", &FINDINGS, "No transaction became slower.")
    }
}

/// Prints a list of the API.
pub(super) fn show(
    reader: &Reader,
    list: &Value,
    field: &str,
    columns: &[Column],
    nothing: &str,
) -> Result<(), Box<dyn Error>> {
    if reader.json {
        return json(list);
    }
    let rows = list[field].as_array().map(Vec::as_slice).unwrap_or_default();
    print(rows, columns, list["total"].as_u64().unwrap_or(0), nothing)
}
