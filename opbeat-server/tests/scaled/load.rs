//! Clients that send bodies at a steady rate, and moments at which something happens to the server meanwhile.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use reqwest::{Client, StatusCode};
use tokio::task::JoinHandle;

use crate::case::number;
use crate::deployment::{intake_url, with_token};
use crate::ledger::{Body, Ledger};

const CLIENTS: usize = 4;

/// The time after which a test looks again at the answers.
const PAUSE: Duration = Duration::from_millis(25);

/// A body is answered, or the connection ends, before a test gives up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Clients that send until `finish`.
pub(crate) struct Load {
    ledger: Arc<Ledger>,
    is_over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts clients. Each sends to all servers in turns. `OPBEAT_LOAD_RATE` is the number of bodies a second of all
    /// clients. The names of a long run must stay below the number that a server keeps for an app.
    pub(crate) fn start(servers: &[String]) -> Self {
        let (ledger, is_over) = (Arc::new(Ledger::default()), Arc::new(AtomicBool::new(false)));
        let next = Arc::new(AtomicU64::new(0));
        let pace = Duration::from_secs(CLIENTS as u64) / u32::try_from(number("OPBEAT_LOAD_RATE", 160)).unwrap();
        let clients = (0..CLIENTS).map(|_| {
            let (ledger, is_over, next) = (Arc::clone(&ledger), Arc::clone(&is_over), Arc::clone(&next));
            tokio::spawn(send(servers.to_vec(), pace, next, ledger, is_over))
        });
        let clients = clients.collect();
        Self { ledger, is_over, clients }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Waits until the servers have accepted more bodies, which shows that they work.
    pub(crate) async fn accepted_more(&self) {
        let aim = self.ledger.accepted() + CLIENTS;
        let deadline = tokio::time::Instant::now() + ANSWER_TIMEOUT;
        while self.ledger.accepted() < aim {
            assert!(tokio::time::Instant::now() < deadline, "no body is accepted: {:?}", self.ledger.refused());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Stops the clients after their current bodies.
    pub(crate) async fn finish(self) -> Arc<Ledger> {
        self.is_over.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        self.ledger
    }
}

async fn send(
    servers: Vec<String>,
    pace: Duration,
    next: Arc<AtomicU64>,
    ledger: Arc<Ledger>,
    is_over: Arc<AtomicBool>,
) {
    let client = Client::builder().timeout(ANSWER_TIMEOUT).build().unwrap();
    let mut pace = tokio::time::interval(pace);
    while !is_over.load(Ordering::Relaxed) {
        pace.tick().await;
        let number = next.fetch_add(1, Ordering::Relaxed);
        let server = &servers[usize::try_from(number).unwrap() % servers.len()];
        let Body { endpoint, json } = Ledger::body(number);
        ledger.record(number, post(&client, &intake_url(server, endpoint), zlib(&json.to_string())).await);
    }
}

async fn post(client: &Client, url: &str, body: Vec<u8>) -> reqwest::Result<(StatusCode, String)> {
    let response = with_token(client.post(url)).body(body).send().await?;
    Ok((response.status(), response.text().await?))
}

pub(crate) fn zlib(body: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Waits until a random moment within a time. There is no event to wait for: the moment is what the test is about.
pub(crate) async fn random_moment(within: Duration) {
    let within = u64::try_from(within.as_millis()).unwrap();
    tokio::time::sleep(Duration::from_millis(fastrand::u64(20..within))).await;
}

/// Lets an outage last for a time.
pub(crate) async fn outage(length: Duration) {
    tokio::time::sleep(length).await;
}
