//! A failure on its way to where it is reported.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::record::{carried_record, error_record, printed_record, typed_error_record};
use crate::record::{ErrorRecord, Stack};

/// A failure that was captured where it happened, and is reported where its request ends.
///
/// It knows the error's type, its chain of sources, the stack, and the line that made it. It is cheap to clone, so that a
/// response can carry it: the adapters look for one among a failed response's extensions.
///
/// # Examples
///
/// ```
/// use opbeat_core::http::CapturedError;
///
/// let error = "twelve".parse::<u32>().unwrap_err();
/// let failure = CapturedError::new(&error);
/// assert_eq!(failure.to_string(), "invalid digit found in string");
/// ```
#[derive(Clone)]
pub struct CapturedError {
    record: Arc<ErrorRecord>,
}

impl CapturedError {
    /// Captures an error here: this call's line is the one that is shown.
    #[track_caller]
    #[must_use]
    pub fn new<E: Error + ?Sized>(error: &E) -> Self {
        Self { record: Arc::new(error_record(error)) }
    }

    /// Captures an error here whose type is gone, though it is known to have been made from an `E`: a boxed one.
    #[track_caller]
    #[must_use]
    pub fn of_type<E>(error: &(dyn Error + 'static)) -> Self {
        Self { record: Arc::new(typed_error_record::<E>(error)) }
    }

    /// Takes over an error that was brought here from elsewhere, by a response or a service: without stack and place, which
    /// would be of those who found it, and the same for all errors.
    #[must_use]
    pub fn carried<E: Error + ?Sized>(error: &E) -> Self {
        Self { record: Arc::new(carried_record(error)) }
    }

    /// Takes over what was brought here from elsewhere and is no error, but can be printed.
    ///
    /// # Examples
    ///
    /// ```
    /// use opbeat_core::http::CapturedError;
    ///
    /// #[derive(Debug)]
    /// enum AppError {
    ///     NoShelf(u32),
    /// }
    ///
    /// assert_eq!(CapturedError::printed(&AppError::NoShelf(3)).to_string(), "NoShelf(3)");
    /// ```
    #[must_use]
    pub fn printed<T: fmt::Debug>(failure: &T) -> Self {
        Self { record: Arc::new(printed_record(failure)) }
    }

    /// Forgets the stack and the place: for failures that are made far from where something failed.
    #[must_use]
    pub fn without_place(self) -> Self {
        let mut record = Arc::unwrap_or_clone(self.record);
        (record.location, record.stack) = (None, Stack::default());
        Self { record: Arc::new(record) }
    }

    pub(crate) fn record(&self) -> ErrorRecord {
        (*self.record).clone()
    }
}

impl<E: Error> From<E> for CapturedError {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(&error)
    }
}

/// Says what the error said.
impl fmt::Display for CapturedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.record.message)
    }
}

impl fmt::Debug for CapturedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = &self.record;
        f.debug_struct("CapturedError")
            .field("type_name", &record.type_name)
            .field("message", &record.message)
            .field("causes", &record.causes)
            .field("location", &record.location)
            .finish_non_exhaustive()
    }
}
