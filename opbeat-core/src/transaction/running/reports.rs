//! The errors of a transaction: how they are reported, and the facts of the transaction that are added to them.

use std::sync::Arc;

use super::active::Active;
use crate::pipeline::TransactionHandle;
#[cfg(any(feature = "log", feature = "tracing"))]
use crate::record::Level;
use crate::record::{ErrorId, ErrorRecord, TransactionReference};
use crate::reported_panic;

impl Active {
    /// Reports an error that ended or will end the transaction. The failure is then not reported a second time.
    pub(crate) fn report_error(self: &Arc<Self>, mut record: ErrorRecord) -> Option<ErrorId> {
        {
            let mut state = self.state();
            state.note_error(&record);
            record.log = state.log_lines.copy();
        }
        self.report(record)
    }

    /// Keeps a line that the transaction logged, for reports of later errors.
    #[cfg(any(feature = "log", feature = "tracing"))]
    pub(crate) fn keep_log_line(&self, level: Level, target: &str, message: &str) {
        self.change(|state| state.log_lines.push(level, target, message));
    }

    /// Reports an event that did not make the transaction fail.
    pub(crate) fn report(self: &Arc<Self>, record: ErrorRecord) -> Option<ErrorId> {
        self.recorder.capture(record, Some(Arc::clone(self) as _))
    }

    /// Reports a panic, from the panic hook. It never waits for the lock, since the panicking code may hold it.
    pub(crate) fn report_panic(self: &Arc<Self>, mut record: ErrorRecord) {
        if let Ok(mut state) = self.state.try_lock() {
            state.note_error(&record);
            record.log = state.log_lines.copy();
        }
        self.recorder.capture(record, Some(Arc::clone(self) as _));
    }

    /// Reports a panic that unwinds through the adapter, unless the agent's hook has reported it. The application may
    /// have replaced that hook by its own.
    ///
    /// A panic that passes through several transactions is reported once, with the innermost.
    #[cold]
    pub(crate) fn report_unhooked_panic(self: &Arc<Self>, record: impl FnOnce() -> ErrorRecord) {
        if !reported_panic::is_reported() {
            reported_panic::note_missed();
            self.report_error(record());
        }
    }

    /// Returns whether an error was reported that ended or will end the transaction.
    pub(crate) fn has_error(&self) -> bool {
        self.state().error.is_some()
    }

    /// Returns the id of the report that stands for the failure. The id never changes afterwards, since the caller may
    /// show it to a user.
    pub(crate) fn error(&self) -> Option<ErrorId> {
        let mut state = self.state();
        let primary = state.error.as_mut()?;
        Some(primary.request_id())
    }
}

impl TransactionHandle for Active {
    fn has_ended(&self) -> bool {
        self.state().ended
    }

    fn name(&self) -> String {
        self.state().record.name.to_string()
    }

    fn error_id(&self) -> Option<ErrorId> {
        self.state().error.as_ref().map(|primary| primary.id())
    }

    fn complete_error(&self, error: &mut ErrorRecord) {
        let state = self.state();
        let record = &state.record;
        error.transaction = Some(TransactionReference {
            id: self.id,
            name: record.name.to_string(),
            kind: record.kind.clone(),
            result: (state.ended || state.has_result).then(|| record.result.clone()),
        });
        error.request = record.request.clone();
        error.response_headers.clone_from(&record.response_headers);
        error.user.clone_from(&record.user);
        error.tags.extend(record.tags.iter().cloned());
        error.extra.extend(record.extra.iter().cloned());
    }
}
