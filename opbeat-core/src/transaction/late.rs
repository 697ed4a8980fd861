//! What may outlive its transaction.

use std::sync::Arc;

use super::code_name::CodeName;
use super::context::Late;
use super::guard::word;
use super::{Active, Context};
use crate::record::Outcome;

/// The context of work that goes on when its transaction is over, in one of its own.
pub(super) struct LateWork {
    pub(super) context: Context,
    name: CodeName,
}

impl LateWork {
    pub(super) fn new(context: Context, name: CodeName) -> Self {
        Self { context: Context { late: Late::GoesOn, ..context }, name }
    }

    /// Makes the work's transaction current until the guard is dropped, which has to be seen by a panic: executors catch
    /// it, and drop the work when nothing unwinds any more.
    pub(super) fn enter(&mut self) -> EnteredLate<'_> {
        self.context.swap();
        EnteredLate { work: self, was_panicking: std::thread::panicking() }
    }

    /// Runs a closure, which is all of the work.
    pub(super) fn run<T>(mut self, work: impl FnOnce() -> T) -> T {
        self.context.go_on();
        let output = {
            let _entered = self.enter();
            work()
        };
        self.end();
        output
    }

    /// Returns whether the work has a transaction of its own by now.
    pub(super) fn is_alone(&self) -> bool {
        self.context.late == Late::Alone
    }

    /// Ends the work's own transaction, if it has one.
    pub(super) fn end(&mut self) {
        self.end_alone(Outcome::Ok);
    }

    /// Ends the own transaction of work that was dropped before its end.
    pub(super) fn cancel(&mut self) {
        self.end_alone(Outcome::ClientGone);
    }

    fn end_alone(&mut self, outcome: Outcome) {
        if !self.is_alone() {
            return;
        }
        self.context.late = Late::Lost;
        if let Some(own) = &self.context.transaction {
            own.name(self.name.to_string().into());
            let outcome = if std::thread::panicking() { Outcome::Panicked } else { outcome };
            Arc::clone(own).end_now(outcome, outcome != Outcome::Ok, word);
        }
    }
}

/// Keeps the transaction of late work current.
pub(super) struct EnteredLate<'a> {
    work: &'a mut LateWork,
    /// Destructors that run while another panic unwinds are not panicking themselves.
    was_panicking: bool,
}

impl Drop for EnteredLate<'_> {
    fn drop(&mut self) {
        self.work.context.swap();
        if std::thread::panicking() && !self.was_panicking {
            self.work.cancel();
        }
    }
}

impl Context {
    /// Begins a transaction for what is left of the work, if the one that it was part of is over.
    #[inline]
    pub(super) fn go_on(&mut self) {
        if self.late == Late::GoesOn {
            self.go_on_if_over();
        }
    }

    #[cold]
    fn go_on_if_over(&mut self) {
        if let Some(parent) = self.transaction.as_ref().filter(|_| self.has_ended()) {
            let child = Active::begin(&parent.recorder, "task.detached".into(), |child| child.set_parent(parent));
            *self = Self { late: Late::Alone, ..Self::of(child) };
        }
    }
}
