//! The running agents of the process. Errors outside of all transactions are reported to the latest one.

use std::sync::{Arc, RwLock, TryLockError, Weak};

use crate::lock::unpoisoned;
use crate::pipeline::{Recorder, WeakRecorder};
use crate::running_agent::RunningAgent;

/// The running agents, in the order of their start.
static AGENTS: RwLock<Vec<Entry>> = RwLock::new(Vec::new());

/// An agent that this list does not keep alive.
struct Entry {
    agent: Weak<RunningAgent>,
    /// Reports need the recorder only. Upgrading the agent for each of them could make the reporting thread drop its
    /// last handle, and wait for its last delivery.
    recorder: WeakRecorder,
}

/// Adds an agent that has just been started.
pub(crate) fn add(agent: &Arc<RunningAgent>) {
    let mut agents = unpoisoned(AGENTS.write());
    agents.retain(|entry| entry.agent.strong_count() > 0);
    agents.push(Entry { agent: Arc::downgrade(agent), recorder: agent.pipeline.recorder().downgrade() });
}

/// Returns the recorder of the running agent that was started last.
pub(crate) fn recorder() -> Option<Recorder> {
    find(|entry| entry.recorder.upgrade())
}

/// Returns the running agent that was started last.
pub(crate) fn agent() -> Option<Arc<RunningAgent>> {
    find(|entry| entry.agent.upgrade())
}

/// Searches the agents from the latest to the first. It returns `None` instead of waiting while an agent starts: the
/// caller may be the panic hook, for a panic of that start.
fn find<T>(look: impl Fn(&Entry) -> Option<T>) -> Option<T> {
    let agents = match AGENTS.try_read() {
        Ok(agents) => agents,
        Err(TryLockError::Poisoned(agents)) => agents.into_inner(),
        Err(TryLockError::WouldBlock) => return None,
    };
    agents.iter().rev().find_map(look)
}
