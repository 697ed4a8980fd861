//! The rows of kinds and signatures, of which an app has a limited number.

use std::collections::{BTreeMap, BTreeSet};

use super::SpanFamily;
use super::observed::{Name, Observed};
use crate::store::caps::{OTHER_SPAN_KINDS, Places, SPANS};
use crate::store::engine::{Connection, Value};
use crate::store::error::StoreError;
use crate::store::ids;
use crate::store::notes::NewNotes;

/// The signature under which those beyond the cap are counted.
pub(crate) const OTHER_SPANS: &str = "(others)";

/// The number of ids that a name can have. The rows of other names can have the first ones.
const ATTEMPTS: i64 = 4;

/// An app's kind and signature.
pub(super) type SpanKey<'n> = (&'n str, &'n Name);

/// The ids of the rows of names.
pub(super) type SpanIds<'n> = BTreeMap<SpanKey<'n>, i64>;

/// Returns the first and the last id that the row of a name can have.
pub(in crate::store) fn candidates(app_id: &str, kind: &str, signature: &str) -> (i64, i64) {
    let first = ids::of_span(app_id, kind, signature);
    (first, first + ATTEMPTS - 1)
}

/// The rows of the names that have none of their own: one of each kind of an app.
pub(super) struct Others {
    /// Today, in days since 1970.
    day: i64,
    /// Their ids by app and kind, as far as they are known.
    ids: BTreeMap<(String, String), Option<i64>>,
    places: Places<String>,
}

impl Others {
    /// Returns the shared rows on a day, in days since 1970.
    pub(super) const fn new(day: i64) -> Self {
        Self { day, ids: BTreeMap::new(), places: Places::new(&OTHER_SPAN_KINDS) }
    }

    /// Returns the id of the row of further names of a kind, and creates it if it is missing. Kinds beyond their cap share the
    /// row of their family.
    pub(super) fn id(
        &mut self,
        connection: &mut Connection,
        app_id: &str,
        kind: &str,
    ) -> Result<Option<i64>, StoreError> {
        let key = (app_id.to_owned(), kind.to_owned());
        if let Some(id) = self.ids.get(&key) {
            return Ok(*id);
        }
        let family = SpanFamily::of(kind).map_or("", SpanFamily::name);
        let id = match self.known(connection, app_id, kind)? {
            Some(id) => Some(id),
            None if kind == family || family.is_empty() || self.places.take(connection, &key.0)? => {
                create(connection, app_id, kind, OTHER_SPANS, self.day)?
            }
            None => self.id(connection, app_id, family)?,
        };
        self.ids.insert(key, id);
        Ok(id)
    }

    fn known(&self, connection: &mut Connection, app_id: &str, kind: &str) -> Result<Option<i64>, StoreError> {
        let name: Name = (kind.to_owned(), OTHER_SPANS.to_owned());
        Ok(known(connection, &[(app_id, &name)], self.day)?.pop().flatten())
    }
}

/// Creates the rows of names that are missing, and returns the ids of all. Names beyond the cap share a row of their kind.
/// `day` is today, in days since 1970.
pub(super) fn write<'o>(
    connection: &mut Connection,
    observed: &'o Observed,
    day: i64,
    shared: &mut Others,
    notes: &mut NewNotes,
) -> Result<SpanIds<'o>, StoreError> {
    let mut names: BTreeMap<SpanKey<'o>, u64> = BTreeMap::new();
    for ((key, _), spans) in &observed.callers {
        for (name, seen) in spans {
            let count = names.entry((&*key.app_id, name)).or_default();
            *count = count.saturating_add(seen.count);
        }
    }
    // The cap does not count the shared rows, so a signature like theirs must not have another one.
    let (mut others, keys): (Vec<SpanKey<'o>>, Vec<_>) = names.keys().partition(|(_, name)| name.1 == OTHER_SPANS);
    let mut ids = SpanIds::new();
    let mut places = Places::new(&SPANS);
    let mut missing = Vec::new();
    for (key, known) in keys.iter().zip(known(connection, &keys, day)?) {
        match known {
            Some(id) => drop(ids.insert(*key, id)),
            None if places.take(connection, &key.0.to_owned())? => missing.push(*key),
            None => others.push(*key),
        }
    }
    for (app_id, name) in missing {
        let id = create(connection, app_id, &name.0, &name.1, day)?;
        // All ids of a name are those of others once in more years than the project will exist.
        ids.extend(id.map(|id| ((app_id, name), id)));
    }
    for (app_id, name) in others {
        let id = shared.id(connection, app_id, &name.0)?;
        notes.fold(app_id, &SPANS, names.get(&(app_id, name)).copied().unwrap_or_default());
        ids.extend(id.map(|id| ((app_id, name), id)));
    }
    Ok(ids)
}

/// Returns the ids of the names that have a row, and remembers that they were seen on a day.
fn known(connection: &mut Connection, keys: &[SpanKey<'_>], day: i64) -> Result<Vec<Option<i64>>, StoreError> {
    let row = |(app_id, (kind, signature)): &SpanKey<'_>| {
        let (first, last) = candidates(app_id, kind, signature);
        let texts = [*app_id, kind, signature].map(|text| Value::from(text.to_owned()));
        [first.into(), last.into()].into_iter().chain(texts).collect::<Vec<_>>()
    };
    let rows = connection.rows_many(
        "SELECT id, seen_on FROM spans WHERE id >= ? AND id <= ? AND app_id = ? AND kind = ? AND signature = ?",
        &keys.iter().map(row).collect::<Vec<_>>(),
    )?;
    let (mut ids, mut seen) = (Vec::with_capacity(rows.len()), Vec::new());
    for rows in rows {
        let Some(row) = rows.first() else {
            ids.push(None);
            continue;
        };
        let id: i64 = row.try_get("id")?;
        ids.push(Some(id));
        if row.try_get::<i64, _>("seen_on")? < day {
            seen.push(vec![Value::from(id), day.into()]);
        }
    }
    connection.execute_many(SEE, &seen)?;
    Ok(ids)
}

/// Remembers that names were seen on a day, since the time of their kind was divided among them.
pub(super) fn see(connection: &mut Connection, ids: &BTreeSet<i64>, day: i64) -> Result<(), StoreError> {
    connection.execute_many(SEE, &ids.iter().map(|id| vec![Value::from(*id), day.into()]).collect::<Vec<_>>())?;
    Ok(())
}

const SEE: &str = "UPDATE spans SET seen_on = ?2 WHERE id = ?1 AND seen_on < ?2";

/// Creates the row of a name. Returns `None` if the rows of other names have all of its ids.
fn create(
    connection: &mut Connection,
    app_id: &str,
    kind: &str,
    signature: &str,
    day: i64,
) -> Result<Option<i64>, StoreError> {
    let family = SpanFamily::of(kind).map_or("", SpanFamily::name);
    let (first, last) = candidates(app_id, kind, signature);
    for id in first..=last {
        let texts = [app_id, family, kind, signature].map(Value::from);
        let values = std::iter::once(Value::from(id)).chain(texts).chain([day.into()]).collect::<Vec<_>>();
        let inserted = connection.execute_many(
            "INSERT INTO spans (id, app_id, family, kind, signature, seen_on) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO NOTHING",
            &[values],
        )?;
        if inserted.first().is_some_and(|count| *count > 0) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
