//! The running part of an agent, which all clones of the agent share.

use std::time::Duration;

use crate::diagnosis::Probe;
use crate::pipeline::Pipeline;

/// The running part of an agent. It stops when the last clone of the agent is dropped.
pub(crate) struct RunningAgent {
    pub(crate) pipeline: Pipeline,
    pub(crate) shutdown_timeout: Duration,
    /// Contacts the server for a diagnosis, on a thread of its own.
    pub(crate) probe: Probe,
}

impl RunningAgent {
    /// Delivers the recorded data before the process ends.
    pub(crate) fn flush_before_exit(&self) {
        // The process is about to abort, so no caller could handle an error.
        let _ = self.pipeline.flush(self.shutdown_timeout);
    }
}

/// Delivers the recorded data within [`Config::shutdown_timeout`](crate::Config::shutdown_timeout).
impl Drop for RunningAgent {
    fn drop(&mut self) {
        // An application that needs the result calls `Agent::shutdown` before; then this does nothing.
        let _ = self.pipeline.shut_down(self.shutdown_timeout);
    }
}
