//! What the read models are made of. Each function is bound to an app or an organization, and caps its rows.

mod apps;
mod errors;
mod losses;
mod rollups;
mod samples;

pub use apps::{AppActivity, AppName, Scope};
pub use errors::{ErrorGroupRow, ErrorOrder, OccurrenceRow, OccurrenceSummary};
pub use rollups::{RollupRow, RollupSpan, TransactionRow};
pub use samples::{SampleOrder, SampleRow, SampleSummaryRow};
