//! The agents of the process: where errors go that happen outside of all transactions.

use std::sync::{Arc, PoisonError, RwLock, TryLockError, Weak};

use crate::agent::Running;
use crate::pipeline::{Recorder, WeakRecorder};

/// The agents that run, in the order of their start.
static AGENTS: RwLock<Vec<Known>> = RwLock::new(Vec::new());

/// An agent that is not kept alive. Its recorder is at hand beside it, since whoever happens to drop the agent's last
/// handle has to wait for its last delivery.
struct Known {
    agent: Weak<Running>,
    recorder: WeakRecorder,
}

/// Notes an agent that has just been started.
pub(crate) fn enroll(agent: &Arc<Running>, recorder: &Recorder) {
    let mut agents = AGENTS.write().unwrap_or_else(PoisonError::into_inner);
    agents.retain(|known| known.agent.strong_count() > 0);
    agents.push(Known { agent: Arc::downgrade(agent), recorder: recorder.downgrade() });
}

/// Returns the recorder of the agent that was started last and still runs.
pub(crate) fn recorder() -> Option<Recorder> {
    find(|known| known.recorder.upgrade())
}

/// Returns the agent that was started last and still runs.
pub(crate) fn agent() -> Option<Arc<Running>> {
    find(|known| known.agent.upgrade())
}

/// Finds nothing rather than waiting for an agent that starts right now: the start itself may have panicked.
fn find<T>(look: impl Fn(&Known) -> Option<T>) -> Option<T> {
    let agents = match AGENTS.try_read() {
        Ok(agents) => agents,
        Err(TryLockError::Poisoned(agents)) => agents.into_inner(),
        Err(TryLockError::WouldBlock) => return None,
    };
    agents.iter().rev().find_map(look)
}
