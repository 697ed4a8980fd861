//! Late work: work that may outlive its transaction.

use super::code_name::CodeName;
use super::context::Context;
use crate::record::Outcome;
use crate::transaction::running::job_result;

/// The context of work that continues in a transaction of its own when its first transaction has ended.
pub(in crate::transaction) struct LateWork {
    pub(in crate::transaction) context: Context,
    name: CodeName,
}

impl LateWork {
    pub(in crate::transaction) fn new(context: Context, name: CodeName) -> Self {
        Self { context: context.for_late_work(), name }
    }

    /// Makes the work's transaction current until the guard is dropped.
    ///
    /// The guard ends the work's own transaction if a panic unwinds through it: executors catch the panic, and drop the
    /// work when the thread is not panicking any more.
    pub(in crate::transaction) fn enter(&mut self) -> EnteredLate<'_> {
        self.context.resume();
        EnteredLate { work: self, was_panicking: std::thread::panicking() }
    }

    /// Runs a closure as the whole of the work.
    pub(in crate::transaction) fn run<T>(mut self, work: impl FnOnce() -> T) -> T {
        self.context.continue_late();
        let output = {
            let _entered = self.enter();
            work()
        };
        self.end();
        output
    }

    /// Returns whether the work has a transaction of its own.
    pub(in crate::transaction) fn has_own_transaction(&self) -> bool {
        self.context.has_own_transaction()
    }

    /// Ends the work's own transaction, if it has one.
    pub(in crate::transaction) fn end(&mut self) {
        self.end_with(Outcome::Ok);
    }

    /// Ends the own transaction of work that was dropped before its end.
    pub(in crate::transaction) fn cancel(&mut self) {
        self.end_with(Outcome::ClientGone);
    }

    fn end_with(&mut self, outcome: Outcome) {
        if let Some(own) = self.context.take_own_transaction() {
            own.set_route_name(self.name.to_string().into());
            let outcome = if std::thread::panicking() { Outcome::Panicked } else { outcome };
            own.end_job(outcome, outcome != Outcome::Ok, job_result);
        }
    }
}

/// Keeps the transaction of late work current.
pub(in crate::transaction) struct EnteredLate<'a> {
    work: &'a mut LateWork,
    /// A destructor that runs while another panic unwinds has not panicked itself.
    was_panicking: bool,
}

impl Drop for EnteredLate<'_> {
    fn drop(&mut self) {
        self.work.context.pause();
        if std::thread::panicking() && !self.was_panicking {
            self.work.cancel();
        }
    }
}
