//! Data that an app's agents recorded and dropped.

use serde::Serialize;
use utoipa::ToSchema;

use super::{AppIdentity, Query, QueryError, Range};

/// Data that agents dropped, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DroppedData {
    /// The reason: `errors`, `transactions`, `samples`, `spans`, `rejected` for whole deliveries,
    /// or `disk_budget` for what this server removed.
    pub(crate) reason: String,
    /// The number of dropped items.
    pub(crate) count: u64,
    /// An explanation of the reason.
    pub(crate) explanation: &'static str,
}

impl Query {
    /// Returns the data that an app's agents dropped in a range, as they reported it.
    pub(crate) async fn drops(&self, app: &AppIdentity, range: &Range) -> Result<Vec<DroppedData>, QueryError> {
        let drops = self.store.drops(&app.id, (range.from, range.to)).await?;
        let dropped = |(reason, count): (String, u64)| DroppedData { explanation: explanation(&reason), reason, count };
        Ok(drops.into_iter().map(dropped).collect())
    }
}

/// Explains a reason of `opbeat_protocol::DROP_REASONS`.
fn explanation(reason: &str) -> &'static str {
    match reason {
        "errors" => "too many different errors occurred at once, or the agent could not reach this server for long",
        "transactions" => {
            "the agent could not reach this server until its memory was full, or they were open when the application stopped; the figures do not include them"
        }
        "samples" => "the agent could not reach this server for long; the figures are still exact",
        "spans" => {
            "a transaction or a trace had too many spans, or the transaction of spans did not arrive within an hour"
        }
        "disk_budget" => {
            "this server removed samples and repeated errors of the app, the oldest first, to keep within its disk space; `opbeat app limits --disk-bytes` raises it"
        }
        "rejected" => "this server could not read them; the application's log contains the reason",
        _ => "the agent gave no reason",
    }
}
