//! The rows that the read models of `query` are made of.
//!
//! Each function takes an organization, an app or an error group. Long lists have a limit; `each_rollup` passes one row
//! after the other to a closure instead.

mod apps;
mod check_ins;
mod deployments;
mod errors;
mod releases;
mod rollups;
mod samples;

pub(crate) use apps::{AppActivity, AppFilter, AppName};
pub(crate) use check_ins::CheckInRow;
pub(crate) use deployments::{DeploymentRow, DeploymentSummaryRow, EarlierDeployment};
pub(crate) use errors::{
    ErrorFilter, ErrorGroupRow, ErrorGroups, ErrorOrder, OccurrenceLocation, OccurrenceRow, OccurrenceSummary,
};
pub(crate) use releases::{ReleaseMachineRow, ReleaseRow};
pub(crate) use rollups::{RollupSpan, TransactionRow, TransactionSum};
pub(crate) use samples::{SampleOrder, SampleRow, SampleSummaryRow, TraceSampleRow};

/// Returns the pattern of LIKE for texts that contain another one, with `\` as its escape character.
fn pattern(search: &str) -> String {
    let escaped = search.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
