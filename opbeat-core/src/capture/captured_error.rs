//! An error that is captured in one place and reported in another.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::record::{debug_record, error_record, failure_record, received_record, typed_error_record};
use crate::record::{ErrorRecord, Stack};

/// An error that was captured where it happened, and is reported where its request ends.
///
/// It contains the error's type, its chain of sources, the stack, and the line that captured it. It is cheap to clone,
/// so that a response can carry it: the adapters look for one in the extensions of a failed response. Its id stays the
/// same, so that it is one report however often it is reported.
///
/// # Examples
///
/// ```
/// use opbeat_core::http::CapturedError;
///
/// let error = "twelve".parse::<u32>().unwrap_err();
/// let captured = CapturedError::new(&error);
/// assert_eq!(captured.to_string(), "invalid digit found in string");
/// ```
#[derive(Clone)]
pub struct CapturedError {
    record: Arc<ErrorRecord>,
}

impl CapturedError {
    /// Captures an error with the stack and the location of this call.
    #[track_caller]
    #[must_use]
    pub fn new<E: Error + ?Sized>(error: &E) -> Self {
        Self { record: Arc::new(error_record(error)) }
    }

    /// Captures a boxed error that was made from an `E`, with the stack and the location of this call.
    ///
    /// The report shows the name of `E`, which the box no longer has. If `E` can hold any error, such as a box or
    /// `String`, the name comes from the error's `Debug` output.
    #[track_caller]
    #[must_use]
    pub fn of_type<E>(error: &(dyn Error + 'static)) -> Self {
        Self { record: Arc::new(typed_error_record::<E>(error)) }
    }

    /// Captures an error that a response or a service returned, without stack and location.
    ///
    /// Both would be those of the receiving code, and the same for all errors.
    #[must_use]
    pub fn received<E: Error + ?Sized>(error: &E) -> Self {
        Self { record: Arc::new(received_record(error)) }
    }

    /// Captures a failure that is only known by its text, without stack and location.
    pub(crate) fn described<T: fmt::Display>(failure: &T) -> Self {
        Self { record: Arc::new(failure_record(failure)) }
    }

    /// Captures a value that is not an error, by its `Debug` output, without stack and location.
    ///
    /// The output ends before a field `backtrace`, because backtraces are slow to format. If backtraces are enabled in
    /// this process, errors of `anyhow` and `eyre` have the form of `{:#?}`, in one line.
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
    /// assert_eq!(CapturedError::from_debug(&AppError::NoShelf(3)).to_string(), "NoShelf(3)");
    /// ```
    #[must_use]
    pub fn from_debug<T: fmt::Debug>(value: &T) -> Self {
        Self { record: Arc::new(debug_record(value)) }
    }

    /// Removes the stack and the location, for an error that was captured far from where it happened.
    #[must_use]
    pub fn without_location(self) -> Self {
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

/// Writes the error's message.
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
