//! The outputs of jobs, from which their results and error reports are made.

use std::error::Error;

use crate::capture::CapturedError;
use crate::transaction::Transaction;

/// The output of a job: `()`, or a `Result` with an error that can be reported.
///
/// It is implemented for errors that implement [`Error`], boxed errors, `String`, and types such as `anyhow::Error` that
/// convert to `&(dyn Error + Send + Sync)`. The parameter `Kind` separates these implementations, and the
/// compiler finds it.
pub trait JobOutput<Kind> {
    /// Returns the error of a failed job.
    fn failure(&self) -> Option<CapturedError>;
}

/// Markers for [`JobOutput`]: the kind of a job's error.
mod kinds {
    #[derive(Debug)]
    pub struct Nothing;
    #[derive(Debug)]
    pub struct AnError;
    #[derive(Debug)]
    pub struct HoldsError;
    #[derive(Debug)]
    pub struct LocalBox;
    #[derive(Debug)]
    pub struct Text;
}

impl JobOutput<kinds::Nothing> for () {
    fn failure(&self) -> Option<CapturedError> {
        None
    }
}

impl<T, E: Error> JobOutput<kinds::AnError> for Result<T, E> {
    fn failure(&self) -> Option<CapturedError> {
        self.as_ref().err().map(CapturedError::received)
    }
}

impl<T, E: AsRef<dyn Error + Send + Sync>> JobOutput<kinds::HoldsError> for Result<T, E> {
    fn failure(&self) -> Option<CapturedError> {
        self.as_ref().err().map(|error| CapturedError::received(error.as_ref()))
    }
}

impl<T> JobOutput<kinds::LocalBox> for Result<T, Box<dyn Error>> {
    fn failure(&self) -> Option<CapturedError> {
        self.as_ref().err().map(|error| CapturedError::received(&**error))
    }
}

impl<T> JobOutput<kinds::Text> for Result<T, String> {
    fn failure(&self) -> Option<CapturedError> {
        self.as_ref().err().map(CapturedError::described)
    }
}

impl Transaction {
    /// Ends the transaction with the output of its job: as `ok`, or as `failed` if that is an error, which is reported.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_core::{Agent, Config};
    /// # use opbeat_testing::MemoryExporter;
    /// # let agent = Agent::with_exporter(&Config::default(), MemoryExporter::default());
    /// let transaction = agent.begin_transaction("task.import");
    /// transaction.set_name("shop.import");
    /// let rows = transaction.run(|| "twelve".parse::<u32>());
    /// transaction.finish(&rows);
    /// ```
    pub fn finish<Kind>(self, output: &impl JobOutput<Kind>) {
        match output.failure() {
            Some(error) => {
                self.report_captured(&error);
                self.fail();
            }
            None => self.complete(),
        }
    }
}
