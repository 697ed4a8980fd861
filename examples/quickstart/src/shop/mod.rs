//! The bookshop: a usual axum application.

mod books;
mod catalogue;
mod newsletter;
mod orders;
mod recommendations;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use minijinja::Environment;
use opbeat_axum::OpbeatLayer;
use opbeat_core::Agent;
use sqlx::SqlitePool;
use tokio::net::TcpListener;

pub(crate) use newsletter::newsletter;

use crate::BoxError;
use crate::ledger::Ledger;

/// The state that the handlers share.
#[derive(Clone)]
pub(crate) struct Shop {
    database: SqlitePool,
    client: reqwest::Client,
    templates: Arc<Environment<'static>>,
    ledger: Ledger,
    prices: SocketAddr,
    covers: SocketAddr,
}

/// Starts the shop on a free port.
pub(crate) async fn start(
    agent: &Agent,
    ledger: &Ledger,
    prices: SocketAddr,
    covers: SocketAddr,
) -> Result<SocketAddr, BoxError> {
    let database = catalogue::open().await?;
    let mut templates = Environment::new();
    templates.add_template("book.txt", "{{ title }} by {{ author }}: {{ price }} cents\n")?;
    let (client, templates) = (reqwest::Client::new(), Arc::new(templates));
    let shop = Shop { database, client, templates, ledger: ledger.clone(), prices, covers };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = router(shop, agent);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

fn router(shop: Shop, agent: &Agent) -> Router {
    Router::new()
        .route("/", get(books::list))
        .route("/books/{id}", get(books::one))
        .route("/books/{id}/cover", get(books::cover))
        .route("/search", get(books::search))
        .route("/orders", post(orders::place))
        .route("/recommendations", get(recommendations::for_reader))
        .with_state(shop)
        .layer(OpbeatLayer::new(agent))
}
