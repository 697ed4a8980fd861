//! Delivers the recorded data when the main thread ends, because the process ends with it.
//!
//! The last clone of an agent may belong to another thread, such as a worker of a server, which the end of the process
//! stops in the middle of its delivery. `std::process::exit` drops no clone at all. Both run the destructors of the main
//! thread's thread-local values: on Linux with glibc and on macOS. Elsewhere, nothing is delivered here.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use crate::caught::caught;
use crate::pipeline::Pipeline;

thread_local! {
    static AT_END: RefCell<AtEnd> = const { RefCell::new(AtEnd(Vec::new())) };
}

/// The pipelines that were started on the main thread.
struct AtEnd(Vec<Started>);

struct Started {
    pipeline: Pipeline,
    /// The longest time of the last delivery.
    timeout: Duration,
    /// The process that started it. A fork has a copy of this value, and none of the agent's threads.
    process: u32,
}

/// Delivers the data of a pipeline when the main thread ends. It does nothing on other threads.
pub(crate) fn deliver_at_end(pipeline: &Pipeline, timeout: Duration) {
    // On Windows, such destructors run when the system has stopped all other threads already.
    if cfg!(windows) || thread::current().name() != Some("main") {
        return;
    }
    // If the thread is ending already, the agent's own end has to suffice.
    let _ = AT_END.try_with(|at_end| {
        let AtEnd(pipelines) = &mut *at_end.borrow_mut();
        pipelines.retain(|started| started.pipeline.recorder().is_open());
        pipelines.push(Started { pipeline: pipeline.clone(), timeout, process: std::process::id() });
    });
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        let process = std::process::id();
        for Started { pipeline, timeout, .. } in self.0.drain(..).filter(|started| started.process == process) {
            // An application that needs the result calls `Agent::shutdown` before. A pipeline that another thread is
            // shutting down has to be waited for, too.
            caught(|| _ = pipeline.flush(timeout));
        }
    }
}
