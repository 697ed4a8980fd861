//! Processor time, which other processes do not add to as they do to wall time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Returns what the calling thread has spent.
pub fn thread() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// Returns what all threads of this process have spent.
pub fn process() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::try_from(time).expect("processor time is not negative")
}
