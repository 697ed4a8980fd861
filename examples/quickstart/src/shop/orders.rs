//! Orders, some of which fail.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use opbeat_axum::{Current, User};

use super::{Shop, catalogue};

/// An order that could not be placed.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrderError {
    /// The payment failed.
    #[error("the payment was declined")]
    Payment(#[from] PaymentError),
    /// The database failed.
    #[error("the order cannot be stored")]
    Database(#[from] sqlx::Error),
}

/// A payment that failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PaymentError {
    /// The bank does not respond.
    #[error("the bank does not respond")]
    Timeout,
}

/// Reports the error with its causes when it becomes a response.
impl IntoResponse for OrderError {
    fn into_response(self) -> Response {
        opbeat_axum::capture_error(&self);
        (StatusCode::INTERNAL_SERVER_ERROR, "the order could not be placed\n").into_response()
    }
}

/// Places an order for a book.
pub(super) async fn place(State(shop): State<Shop>, Current(transaction): Current) -> Result<StatusCode, OrderError> {
    static ORDERS: AtomicU64 = AtomicU64::new(1);
    let number = ORDERS.fetch_add(1, Ordering::Relaxed);
    transaction.set_user(User::new(number % 7).username("reader"));
    transaction.set_tag("payment", "card");
    pay(number)?;
    catalogue::order(&shop.database, 1).await?;
    Ok(StatusCode::CREATED)
}

/// Every ninth payment fails.
fn pay(number: u64) -> Result<(), PaymentError> {
    if number.is_multiple_of(9) { Err(PaymentError::Timeout) } else { Ok(()) }
}
