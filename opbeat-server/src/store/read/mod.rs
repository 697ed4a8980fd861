//! The rows that the read models of `query` are made of.
//!
//! Each function takes an organization, an app or an error group. Long lists have a limit; `each_rollup` passes one row
//! after the other to a closure instead.

mod apps;
mod check_ins;
mod deployments;
mod error_values;
mod errors;
mod jobs;
mod organizations;
mod releases;
mod rollups;
mod samples;
mod span_shares;
mod spans;

use crate::text::start_of;

pub(crate) use apps::{AppActivity, AppFilter, AppName};
pub(crate) use check_ins::CheckInRow;
pub(crate) use deployments::{DeploymentRow, DeploymentSummaryRow, EarlierDeployment};
pub(crate) use error_values::{ErrorValueRow, ErrorValues};
pub(crate) use errors::{
    ErrorFilter, ErrorGroupRow, ErrorGroups, ErrorOrder, OccurrenceLocation, OccurrenceRow, OccurrenceSummary,
};
pub(crate) use jobs::{LatestRuns, RunSum, SeenTransactionRow};
pub(crate) use organizations::OrganizationName;
pub(crate) use releases::{ReleaseMachineRow, ReleaseRow};
pub(crate) use rollups::{RollupRow, RollupSpan, TransactionRow, TransactionSum};
pub(crate) use samples::{SampleOrder, SampleRow, SampleSummaryRow, TraceSampleRow};
pub(crate) use span_shares::{SpanShareRow, SpanUseRow};
pub(crate) use spans::{SpanCallerRow, SpanPoint, SpanRow, SpanSums, SpansOf};

/// The longest text that is searched for, in characters. SQLite refuses patterns of more than 50,000 bytes.
const MAX_SEARCH: usize = 500;

/// Returns the pattern of LIKE for texts that contain another one, with `\` as its escape character. Only the start of a long
/// text is searched for.
fn pattern(search: &str) -> String {
    let escaped =
        start_of(search, MAX_SEARCH).to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
