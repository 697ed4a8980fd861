//! Clients that send the bodies of the soak at a steady rate, each again until it is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::bodies::{Bodies, Content, error};
use super::connection::{Answer, Connection};
use super::subject::Subject;
use super::tally::Tally;
use crate::deployment::{authorization, intake_url};

const CLIENTS: u64 = 16;

/// A body is answered, or the connection ends, before a client connects again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// The pause of a client before it sends a body again.
const RETRY: Duration = Duration::from_millis(100);

/// The time between two probes, and between two looks at the API.
const PROBES: Duration = Duration::from_secs(2);
const LOOKS: Duration = Duration::from_millis(20);

/// Clients that send until `finish`.
pub(crate) struct Clients {
    is_over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Clients {
    /// Starts the clients. The rate is that of errors a second that cost the server as much.
    pub(crate) fn start(subject: &Subject, bodies: Bodies, rate: f64, tally: &Arc<Tally>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicU64::new(0)));
        let pace = Duration::from_secs_f64(CLIENTS as f64 / Bodies::per_second(rate));
        let servers = subject.intakes();
        let sender = |number: usize| Sender::new(&servers, number, Arc::clone(&is_over), Arc::clone(tally));
        let mut tasks: Vec<_> = (0..CLIENTS as usize)
            .map(|number| tokio::spawn(send(sender(number), pace, Arc::clone(&bodies), Arc::clone(&next))))
            .collect();
        let api = subject.api();
        tasks.push(tokio::spawn(probe(sender(0), Connection::new(api.url()), api.authorization())));
        Self { is_over, tasks }
    }

    /// Stops the clients after their current bodies.
    pub(crate) async fn finish(self) {
        self.is_over.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// A client with a connection to each server.
struct Sender {
    connections: Vec<Connection>,
    /// The index of the connection that is used now.
    current: usize,
    is_over: Arc<AtomicBool>,
    tally: Arc<Tally>,
}

impl Sender {
    fn new(servers: &[String], number: usize, is_over: Arc<AtomicBool>, tally: Arc<Tally>) -> Self {
        let connections: Vec<_> = servers.iter().map(|server| Connection::new(server)).collect();
        Self { current: number % connections.len(), connections, is_over, tally }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Sends a body until a server accepts it. Returns the answer and its time, or none if the body is refused for good.
    async fn deliver(&mut self, path: &str, headers: &str, body: &[u8]) -> Option<(Answer, Duration)> {
        let line = format!("POST {path}");
        loop {
            let start = Instant::now();
            let request = self.connections[self.current].send(&line, headers, body);
            match timeout(ANSWER_TIMEOUT, request).await {
                Ok(Ok(answer)) if matches!(answer.status, 200 | 202) => return Some((answer, start.elapsed())),
                Ok(Ok(answer)) => {
                    if !self.tally.refuse(answer.status, &answer.body) {
                        return None;
                    }
                }
                // The server may have stored the body, and knows it again by its key.
                Ok(Err(_)) | Err(_) => {
                    self.tally.miss();
                    self.current = (self.current + 1) % self.connections.len();
                }
            }
            sleep(RETRY).await;
        }
    }
}

async fn send(mut sender: Sender, pace: Duration, bodies: Arc<Bodies>, next: Arc<AtomicU64>) {
    let mut ticks = interval(pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // The clients do not all send at the same moment.
    sleep(pace.mul_f64(fastrand::f64())).await;
    while !sender.is_over() {
        ticks.tick().await;
        let number = next.fetch_add(1, Ordering::Relaxed);
        let content = Bodies::content(number);
        let (path, content_type) = match content {
            Content::Error(_) => (intake_url("", "errors"), "application/octet-stream"),
            Content::Durations => (intake_url("", "transactions"), "application/octet-stream"),
            Content::Spans(_) => ("/v1/traces".to_owned(), "application/x-protobuf"),
        };
        let headers = headers(content_type, &format!("soak-{number}"));
        if let Some((_, time)) = sender.deliver(&path, &headers, &bodies.body(number)).await {
            sender.tally.accept(content, time);
        }
    }
}

/// Sends an error from time to time, and measures the time until the API has it.
async fn probe(mut sender: Sender, mut api: Connection, authorization: String) {
    let read_headers = format!("Authorization: {authorization}\r\n");
    let mut ticks = interval(PROBES);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0.. {
        ticks.tick().await;
        if sender.is_over() {
            return;
        }
        let was_calm = sender.tally.is_calm();
        let headers = headers("application/octet-stream", &format!("probe-{number}"));
        let body = error(&format!("Probe{number}"));
        let Some((answer, _)) = sender.deliver(&intake_url("", "errors"), &headers, &body).await else { continue };
        sender.tally.accept_probe();
        let accepted = Instant::now();
        let location = answer.location.unwrap();
        let id = location.rsplit('/').next().unwrap();
        let path = format!("GET /api/v2/organizations/acme/apps/shop/errors/by-id/{id}/");
        while !sender.is_over() {
            let look = api.send(&path, &read_headers, b"");
            if let Ok(Ok(Answer { status: 200, .. })) = timeout(ANSWER_TIMEOUT, look).await {
                sender.tally.show_probe(accepted.elapsed(), was_calm && sender.tally.is_calm());
                break;
            }
            sleep(LOOKS).await;
        }
    }
}

fn headers(content_type: &str, key: &str) -> String {
    let authorization = authorization();
    format!("Content-Type: {content_type}\r\nAuthorization: {authorization}\r\nIdempotency-Key: {key}\r\n")
}
