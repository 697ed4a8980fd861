//! What an app's agents recorded and could not deliver.

use serde::Serialize;
use utoipa::ToSchema;

use super::{AppIdentity, Query, QueryError, Range};

/// What agents left out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Loss {
    /// What: `errors`, `transactions`, `samples`, `spans`, or `refused` for whole bodies.
    pub what: String,
    /// How many.
    pub count: u64,
    /// Why, in words.
    pub reason: &'static str,
}

impl Query {
    /// Returns what an app's agents left out in a time.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn losses(&self, app: &AppIdentity, range: &Range) -> Result<Vec<Loss>, QueryError> {
        let losses = self.store.drops(&app.id, (range.from, range.to)).await?;
        Ok(losses.into_iter().map(|(what, count)| Loss { reason: reason(&what), what, count }).collect())
    }
}

/// The reasons are those of `opbeat_protocol::DROP_REASONS`.
fn reason(what: &str) -> &'static str {
    match what {
        "errors" => "too many different ones came at once, or this server was away for long",
        "transactions" => "this server was away for longer than the agent's memory lasts; figures lack as many",
        "samples" => "this server was away for long; figures are exact all the same",
        "spans" => "a transaction had more than 500",
        "refused" => "this server could not read what came; the application's log says why",
        _ => "the agent does not say why",
    }
}
