//! Pages of books.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use opbeat_core::in_span;
use opbeat_instrument::reqwest::RequestBuilderExt;
use serde::{Deserialize, Serialize};

use super::Shop;
use super::catalogue::{self, Book};

/// The start page: all books.
pub(super) async fn list(State(shop): State<Shop>) -> Result<Json<Vec<Book>>, StatusCode> {
    catalogue::all(&shop.database).await.map(Json).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// A book with its price, which comes from the prices service.
pub(super) async fn one(State(shop): State<Shop>, Path(id): Path<i64>) -> Result<String, StatusCode> {
    let book = catalogue::find(&shop.database, id).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let book = book.ok_or(StatusCode::NOT_FOUND)?;
    shop.ledger.sent("prices", "GET /prices/{book}");
    let price = call(&shop, shop.prices, &format!("/prices/{id}")).await.ok_or(StatusCode::BAD_GATEWAY)?;
    let page = opbeat_instrument::minijinja::render(&shop.templates, "book.txt", Page { book, price });
    page.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// The values of the template of a book's page.
#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    book: Book,
    price: String,
}

/// A book's cover, which comes from the covers server.
pub(super) async fn cover(State(shop): State<Shop>, Path(id): Path<i64>) -> Result<impl IntoResponse, StatusCode> {
    shop.ledger.sent("covers", "GET /covers/{book}");
    let picture = call(&shop, shop.covers, &format!("/covers/{id}")).await.ok_or(StatusCode::BAD_GATEWAY)?;
    Ok(([(CONTENT_TYPE, "image/svg+xml")], picture))
}

/// The text to search for.
#[derive(Deserialize)]
pub(super) struct Search {
    text: String,
}

/// A slow search, as an example of the N+1 problem: it sends one more query for each book.
pub(super) async fn search(
    State(shop): State<Shop>,
    Query(Search { text }): Query<Search>,
) -> Result<Json<Vec<Book>>, StatusCode> {
    let mut found = Vec::new();
    for book in catalogue::all(&shop.database).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)? {
        let whole = catalogue::find(&shop.database, book.id).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        in_span("rank", "code.rank", tokio::time::sleep(Duration::from_millis(4))).await;
        found.extend(whole.filter(|book| book.title.contains(&text)));
    }
    Ok(Json(found))
}

/// Calls another server.
async fn call(shop: &Shop, server: SocketAddr, path: &str) -> Option<String> {
    let url = format!("http://{server}{path}");
    let response = shop.client.get(&url).send_recorded().await.ok()?;
    response.error_for_status().ok()?.text().await.ok()
}
