//! The report that a transaction's failure is known by.

use crate::record::{ErrorId, ErrorRecord, Origin};

/// The report that a transaction's failure is known by: what ended it, as far as that can be told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) id: ErrorId,
    origin: Origin,
    words: String,
    /// Somebody asked for the id, and may have shown it.
    pub(super) is_shown: bool,
}

impl Told {
    fn new(record: &ErrorRecord) -> Box<Self> {
        Box::new(Self { id: record.id, origin: record.origin, words: record.message.clone(), is_shown: false })
    }

    /// Notes a report. A later one of another failure stands in an earlier one's place, unless it tells less: what was
    /// logged or captured before is what the application coped with.
    #[cold]
    pub(super) fn note(told: &mut Option<Box<Self>>, record: &ErrorRecord) {
        let stays = told.as_ref().is_some_and(|told| {
            told.is_shown || told.origin > record.origin || (told.origin == record.origin && told.is_told_by(record))
        });
        if !stays {
            *told = Some(Self::new(record));
        }
    }

    fn is_told_by(&self, record: &ErrorRecord) -> bool {
        let words = self.words.as_str();
        record.message.contains(words)
            || words.contains(record.message.as_str())
            || record.causes.iter().any(|cause| cause.message == words)
    }
}
