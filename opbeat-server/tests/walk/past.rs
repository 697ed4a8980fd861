//! The past of a shop: a day with two releases, of which the second made the search slower.
//!
//! It is reported with its times, as an agent does after an outage of the network.

use jiff::{SignedDuration, Timestamp};
use opbeat_server::AppCredentials;
use serde_json::{Value, json};

/// The hours before now at which the releases were completed.
const RELEASED: [i64; 2] = [28, 5];

/// The minutes between two minutes with requests.
const STEP: usize = 10;

/// The number of requests to each route in such a minute.
const REQUESTS: usize = 20;

/// The routes, with their typical time in code and in queries, in milliseconds.
const ROUTES: [(&str, f64, f64); 4] =
    [("GET /", 0.6, 0.5), ("GET /books/{id}", 3.5, 0.4), ("GET /search", 3.0, 5.0), ("POST /orders", 0.5, 0.6)];

/// The route that the second release made slower by a span of this kind, which takes these milliseconds.
const SLOWER: (&str, &str, f64) = ("GET /search", "code.rank", 42.0);

/// Reports the past of an app until now.
pub(crate) async fn report(client: &reqwest::Client, app: &AppCredentials) {
    let now = Timestamp::now();
    let released = RELEASED.map(|hours| now - SignedDuration::from_hours(hours));
    for (rev, time) in ["3f1c2a9d5e", "b04d77c1aa"].into_iter().zip(released) {
        let rev = format!("{rev:0<40}");
        let release = json!({"rev": rev, "branch": "main", "status": "completed", "timestamp": time.to_string()});
        post(client, app, "releases", &release).await;
    }
    let minutes: Vec<i64> = (released[0].as_second() / 60..now.as_second() / 60).step_by(STEP).collect();
    let mut random = fastrand::Rng::with_seed(8);
    for hours in minutes.chunks(60 / STEP * 4) {
        let (mut groups, mut breakdown) = (Vec::new(), Vec::new());
        for minute in hours {
            let is_slower = minute * 60 > released[1].as_second();
            for (name, own, queries) in ROUTES {
                let slower = if is_slower && name == SLOWER.0 { SLOWER.2 } else { 0.0 };
                simulate((name, *minute), [own, queries, slower], &mut random, (&mut groups, &mut breakdown));
            }
        }
        post(client, app, "transactions", &json!({"transactions": groups, "traces": [], "breakdown": breakdown})).await;
    }
}

/// Adds the requests of a minute to a route, and their time by kind of span.
fn simulate(
    (name, minute): (&str, i64),
    typical: [f64; 3],
    random: &mut fastrand::Rng,
    (groups, breakdown): (&mut Vec<Value>, &mut Vec<Value>),
) {
    let timestamp = minute * 60;
    let mut sums = [0.0; 3];
    let mut request = || {
        // Most requests take about as long, and a few take much longer.
        let times = typical.map(|typical| typical * (0.8 + 0.3 * random.f64() + 0.05 / (0.02 + random.f64())));
        sums.iter_mut().zip(times).for_each(|(sum, time)| *sum += time);
        times.iter().sum()
    };
    let durations: Vec<f64> = (0..REQUESTS).map(|_| request()).collect();
    groups.push(json!({
        "transaction": name, "kind": "web.axum", "result": "200", "timestamp": timestamp, "durations": durations,
    }));
    let kinds = ["app", "db.sqlite.query", SLOWER.1].into_iter().zip(sums).filter(|(_, sum)| *sum > 0.0);
    breakdown.extend(kinds.map(|(kind, self_ms)| {
        json!({
            "transaction": name, "transaction_kind": "web.axum", "kind": kind, "timestamp": timestamp, "count": REQUESTS,
            "self_ms": self_ms,
        })
    }));
}

async fn post(client: &reqwest::Client, app: &AppCredentials, endpoint: &str, body: &Value) {
    let AppCredentials { server_url, organization_id, app_id, secret_token, .. } = app;
    let url = format!("{server_url}/api/v1/organizations/{organization_id}/apps/{app_id}/{endpoint}/");
    let sent = client.post(url).bearer_auth(secret_token).body(body.to_string()).send().await.unwrap();
    assert_eq!(sent.status(), reqwest::StatusCode::ACCEPTED, "{endpoint}");
}
