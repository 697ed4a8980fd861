//! A small shop on axum that reports to a server.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use opbeat_axum::{Agent, Config, Current, OpbeatLayer, User, in_span};

use crate::server::PATIENCE;

/// The time that the database of the shop takes for a query.
const QUERY: Duration = Duration::from_millis(2);

pub(crate) struct Shop {
    address: SocketAddr,
    agent: Agent,
    client: reqwest::Client,
}

#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error("the payment of order {0} was declined")]
    Declined(u32),
}

async fn book(Current(transaction): Current, Path(id): Path<u32>) -> String {
    transaction.set_user(User::new(id));
    query("SELECT FROM books").await;
    format!("book {id}")
}

/// Asks for each author by itself, which is flagged as N+1.
async fn search() -> &'static str {
    query("SELECT FROM books").await;
    for _author in 0..8 {
        query("SELECT FROM authors").await;
    }
    in_span("GET prices.example", "ext.http", tokio::time::sleep(2 * QUERY)).await;
    "found"
}

async fn order(Path(number): Path<u32>) -> opbeat_axum::Result<String> {
    query("INSERT INTO orders").await;
    Err(OrderError::Declined(number).into())
}

async fn query(statement: &'static str) {
    in_span(statement, "db.sqlite.query", tokio::time::sleep(QUERY)).await;
}

impl Shop {
    pub(crate) async fn open(config: &Config) -> Self {
        let config = config.clone().flush_interval(PATIENCE);
        let agent = tokio::task::spawn_blocking(move || Agent::start(&config).unwrap()).await.unwrap();
        let app = Router::new()
            .route("/books/{id}", get(book))
            .route("/search", get(search))
            .route("/orders/{number}", post(order))
            .layer(OpbeatLayer::new(&agent));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { address, agent, client: reqwest::Client::new() }
    }

    /// Sends requests for books, and searches.
    pub(crate) async fn browse(&self, times: usize) {
        for number in 0..times {
            self.client.get(format!("http://{}/books/{number}", self.address)).send().await.unwrap();
            self.client.get(format!("http://{}/search?q=emma", self.address)).send().await.unwrap();
        }
    }

    /// Sends an order, which fails.
    pub(crate) async fn order(&self, number: u32) {
        self.client.post(format!("http://{}/orders/{number}", self.address)).send().await.unwrap();
    }

    /// Runs a job.
    pub(crate) async fn send_mail(&self) {
        let mail = async {
            query("SELECT FROM mails").await;
            Ok::<(), std::io::Error>(())
        };
        self.agent.job("send-mail").run(mail).await.unwrap();
    }

    /// Delivers what the agent has recorded.
    pub(crate) async fn deliver(&self) {
        let agent = self.agent.clone();
        tokio::task::spawn_blocking(move || agent.flush(PATIENCE)).await.unwrap().unwrap();
    }
}
