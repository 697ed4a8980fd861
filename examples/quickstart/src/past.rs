//! The past of the shop: a simulated day with two releases, of which the second made the search slower.
//!
//! It is reported with the times of the past, as an agent does after an outage of the network.

use jiff::{SignedDuration, Timestamp};
use opbeat_server::AppCredentials;
use serde_json::{Value, json};

use crate::BoxError;
use crate::code::slower_line;

/// The hours before the start at which the releases were completed.
const RELEASED: [i64; 2] = [28, 5];

/// The length of a body, in hours.
const HOURS_OF_BODY: i64 = 1;

/// A transaction of the past.
struct Past {
    name: &'static str,
    /// The number for each request to the start page.
    share: usize,
    /// The typical time in its own code, and in queries, in milliseconds.
    typical: (f64, f64),
    /// The number of queries.
    queries: u64,
}

const TRANSACTIONS: [Past; 6] = [
    Past { name: "GET /", share: 1, typical: (0.6, 0.5), queries: 1 },
    Past { name: "GET /books/{id}", share: 4, typical: (3.5, 0.4), queries: 1 },
    Past { name: "GET /books/{id}/cover", share: 1, typical: (2.2, 0.0), queries: 0 },
    Past { name: "POST /orders", share: 1, typical: (0.5, 0.6), queries: 1 },
    Past { name: "GET /search", share: 1, typical: (3.0, 5.0), queries: 9 },
    Past { name: "GET /recommendations", share: 1, typical: (0.3, 0.0), queries: 0 },
];

/// The transaction that the second release made slower, by a span of this kind, which takes these milliseconds.
const SLOWER: (&str, &str, f64) = ("GET /search", "code.rank", 42.0);

/// The detail of the past.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Detail {
    /// The minutes between two simulated minutes.
    pub(crate) step: i64,
    /// The number of requests to the start page in a simulated minute.
    pub(crate) requests: usize,
    /// The minutes before the start that are left empty.
    pub(crate) gap: i64,
}

/// Returns the times at which both releases were completed, for a program that starts now.
pub(crate) fn releases(now: Timestamp) -> [Timestamp; 2] {
    RELEASED.map(|hours| now - SignedDuration::from_hours(hours))
}

/// Reports the past of an app, whose releases have these revisions.
pub(crate) async fn report(
    app: &AppCredentials,
    now: Timestamp,
    revisions: &[String; 2],
    detail: Detail,
) -> Result<(), BoxError> {
    let intake = Intake::of(app);
    let released = releases(now);
    for (rev, time) in revisions.iter().zip(released) {
        let body = json!({"rev": rev, "branch": "main", "status": "completed", "timestamp": time.to_string()});
        intake.post("releases", &body).await?;
    }
    let minute = |time: Timestamp| time.as_second().div_euclid(60);
    let (first, last) = (minute(released[0]), minute(now) - detail.gap);
    let mut random = fastrand::Rng::with_seed(8);
    let minutes: Vec<i64> = (first..last).step_by(detail.step.unsigned_abs() as usize).collect();
    for of_body in minutes.chunk_by(|a, b| a.div_euclid(60 * HOURS_OF_BODY) == b.div_euclid(60 * HOURS_OF_BODY)) {
        let (mut groups, mut breakdown) = (Vec::new(), Vec::new());
        for at in of_body {
            let is_slower = *at >= minute(released[1]);
            for past in &TRANSACTIONS {
                past.simulate(*at, is_slower, detail.requests, &mut random, (&mut groups, &mut breakdown));
            }
        }
        intake.post("transactions", &json!({"transactions": groups, "traces": [], "breakdown": breakdown})).await?;
    }
    intake.post("transactions", &json!({"transactions": [], "traces": slow_sample(released[1])})).await
}

/// Returns a sample of the slower transaction, soon after a release. Its span has the line that starts it.
fn slow_sample(released: Timestamp) -> Value {
    let (name, kind, by) = SLOWER;
    let timestamp = (released + SignedDuration::from_mins(10)).to_string();
    let (filename, lineno) = slower_line();
    let frame = json!({"filename": filename, "lineno": lineno, "function": "shop::books::search", "in_app": true});
    let group = |signature: &str, kind: &str, parents: Value, extra: Value| {
        json!({"transaction": name, "transaction_kind": "web.axum", "timestamp": timestamp, "signature": signature,
            "kind": kind, "parents": parents, "extra": extra})
    };
    json!({
        "groups": [
            group("transaction", "transaction", json!([]), json!({})),
            group("rank", kind, json!(["transaction"]), json!({"_frames": [frame]})),
        ],
        "raw": [[by + 9.0, [0, 0.0, by + 9.0], [1, 6.0, by, {"count": 8, "total_ms": by}], {"result": 200}]],
    })
}

impl Past {
    /// Adds the durations of a minute, and the time by kind of span.
    fn simulate(
        &self,
        minute: i64,
        is_slower: bool,
        requests: usize,
        random: &mut fastrand::Rng,
        (groups, breakdown): (&mut Vec<Value>, &mut Vec<Value>),
    ) {
        let timestamp = minute * 60;
        let (slower, kind, by) = SLOWER;
        let by = if is_slower && self.name == slower { by } else { 0.0 };
        // Most requests take about as long, and a few take much longer.
        let mut around = |typical: f64| typical * (0.8 + 0.3 * random.f64() + 0.05 / (0.02 + random.f64()));
        let (mut own_ms, mut queries_ms, mut added_ms) = (0.0, 0.0, 0.0);
        let mut durations = Vec::new();
        for _ in 0..requests * self.share {
            let (own, queries, added) = (around(self.typical.0), around(self.typical.1), around(by));
            durations.push(((own + queries + added) * 1_000.0).round() / 1_000.0);
            own_ms += own;
            queries_ms += queries;
            added_ms += added;
        }
        let count = durations.len() as u64;
        let group = json!({
            "transaction": self.name,
            "kind": "web.axum",
            "result": if self.name.starts_with("POST") { "201" } else { "200" },
            "timestamp": timestamp,
            "durations": durations,
        });
        groups.push(group);
        for (kind, calls, milliseconds) in
            [("app", 1, own_ms), ("db.sqlite.query", self.queries, queries_ms), (kind, 8, added_ms)]
        {
            if milliseconds > 0.0 {
                breakdown.push(json!({
                    "transaction": self.name,
                    "transaction_kind": "web.axum",
                    "kind": kind,
                    "timestamp": timestamp,
                    "count": calls * count,
                    "self_ms": milliseconds,
                }));
            }
        }
    }
}

/// The endpoints to which agents of an app report.
struct Intake<'a> {
    client: reqwest::Client,
    base: String,
    token: &'a str,
}

impl<'a> Intake<'a> {
    fn of(app: &'a AppCredentials) -> Self {
        let AppCredentials { server_url, organization_id, app_id, secret_token, .. } = app;
        let base = format!("{server_url}/api/v1/organizations/{organization_id}/apps/{app_id}");
        Self { client: reqwest::Client::new(), base, token: secret_token }
    }

    async fn post(&self, endpoint: &str, body: &Value) -> Result<(), BoxError> {
        let request = self.client.post(format!("{}/{endpoint}/", self.base)).bearer_auth(self.token);
        request.header("content-type", "application/json").body(body.to_string()).send().await?.error_for_status()?;
        Ok(())
    }
}
