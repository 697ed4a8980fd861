//! The rows that the read models of `query` are made of.
//!
//! Each function is bound to an app or an organization, and returns a limited number of rows.

mod apps;
mod errors;
mod rollups;
mod samples;

pub(crate) use apps::{AppName, Scope};
pub(crate) use errors::{ErrorGroupRow, ErrorOrder, OccurrenceSummary};
pub(crate) use rollups::{RollupSpan, TransactionRow};
pub(crate) use samples::{SampleOrder, SampleSummaryRow};
