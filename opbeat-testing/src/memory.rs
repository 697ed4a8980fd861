//! An exporter that keeps all records in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opbeat_core::export::{Batch, ExportError, Exporter};
use opbeat_core::record::{BreakdownRecord, CheckInRecord, DurationGroup, ErrorRecord, TransactionRecord};

/// An exporter that keeps all records in memory, to be read by a test after
/// [`Agent::flush`](opbeat_core::Agent::flush).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use opbeat_core::{Agent, Config};
/// use opbeat_testing::MemoryExporter;
///
/// let exporter = MemoryExporter::default();
/// let agent = Agent::with_exporter(&Config::default(), exporter.clone());
/// agent.begin_transaction("task.example").end("example", "ok");
/// agent.flush(Duration::from_secs(5))?;
/// assert_eq!(exporter.count("example"), 1);
/// # Ok::<(), opbeat_core::export::FlushError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryExporter {
    kept: Arc<Mutex<Batch>>,
}

impl MemoryExporter {
    /// Returns the number of counted transactions of this name.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        let kept = self.kept();
        kept.durations.iter().filter(|group| group.name == name).map(|group| group.milliseconds.len()).sum()
    }

    /// Returns the durations of all transactions, by group.
    #[must_use]
    pub fn durations(&self) -> Vec<DurationGroup> {
        self.kept().durations.clone()
    }

    /// Returns the self time by kind of span.
    #[must_use]
    pub fn breakdown(&self) -> Vec<BreakdownRecord> {
        self.kept().breakdown.clone()
    }

    /// Returns the sampled transactions.
    #[must_use]
    pub fn samples(&self) -> Vec<TransactionRecord> {
        self.kept().samples.clone()
    }

    /// Returns the errors.
    #[must_use]
    pub fn errors(&self) -> Vec<ErrorRecord> {
        self.kept().errors.clone()
    }

    /// Returns the starts and ends of scheduled jobs.
    #[must_use]
    pub fn check_ins(&self) -> Vec<CheckInRecord> {
        self.kept().check_ins.clone()
    }

    /// Removes and returns all records.
    pub fn take(&self) -> Batch {
        std::mem::take(&mut *self.kept())
    }

    fn kept(&self) -> MutexGuard<'_, Batch> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exporter for MemoryExporter {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        let mut kept = self.kept();
        kept.durations.append(&mut batch.durations);
        kept.breakdown.append(&mut batch.breakdown);
        kept.samples.append(&mut batch.samples);
        kept.errors.append(&mut batch.errors);
        kept.check_ins.append(&mut batch.check_ins);
        kept.drops += batch.drops;
        Ok(())
    }
}
