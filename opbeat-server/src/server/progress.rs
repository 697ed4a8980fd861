//! The worker's progress: how long accepted data waits to be stored.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::queue::Position;

/// The largest number of marks. With more of them, every second one is dropped, so that the lag becomes less exact.
const MAX_MARKS: usize = 1_024;

/// The positions of the queue's two ends over time.
#[derive(Debug)]
pub(super) struct Progress {
    /// Ends of the queue that the worker has not reached, each with the time at which it was the end.
    marks: VecDeque<(Position, Instant)>,
    /// The worker's position, and the time since which it has not moved.
    worker: (Position, Instant),
}

/// How long data has been waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lag {
    /// The age of the oldest data that is not stored. Data of an earlier run counts from the start of this one.
    pub(super) oldest: Duration,
    /// The time for which data has been waiting and none was stored.
    pub(super) without_progress: Duration,
}

impl Progress {
    pub(super) fn new(now: Instant) -> Self {
        Self { marks: VecDeque::new(), worker: (Position::default(), now) }
    }

    /// Records the worker's position and the queue's end.
    pub(super) fn observe(&mut self, (worker, end): (Position, Position), now: Instant) -> Lag {
        while self.marks.front().is_some_and(|(mark, _)| *mark <= worker) {
            self.marks.pop_front();
        }
        if self.worker.0 != worker || self.marks.is_empty() {
            self.worker = (worker, now);
        }
        if end > worker && self.marks.back().is_none_or(|(mark, _)| *mark < end) {
            if self.marks.len() >= MAX_MARKS {
                // The second of two marks gets the time of the first one, so that no data seems younger than it is.
                let mut first = None;
                self.marks.retain_mut(|(_, at)| match first.take() {
                    Some(earlier) => {
                        *at = earlier;
                        true
                    }
                    None => {
                        first = Some(*at);
                        false
                    }
                });
            }
            self.marks.push_back((end, now));
        }
        let Some((_, oldest)) = self.marks.front() else {
            return Lag { oldest: Duration::ZERO, without_progress: Duration::ZERO };
        };
        Lag { oldest: now.duration_since(*oldest), without_progress: now.duration_since(self.worker.1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> Position {
        Position { segment: 1, offset }
    }

    #[test]
    fn the_lag_is_the_age_of_the_oldest_data() {
        let start = Instant::now();
        let second = |seconds: u64| start + Duration::from_secs(seconds);
        let mut progress = Progress::new(start);
        let mut observe = |worker, end, seconds| {
            let lag = progress.observe((at(worker), at(end)), second(seconds));
            (lag.oldest.as_secs(), lag.without_progress.as_secs())
        };
        assert_eq!(observe(0, 0, 5), (0, 0));
        assert_eq!(observe(0, 10, 6), (0, 0), "an idle worker is not without progress");
        assert_eq!(observe(0, 20, 7), (1, 1));
        assert_eq!(observe(10, 30, 9), (2, 0), "the data of second 7 is the oldest now");
        assert_eq!(observe(10, 30, 12), (5, 3));
        assert_eq!(observe(30, 30, 13), (0, 0));
    }

    #[test]
    fn a_long_outage_takes_little_memory_and_keeps_its_age() {
        let start = Instant::now();
        let mut progress = Progress::new(start);
        let mut lag = None;
        for second in 0..20_000 {
            lag = Some(progress.observe((at(0), at(second + 1)), start + Duration::from_secs(second)));
        }
        assert_eq!(lag.map(|lag| lag.oldest.as_secs()), Some(19_999));
        assert!(progress.marks.len() <= MAX_MARKS);
    }
}
