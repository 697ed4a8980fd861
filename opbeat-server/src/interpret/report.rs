//! Turns a report into changes of the store.

use super::origin::Origin;
use super::{errors, releases, transactions};
use crate::changes::Changes;
use crate::decode::Report;

/// Returns the changes of a report.
pub(crate) fn interpret(origin: &Origin, report: Report) -> Changes {
    match report {
        Report::Error(body) => errors::changes(origin, *body),
        Report::Transactions(body) => transactions::changes(origin, *body),
        Report::Release(body) => releases::release(origin, body),
        Report::Deployment(body) => releases::deployment(origin, body),
    }
}
