//! Read models: the answers that pages and API show, made from what the store keeps.

mod apps;
mod errors;
mod losses;
mod range;
mod samples;
mod series;
mod transactions;

pub use apps::{AppIdentity, AppSummary};
pub use errors::{ErrorDetail, ErrorList, ErrorSummary, Occurrence, OccurrenceReference};
pub use losses::Loss;
pub use range::{InvalidRange, RANGES, Range};
pub use samples::{Sample, SampleReference, SampleSpanView, SampleSummary};
pub use series::{Series, SeriesPoint};
pub use transactions::{BreakdownPart, TransactionIdentity, TransactionList, TransactionSummary};

pub use crate::store::StoreError as QueryError;
pub use crate::store::read::{ErrorOrder, SampleOrder, Scope};

use crate::intake::hash_token;
use crate::store::Store;

/// Answers questions. Clones ask the same store.
#[derive(Clone, Debug)]
pub struct Query {
    store: Store,
}

impl Query {
    /// Asks a store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Returns what a read token may see.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn scope_of(&self, read_token: &str) -> Result<Option<Scope>, QueryError> {
        let organization = self.store.organization_of(&hash_token(read_token)).await?;
        Ok(organization.map(Scope::Organization))
    }
}

/// Returns a point in time, given in microseconds since 1970, as RFC 3339 in UTC.
fn rfc3339(micros: i64) -> String {
    opbeat_protocol::Timestamp::from_micros(micros).to_string()
}

fn rfc3339_seconds(seconds: i64) -> String {
    rfc3339(seconds.saturating_mul(1_000_000))
}
