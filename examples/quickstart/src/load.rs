//! The visitors that send requests.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::ledger::Ledger;

/// The number of concurrent visitors.
const VISITORS: usize = 4;

/// A request that visitors send.
struct Visit {
    method: reqwest::Method,
    path: &'static str,
    transaction: &'static str,
    /// The type of the error that is reported if it fails.
    error: &'static str,
    /// The number of queries to the database, unless it fails.
    queries: u64,
}

const fn get(path: &'static str, transaction: &'static str, queries: u64) -> Visit {
    Visit { method: reqwest::Method::GET, path, transaction, error: "HTTP 500", queries }
}

/// The requests that each visitor repeats in this order.
const VISITS: [Visit; 10] = [
    get("/", "GET /", 1),
    get("/books/1", "GET /books/{id}", 1),
    get("/books/2", "GET /books/{id}", 1),
    get("/books/1/cover", "GET /books/{id}/cover", 0),
    Visit {
        method: reqwest::Method::POST,
        path: "/orders",
        transaction: "POST /orders",
        error: "OrderError",
        queries: 1,
    },
    // One query for all books, and one more for each of them.
    get("/search?text=a", "GET /search", 9),
    get("/books/7", "GET /books/{id}", 1),
    get("/books/999", "GET /books/{id}", 1),
    get("/wp-login.php", "GET unmatched", 0),
    Visit {
        method: reqwest::Method::GET,
        path: "/recommendations",
        transaction: "GET /recommendations",
        error: "panic",
        queries: 0,
    },
];

/// Visitors of the shop, who count the requests they send in the ledger.
#[derive(Clone)]
pub(crate) struct Load {
    client: reqwest::Client,
    shop: SocketAddr,
    ledger: Ledger,
    pause: Duration,
}

impl Load {
    pub(crate) fn new(shop: SocketAddr, ledger: Ledger, pause: Duration) -> Self {
        // Each request has its own connection, because a panic closes the connection and the count must be exact.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap_or_default();
        Self { client, shop, ledger, pause }
    }

    /// Runs the visitors for a time, and waits until all have finished.
    pub(crate) async fn run_for(&self, time: Duration) {
        let end = Instant::now().checked_add(time);
        let visitors: Vec<_> = (0..VISITORS).map(|number| tokio::spawn(self.clone().visit(number, end))).collect();
        for visitor in visitors {
            // A visitor does not panic.
            let _ = visitor.await;
        }
    }

    async fn visit(self, number: usize, end: Option<Instant>) {
        let is_over = || end.is_some_and(|end| Instant::now() >= end);
        for visit in VISITS.iter().cycle().skip(number * 3) {
            if is_over() {
                return;
            }
            self.call(visit).await;
            tokio::time::sleep(self.pause).await;
        }
    }

    async fn call(&self, visit: &Visit) {
        self.ledger.sent("shop", visit.transaction);
        let url = format!("http://{}{}", self.shop, visit.path);
        let answer = self.client.request(visit.method.clone(), url).send().await;
        let has_failed = match answer {
            Ok(response) => {
                let is_failure = response.status().is_server_error();
                // The body is read to its end, because the transaction ends there.
                let _ = response.bytes().await;
                is_failure
            }
            Err(_) => true,
        };
        if has_failed {
            self.ledger.failed("shop", visit.error);
        } else {
            self.ledger.queried(visit.queries);
        }
    }
}
