//! The last lines that a transaction logged, for its error reports.

use crate::clock::Instant;
use crate::record::{Level, LogLine};

/// The largest number of lines that are kept. Older ones are overwritten.
const MAX_LINES: usize = 20;

/// The largest number of bytes of the messages of one report. The oldest lines are left out first.
const MAX_REPORTED: usize = 8 * 1024;

/// The capacity in bytes that is kept for the next transaction.
const MAX_KEPT: usize = 4 * 1024;

/// The last lines in a ring, whose allocations are reused.
#[derive(Default)]
pub(super) struct LogLines {
    ring: Vec<Line>,
    /// The number of lines since the start of the transaction.
    total: usize,
}

struct Line {
    level: Level,
    at: Instant,
    /// The target, followed by the message.
    text: String,
    target: usize,
}

impl LogLines {
    /// Adds a line. The caller has cut its texts.
    #[cfg_attr(not(any(feature = "log", feature = "tracing")), expect(dead_code, reason = "only `events` uses it"))]
    pub(super) fn push(&mut self, level: Level, target: &str, message: &str) {
        let at = Instant::now();
        let index = self.total % MAX_LINES;
        if index >= self.ring.len() {
            self.ring.push(Line { level, at, text: String::new(), target: 0 });
        }
        if let Some(line) = self.ring.get_mut(index) {
            line.text.clear();
            line.text.extend([target, message]);
            (line.level, line.at, line.target) = (level, at, target.len());
            self.total += 1;
        }
    }

    /// Copies the lines, the oldest first.
    #[cold]
    pub(super) fn copy(&self) -> Vec<LogLine> {
        let now = Instant::now();
        let mut room = MAX_REPORTED;
        let newest_first = (self.total.saturating_sub(MAX_LINES)..self.total).rev();
        let lines = newest_first.map_while(|index| {
            let line = self.ring.get(index % MAX_LINES)?;
            let (target, message) = line.text.split_at_checked(line.target)?;
            room = room.checked_sub(message.len())?;
            let before = now.saturating_duration_since(line.at);
            Some(LogLine { level: line.level, before, target: target.to_owned(), message: message.to_owned() })
        });
        let mut lines: Vec<LogLine> = lines.collect();
        lines.reverse();
        lines
    }

    /// Removes all lines, and keeps their allocations unless they are large.
    pub(super) fn clear(&mut self) {
        if self.total > 0 {
            self.total = 0;
            let mut room = MAX_KEPT;
            self.ring.retain(|line| {
                let capacity = line.text.capacity();
                let is_kept = capacity <= room;
                room = room.saturating_sub(capacity);
                is_kept
            });
        }
    }
}
