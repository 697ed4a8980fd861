//! Watermarks: up to which time the rows of each resolution are complete.

use std::collections::{BTreeSet, HashMap};

use super::engine::{Connection, Row, Value};
use super::error::StoreError;
use crate::changes::RESOLUTIONS;

/// The rows of one resolution that are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The time before which rows of the next longer resolution are read instead, in seconds since 1970.
    pub(super) since: i64,
    /// The time up to which rows are complete, in seconds since 1970. There are none after it.
    pub(super) until: i64,
}

/// The watermarks of an app, one for each of [`RESOLUTIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks(pub(super) [Mark; RESOLUTIONS.len()]);

/// The watermarks of several apps.
#[derive(Debug, Default)]
pub(super) struct AppMarks(HashMap<String, Marks>);

/// The rows of one resolution in a range of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The length of time that a row stands for, in seconds.
    pub(super) resolution: i64,
    /// The start of the first row, in seconds since 1970.
    pub(super) from: i64,
    /// The end, in seconds since 1970; rows that start there do not belong to it.
    pub(super) to: i64,
}

/// The rows of a minute are always complete.
pub(super) const MINUTES_ONLY: Marks = {
    let mut marks = [Mark { since: 0, until: 0 }; RESOLUTIONS.len()];
    marks[0].until = i64::MAX;
    Marks(marks)
};

impl Marks {
    /// Returns the resolutions of the rows that data of a minute is added to.
    pub(super) fn resolutions(&self, minute: i64) -> impl Iterator<Item = i64> + use<> {
        let is_complete = move |mark: &Mark| minute < mark.until;
        self.0.into_iter().zip(RESOLUTIONS).filter(move |(mark, _)| is_complete(mark)).map(|(_, row)| row.seconds)
    }

    /// Returns the rows that stand for a range of time: those of a resolution as far as they are complete, longer ones
    /// before them, and shorter ones after them. The row of a longer time that the range begins in is read as a whole.
    pub(super) fn parts(&self, resolution: i64, (from, to): (i64, i64)) -> Vec<Part> {
        let level = RESOLUTIONS.iter().position(|row| row.seconds >= resolution).unwrap_or(RESOLUTIONS.len() - 1);
        let mut parts = Vec::new();
        let mut from = from;
        let since = self.0[level].since.min(to);
        if from < since && level + 1 < RESOLUTIONS.len() {
            let longer = RESOLUTIONS[level + 1].seconds;
            parts = self.parts(longer, (from - from.rem_euclid(longer), since));
            from = since;
        }
        for level in (0..=level).rev() {
            let end = self.0[level].until.min(to);
            if from < end {
                parts.push(Part { resolution: RESOLUTIONS[level].seconds, from, to: end });
                from = end;
            }
        }
        parts
    }

    /// Reads the watermarks of an app from rows with the columns `resolution`, `since` and `until`.
    pub(super) fn read(rows: &[Row<'_>]) -> Result<Self, StoreError> {
        let mut marks = MINUTES_ONLY;
        for row in rows {
            let resolution: i64 = row.try_get("resolution")?;
            if let Some(level) = RESOLUTIONS.iter().skip(1).position(|row| row.seconds == resolution) {
                marks.0[level + 1] = Mark { since: row.try_get("since")?, until: row.try_get("until")? };
            }
        }
        Ok(marks)
    }
}

/// Reads the watermarks of an app.
pub(super) const READ: &str = "SELECT resolution, since, until FROM compactions WHERE app_id = ?";

impl AppMarks {
    /// Reads the watermarks of apps. They change only while the caller does not hold the locks of the apps.
    pub(super) fn load<'a>(
        connection: &mut Connection,
        apps: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, StoreError> {
        let apps: BTreeSet<&str> = apps.into_iter().collect();
        let lists: Vec<_> = apps.iter().map(|app_id| vec![Value::from(*app_id)]).collect();
        let rows = connection.rows_many(READ, &lists)?;
        let marks = |(app_id, rows): (&str, Vec<Row<'_>>)| Ok((app_id.to_owned(), Marks::read(&rows)?));
        apps.into_iter().zip(rows).map(marks).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the watermarks of an app.
    pub(super) fn of(&self, app_id: &str) -> &Marks {
        self.0.get(app_id).unwrap_or(&MINUTES_ONLY)
    }
}
