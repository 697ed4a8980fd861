//! The result of a check of the monitoring.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::pipeline::{Build, Contact};
use crate::record::Drops;
use crate::reported_panic::REPLACED;

/// The state of the monitoring, from [`Agent::diagnose`](crate::Agent::diagnose).
///
/// Its `Display` form has a few lines, for a log or a page for developers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Whether anything is recorded.
    pub is_recording: bool,
    /// Whether the server is reached and accepts the token, and a remedy if not.
    pub server: Contact,
    /// How the application was built.
    pub build: Build,
    /// The number of transactions that have begun and not ended.
    pub open_transactions: u64,
    /// The data that was recorded and dropped since the start.
    pub drops: Drops,
    /// The number of spans that were started outside of a running transaction, and so were not recorded. A task or
    /// thread was started without its transaction: [`CurrentTransaction::detach`](crate::CurrentTransaction::detach) or
    /// [`wrap_fn`](crate::CurrentTransaction::wrap_fn) passes it on.
    pub spans_without_transaction: u64,
    /// The number of spans that were still running when their transaction ended. They are shown as long as the
    /// transaction. Either their guards were forgotten, or work outlives its transaction.
    pub unfinished_spans: u64,
    /// Whether the application replaced the agent's panic hook, as far as a panic has shown it. The hook must be set
    /// before the agent starts.
    pub is_panic_hook_replaced: bool,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recording = if self.is_recording { "requests are recorded" } else { "nothing is recorded" };
        writeln!(f, "monitoring: {recording}")?;
        writeln!(f, "server: {}", self.server)?;
        writeln!(f, "build: {}", self.build)?;
        writeln!(f, "open transactions: {}", self.open_transactions)?;
        writeln!(f, "dropped since the start: {}", self.drops)?;
        writeln!(f, "spans outside of a running transaction: {}", self.spans_without_transaction)?;
        write!(f, "spans that outlived their transaction: {}", self.unfinished_spans)?;
        if self.is_panic_hook_replaced { write!(f, "\npanic hook: {REPLACED}") } else { Ok(()) }
    }
}

/// Checks whether a delivery would work.
pub(crate) type Probe = Arc<dyn Fn() -> Contact + Send + Sync + UnwindSafe + RefUnwindSafe>;

/// The longest time that a diagnosis waits for the server. Resolving its name alone may take longer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the check on a thread of its own, because it may block or hang, and the caller may be an executor's thread.
pub(crate) fn run_probe(probe: &Probe) -> Contact {
    let (probe, (sender, receiver)) = (Arc::clone(probe), mpsc::sync_channel(1));
    let started = thread::Builder::new().name("opbeat-probe".to_owned()).spawn(move || {
        // After the timeout, nothing receives the result.
        let _ = sender.send(probe());
    });
    let result = match started {
        Ok(_) => receiver.recv_timeout(TIMEOUT),
        Err(error) => return Contact::new(format!("not checked: cannot start a thread: {error}")),
    };
    result.unwrap_or_else(|error| match error {
        RecvTimeoutError::Timeout => Contact::unreached(format!(
            "no response within {} s; check that OPBEAT_SERVER_URL is right and the server runs",
            TIMEOUT.as_secs()
        )),
        RecvTimeoutError::Disconnected => {
            Contact::new("not known: the check panicked, which is a bug in opbeat-core: please report it")
        }
    })
}
