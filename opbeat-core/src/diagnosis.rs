//! What works and what does not.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::config::ConfigError;
use crate::pipeline::{Build, Contact};
use crate::record::Drops;

/// What works of the monitoring and what does not, from [`Agent::diagnose`](crate::Agent::diagnose).
///
/// Its `Display` form says it in a few lines, for a log or a page for developers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Whether anything is recorded.
    pub is_recording: bool,
    /// Whether the server is reached and accepts the token, and what to do if not.
    pub server: Contact,
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
        writeln!(f, "server: {}", self.server)?;
        writeln!(f, "build: {}", self.build)?;
        writeln!(f, "left out since the start: {}", self.drops)?;
        write!(f, "spans outside of all transactions: {}", self.spans_without_transaction)
    }
}

/// Asks the way out whether a delivery would work.
pub(crate) type Probe = Arc<dyn Fn() -> Contact + Send + Sync + UnwindSafe + RefUnwindSafe>;

/// The longest time that a diagnosis waits for the server: a look-up of its name alone may take longer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks on a thread of its own, which may block and may hang: whoever wants to know may be an executor.
pub(crate) fn ask(probe: &Probe) -> Contact {
    let (probe, (tell, told)) = (Arc::clone(probe), mpsc::sync_channel(1));
    let asked = thread::Builder::new().name("opbeat-probe".to_owned()).spawn(move || {
        // Nobody waits any more if it took too long.
        let _ = tell.send(probe());
    });
    let answer = match asked {
        Ok(_) => told.recv_timeout(TIMEOUT),
        Err(error) => return Contact::new(format!("not asked: {}", ConfigError::Thread(error))),
    };
    answer.unwrap_or_else(|why| match why {
        RecvTimeoutError::Timeout => Contact::unreached(format!("no answer within {} s", TIMEOUT.as_secs())),
        RecvTimeoutError::Disconnected => Contact::new("not known: the question panicked"),
    })
}
