//! The error report that a transaction's failure is known by.

use crate::record::{ErrorId, ErrorRecord};

/// The error report that a transaction's failure is known by: the one that ended it, as far as that is known.
#[derive(Debug)]
pub(super) struct PrimaryError {
    /// The report without its details.
    report: ErrorRecord,
    /// Whether the application asked for the id. It may have shown the id, so that the primary error must not change.
    is_requested: bool,
}

impl PrimaryError {
    /// Notes a report. It replaces an earlier report of another failure, because the application handled that one and
    /// went on. A report of a weaker origin replaces nothing.
    #[cold]
    pub(super) fn note(primary: &mut Option<Box<Self>>, record: &ErrorRecord) {
        let stays = primary.as_ref().is_some_and(|primary| {
            let report = &primary.report;
            primary.is_requested
                || report.origin > record.origin
                || (report.origin == record.origin && report.is_same_failure(record))
        });
        if !stays {
            *primary = Some(Box::new(Self { report: record.without_details(), is_requested: false }));
        }
    }

    /// Returns the report's id.
    pub(super) fn id(&self) -> ErrorId {
        self.report.id
    }

    /// Returns the report's id, and keeps this report the primary error from now on.
    pub(super) fn request_id(&mut self) -> ErrorId {
        self.is_requested = true;
        self.report.id
    }
}
