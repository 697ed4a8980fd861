//! Data that an app's agents recorded and dropped.

use serde::Serialize;
use utoipa::ToSchema;

use super::{AppIdentity, Query, QueryError, Range};

/// Data that agents dropped, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DroppedData {
    /// The category: `errors`, `transactions`, `samples`, `spans`, or `rejected` for whole deliveries.
    pub(crate) category: String,
    /// The number of dropped items.
    pub(crate) count: u64,
    /// The reason, as a sentence.
    pub(crate) reason: &'static str,
}

impl Query {
    /// Returns the data that an app's agents dropped in a range, as they reported it.
    pub(crate) async fn drops(&self, app: &AppIdentity, range: &Range) -> Result<Vec<DroppedData>, QueryError> {
        let drops = self.store.losses(&app.id, (range.from, range.to)).await?;
        let dropped = |(category, count): (String, u64)| DroppedData { reason: reason(&category), category, count };
        Ok(drops.into_iter().map(dropped).collect())
    }
}

/// Returns why agents drop data of a category, one of `opbeat_protocol::DROP_REASONS`.
fn reason(category: &str) -> &'static str {
    match category {
        "errors" => "too many different errors occurred at once, or the agent could not reach this server for long",
        "transactions" => {
            "the agent could not reach this server until its memory was full; the figures do not include them"
        }
        "samples" => "the agent could not reach this server for long; the figures are still exact",
        "spans" => "a transaction had more than 500 spans",
        // Databases from before the rename contain `refused`.
        "rejected" | "refused" => "this server could not read them; the application's log contains the reason",
        _ => "the agent gave no reason",
    }
}
