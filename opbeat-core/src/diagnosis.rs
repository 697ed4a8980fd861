//! What works and what does not.

use std::fmt;

use crate::pipeline::Build;
use crate::record::Drops;

/// What works of the monitoring and what does not, from [`Agent::diagnose`](crate::Agent::diagnose).
///
/// Its `Display` form says it in a few lines, for a log or a page for developers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Whether anything is recorded.
    pub is_recording: bool,
    /// What the server said, or why nothing reaches it and what to do.
    pub server: Result<String, String>,
    /// How the application was built.
    pub build: Build,
    /// What was recorded and could not be delivered, since the start.
    pub drops: Drops,
    /// Spans that were started where no transaction was current, or where it had ended: some task or thread lost it, and
    /// [`CurrentTransaction::detach`](crate::CurrentTransaction::detach) or
    /// [`wrap_fn`](crate::CurrentTransaction::wrap_fn) would take it along.
    pub spans_without_transaction: u64,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recording = if self.is_recording { "requests are recorded" } else { "nothing is recorded" };
        writeln!(f, "monitoring: {recording}")?;
        match &self.server {
            Ok(found) => writeln!(f, "server: {found}")?,
            Err(reason) => writeln!(f, "server: NOT REACHED: {reason}")?,
        }
        writeln!(f, "build: {}", self.build)?;
        let drops: Vec<String> =
            self.drops.reasons().filter(|(_, count)| *count > 0).map(|(why, count)| format!("{count} {why}")).collect();
        let drops = if drops.is_empty() { "nothing".to_owned() } else { drops.join(", ") };
        writeln!(f, "left out since the start: {drops}")?;
        write!(f, "spans outside of all transactions: {}", self.spans_without_transaction)
    }
}
