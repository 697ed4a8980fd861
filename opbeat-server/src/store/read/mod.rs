//! The rows that the read models of `query` are made of.
//!
//! Each function is bound to an app or an organization, and returns a limited number of rows.

mod apps;
mod errors;
mod rollups;
mod samples;

pub use apps::{AppActivity, AppName, Scope};
pub use errors::{ErrorGroupRow, ErrorOrder, OccurrenceRow, OccurrenceSummary};
pub use rollups::{RollupRow, RollupSpan, TransactionRow};
pub use samples::{SampleOrder, SampleRow, SampleSummaryRow};
