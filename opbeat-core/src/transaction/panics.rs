//! Panics that unwind through the polls of a transaction.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::scope::Context;
use crate::capture::caught_panic_record;
use crate::caught::caught;
use crate::reported_panic;

/// Calls a closure, and reports its panic with the current transaction, unless it was reported already. The panic then
/// continues.
///
/// The agent's hook reports panics with their location and stack. If the application replaced the hook, this is the
/// last point where the payload, which contains the message, is available.
#[inline]
pub(crate) fn report_panics<T>(work: impl FnOnce() -> T) -> T {
    reported_panic::expect_panic();
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(output) => output,
        Err(payload) => {
            report_panic(&*payload);
            resume_unwind(payload)
        }
    }
}

/// Reports the panic that unwinds on this thread with the current transaction, unless it was reported already.
#[cold]
pub(crate) fn report_panic(payload: &(dyn Any + Send)) {
    caught(|| {
        if let Some(active) = Context::with(|context| context.transaction.clone()).flatten() {
            active.report_unhooked_panic(|| caught_panic_record(Some(payload)));
        }
    });
}
