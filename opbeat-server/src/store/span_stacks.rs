//! The stacks that spans were started from. Agents send each stack once per process, and samples refer to it by its site.

use std::collections::{BTreeMap, BTreeSet};

use super::caps::{Places, STACKS};
use super::engine::{Connection, Value};
use super::error::StoreError;
use super::notes::NewNotes;
use crate::changes::NewSpanStack;

/// The days for which a stack is kept after the last sample that refers to it is removed. A process that runs for long
/// sends a stack once, and its next sample of a rare transaction refers to it.
pub(super) const KEPT_DAYS: i64 = 30;

/// The stacks that samples refer to: apps and sites.
#[derive(Debug, Default)]
pub(super) struct Uses(BTreeSet<(String, String)>);

impl Uses {
    /// Adds sites of an app.
    pub(super) fn extend(&mut self, app_id: &str, sites: impl Iterator<Item = String>) {
        self.0.extend(sites.map(|site| (app_id.to_owned(), site)));
    }
}

/// Stores the stack of each site as long as its app has places, and remembers the day, in days since 1970, on which stacks
/// were sent or referred to.
pub(super) fn write(
    connection: &mut Connection,
    stacks: &[NewSpanStack],
    Uses(uses): &Uses,
    day: i64,
    notes: &mut NewNotes,
) -> Result<(), StoreError> {
    let stacks: BTreeMap<(&str, &str), &[u8]> =
        stacks.iter().map(|stack| ((&*stack.app_id, &*stack.site), &*stack.frames)).collect();
    let row = |((app_id, site), frames): (&(&str, &str), &&[u8])| {
        vec![
            Value::from((*app_id).to_owned()),
            (*site).to_owned().into(),
            String::from_utf8_lossy(frames).into_owned().into(),
            day.into(),
        ]
    };
    let known = connection.rows_many(
        "SELECT CASE WHEN frames = ?3 AND used_on >= ?4 THEN 0 ELSE 1 END AS is_changed FROM span_stacks
         WHERE app_id = ?1 AND site = ?2",
        &stacks.iter().map(row).collect::<Vec<_>>(),
    )?;
    let mut places = Places::new(&STACKS);
    let mut changed = Vec::new();
    for (stack, known) in stacks.iter().zip(known) {
        let is_changed = match known.first() {
            // The same stack again, which each process sends once, writes nothing.
            Some(row) => row.try_get("is_changed")?,
            None => {
                let is_free = places.take(connection, &stack.0.0.to_owned())?;
                if !is_free {
                    notes.fold(stack.0.0, &STACKS, 1);
                }
                is_free
            }
        };
        if is_changed {
            changed.push(row(stack));
        }
    }
    connection.execute_many(
        "INSERT INTO span_stacks (app_id, site, frames, used_on) VALUES (?, ?, ?, ?)
         ON CONFLICT (app_id, site) DO UPDATE SET frames = excluded.frames, used_on = excluded.used_on",
        &changed,
    )?;
    let uses = uses.iter().filter(|(app_id, site)| !stacks.contains_key(&(&**app_id, &**site)));
    connection.execute_many(
        "UPDATE span_stacks SET used_on = ?3 WHERE app_id = ?1 AND site = ?2 AND used_on < ?3",
        &uses.map(|(app_id, site)| vec![Value::from(app_id), site.into(), day.into()]).collect::<Vec<_>>(),
    )?;
    Ok(())
}
