//! Processor time, to which other processes do not add, unlike wall time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Returns the processor time of the calling thread.
pub fn thread() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// Returns the processor time of all threads of this process.
pub fn process() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::try_from(time).expect("processor time is not negative")
}
