//! The application's functions that change or drop what is sent.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Once};

use crate::caught::caught_quietly;
use crate::notice::warn_once;
use crate::record::{ErrorRecord, TransactionRecord};

/// A function of the application that may change a record, and returns whether it is sent.
pub(crate) type Hook<T> = Arc<dyn Fn(&mut T) -> bool + Send + Sync>;

/// The functions of the application, if there are any.
#[derive(Clone, Default)]
pub(crate) struct BeforeSend {
    pub(crate) error: Option<Hook<ErrorRecord>>,
    pub(crate) sample: Option<Hook<TransactionRecord>>,
}

/// The decision about a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Send,
    /// The application does not want it.
    Discard,
    /// The function panicked. The record may contain what the function was to remove, so it is not sent.
    Failed,
}

impl BeforeSend {
    pub(super) fn error(&self, record: &mut ErrorRecord) -> Decision {
        decide(self.error.as_ref(), record)
    }

    pub(super) fn sample(&self, record: &mut TransactionRecord) -> Decision {
        decide(self.sample.as_ref(), record)
    }
}

fn decide<T>(hook: Option<&Hook<T>>, record: &mut T) -> Decision {
    static WARNED: Once = Once::new();
    let Some(hook) = hook else { return Decision::Send };
    match caught_quietly(|| hook(record)) {
        Some(true) => Decision::Send,
        Some(false) => Decision::Discard,
        None => {
            warn_once(
                &WARNED,
                "a function of the application that decides about a report panicked. The report is dropped, and so is \
                 each further one for which it panics: see `Config::before_send_error` and `Config::before_send_sample`",
            );
            Decision::Failed
        }
    }
}

/// A function that panics is called again with the next record, so a half-changed state is the function's own concern.
impl UnwindSafe for BeforeSend {}
impl RefUnwindSafe for BeforeSend {}

impl fmt::Debug for BeforeSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BeforeSend").finish_non_exhaustive()
    }
}
