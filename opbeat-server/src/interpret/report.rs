//! Turns a report into changes of the store.

use opbeat_protocol::read::Notes;

use super::origin::Origin;
use super::{errors, releases, transactions};
use crate::changes::Changes;
use crate::decode::{Decoded, Report};

/// Returns the changes of a report, and of the notes on what was changed in it.
pub(crate) fn interpret(origin: &Origin, decoded: Decoded) -> Changes {
    let Decoded { report, notes } = decoded;
    let mut changes = match report {
        Report::Error(body) => errors::changes(origin, *body, &notes),
        Report::Transactions(body) => transactions::changes(origin, *body),
        Report::Release(body) => releases::release(origin, body),
        Report::Deployment(body) => releases::deployment(origin, body),
    };
    count(origin, &notes, &mut changes);
    changes
}

fn count(origin: &Origin, notes: &Notes, changes: &mut Changes) {
    for note in notes.iter() {
        changes.notes.insert(origin.note(note.oddity.as_str()), note.count);
    }
}
