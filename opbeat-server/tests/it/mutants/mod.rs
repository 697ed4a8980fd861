//! Bodies with random changes: none stops the server, costs a neighbour its data, or breaks a page.
//!
//! A failure names the mutant's number. `MUTANT=<number> cargo test -p opbeat-server --test it mutants` repeats it alone.

mod bodies;
mod mutate;
mod walk;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use fastrand::Rng;
use opbeat_server::AppCredentials;
use reqwest::header::ORIGIN;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::running::{Running, intake_url, zlib};
use bodies::Source;

const MUTANTS: u64 = 20_000;

/// The number of connections.
const CONNECTIONS: usize = 32;

/// A healthy app sends an error and two transactions after this many mutants.
const NEIGHBOUR_EVERY: u64 = 50;

/// One of this many mutants is a body that inflates to megabytes.
const HEAVY_EVERY: u64 = 5_000;

const ORIGIN_OF_BROWSERS: &str = "https://shop.example";

const PLATFORMS: [&str; 4] = [
    "lang=python/3.11.7 platform=CPython framework=flask/2.2.5",
    "lang=node/20.20.2 platform=node os=linux framework=express/4.22.3",
    "",
    "lang=python",
];

/// A mutant: the request that it is sent with.
struct Mutant {
    source: String,
    endpoint: String,
    platform: &'static str,
    body: Vec<u8>,
}

/// The bodies and the servers of one run.
struct Run {
    running: Arc<Running>,
    neighbour: AppCredentials,
    sources: Vec<Source>,
    heavy: Vec<Source>,
    /// The number of errors that the healthy app sent.
    neighbours: AtomicU64,
    accepted: AtomicU64,
}

impl Run {
    /// Makes the mutant of a number, which is always the same one but for its times.
    fn mutant(&self, number: u64) -> Mutant {
        let mut rng = Rng::with_seed(number);
        let platform = PLATFORMS[rng.usize(..PLATFORMS.len())];
        if number.is_multiple_of(HEAVY_EVERY) {
            let index = (number / HEAVY_EVERY) as usize % self.heavy.len();
            let Source { name, endpoint, bytes, .. } = self.heavy[index].clone();
            return Mutant { source: name, endpoint, platform, body: bytes };
        }
        let source = &self.sources[rng.usize(..self.sources.len())];
        let other = &self.sources[rng.usize(..self.sources.len())];
        // Some bodies arrive at the wrong endpoint.
        let endpoint = if rng.u8(..20) == 0 { &other.endpoint } else { &source.endpoint }.clone();
        let body = mutate::mutant(&mut rng, source);
        Mutant { source: source.name.clone(), endpoint, platform, body }
    }

    async fn post(&self, number: u64) {
        let Mutant { source, endpoint, platform, body } = self.mutant(number);
        let start = String::from_utf8_lossy(&body[..body.len().min(1_000)]).into_owned();
        let described = format!("MUTANT={number}, made of {source}, for {endpoint}: {start}");
        let request = self.running.client.post(self.running.intake(&endpoint)).header("X-Opbeat-Platform", platform);
        let request = match endpoint.starts_with("client-side/") {
            true => request.header(ORIGIN, ORIGIN_OF_BROWSERS),
            false => request.bearer_auth(&self.running.app.secret_token),
        };
        // A parked record contains the key, and so the mutant's number.
        let request = request.header("Idempotency-Key", key(number)).body(body);
        let response = request.send().await.unwrap_or_else(|error| panic!("{error:?}: {described}"));
        self.check(response, &described).await;
        if number.is_multiple_of(NEIGHBOUR_EVERY) {
            self.post_neighbours().await;
        }
    }

    /// Asserts that a mutant is accepted, or refused with a reason.
    async fn check(&self, response: Response, described: &str) {
        let status = response.status();
        let text = response.text().await.unwrap();
        if status == StatusCode::ACCEPTED {
            self.accepted.fetch_add(1, Ordering::Relaxed);
            return;
        }
        assert!(status.is_client_error(), "{status} {text}: {described}");
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}, {text}: {described}"));
        assert_eq!(body["status"], status.as_u16(), "{described}");
        assert!(body["error_message"].as_str().is_some_and(|message| message.len() > 20), "{text}: {described}");
        assert!(!text.contains("panicked"), "{text}: {described}");
    }

    /// Sends the bodies of a healthy app.
    async fn post_neighbours(&self) {
        let transactions = json!({"transactions": [{"transaction": "GET /", "result": 200, "durations": [1.0, 2.0]}]});
        for (endpoint, body) in [("errors", json!({"message": "no books"})), ("transactions", transactions)] {
            let request = self.running.client.post(intake_url(&self.neighbour, endpoint));
            let request = request.bearer_auth(&self.neighbour.secret_token).body(zlib(&body.to_string()));
            assert_eq!(request.send().await.unwrap().status(), StatusCode::ACCEPTED);
        }
        self.neighbours.fetch_add(1, Ordering::Relaxed);
    }
}

/// Returns the idempotency key of a mutant.
fn key(number: u64) -> String {
    format!("mutant-{number}")
}

/// Calls a function with each item, [`CONNECTIONS`] at the same time.
async fn parallel<T, F>(items: Vec<T>, call: impl Fn(T) -> F + Clone + Send + 'static)
where
    T: Clone + Send + Sync + 'static,
    F: Future + Send,
{
    let (items, next) = (Arc::new(items), Arc::new(AtomicUsize::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (items, next, call) = (Arc::clone(&items), Arc::clone(&next), call.clone());
        tasks.spawn(async move {
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                call(item.clone()).await;
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
}

/// Asserts that no record was parked.
async fn assert_nothing_is_parked(running: &Running) {
    let list = running.command(&["parked", "list"]).await;
    assert!(list.contains("0 parked."), "{list}");
}

async fn start() -> Run {
    let running = Running::start_with(|config| {
        config.intake.client_side_rate = u32::MAX;
        config.intake.client_side_burst = u32::MAX;
    })
    .await;
    running.command(&["app", "origins", "acme/shop", "--add", ORIGIN_OF_BROWSERS]).await;
    let neighbour = running.server.create_app("acme", "neighbour").await.unwrap();
    let (sources, heavy) = bodies::all();
    let (neighbours, accepted) = (AtomicU64::new(0), AtomicU64::new(0));
    Run { running: Arc::new(running), neighbour, sources, heavy, neighbours, accepted }
}

#[tokio::test(flavor = "multi_thread")]
async fn mutants_cost_nobody_anything() {
    let only = std::env::var("MUTANT").ok().map(|number| number.parse::<u64>().unwrap());
    let numbers: Vec<u64> = only.map_or_else(|| (0..MUTANTS).collect(), |number| vec![number]);
    let run = Arc::new(start().await);
    let (running, posting) = (Arc::clone(&run.running), Arc::clone(&run));
    parallel(numbers, move |number| {
        let run = Arc::clone(&posting);
        async move { run.post(number).await }
    })
    .await;
    running.drained().await;
    assert_nothing_is_parked(&running).await;

    let sent = run.neighbours.load(Ordering::Relaxed);
    let errors = running.ask_of("neighbour", "errors/").await;
    let transactions = running.ask_of("neighbour", "transactions/?range=1h").await;
    if sent > 0 {
        assert_eq!((&errors["total"], &errors["errors"][0]["times_seen"]), (&json!(1), &json!(sent)));
        assert_eq!(transactions["transactions"][0]["count"], 2 * sent);
    }
    let accepted = run.accepted.load(Ordering::Relaxed);
    assert!(only.is_some() || accepted > MUTANTS / 2, "most mutants are still reports: {accepted}");
    for app in ["shop", "neighbour"] {
        walk::walk(&running, app, &mut Rng::with_seed(12)).await;
    }
}
