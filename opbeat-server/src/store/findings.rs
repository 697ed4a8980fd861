//! Looks at releases, and what they found.

use super::database::Store;
use super::engine::{Connection, QueryBuilder, Row, Value, query};
use super::error::StoreError;

/// The number of newest releases of an app whose looks can be due. A look is due within a day.
const MAX_RELEASES: usize = 20;

/// The time after a release in which looks are taken, in microseconds: the last one is due after a day, and a server can be
/// stopped for another one. Older releases are not judged, so that a first start with many of them is not busy for hours.
const MAX_AGE: i64 = 2 * 86_400 * 1_000_000;

/// A release that was completed not long ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecentRelease {
    /// The app's id.
    pub(crate) app_id: String,
    /// Its number in the app.
    pub(crate) number: i64,
    /// The first completion, in microseconds since 1970.
    pub(crate) first_completed_at: i64,
    /// The last completion, in microseconds since 1970.
    pub(crate) last_completed_at: i64,
    /// The minutes after its completion for which a look was taken.
    pub(crate) looks: Vec<i64>,
}

/// A transaction that takes longer since a release.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FindingRow {
    /// The transaction's id.
    pub(crate) transaction: i64,
    /// The release's number.
    pub(crate) release: i64,
    /// The minutes from the release to the look.
    pub(crate) minutes: i64,
    /// The time of the first look that saw it, in microseconds since 1970.
    pub(crate) found_at: i64,
    /// Whether slow requests became more frequent, and similar requests are not slower.
    pub(crate) is_mix: bool,
    /// Whether the change is far beyond its error.
    pub(crate) is_certain: bool,
    /// The 95th percentile before, in milliseconds.
    pub(crate) before_ms: f64,
    /// The 95th percentile after, in milliseconds.
    pub(crate) after_ms: f64,
    /// The finding in a sentence.
    pub(crate) sentence: String,
}

/// The findings that are read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FindingsOf {
    /// All since a time, in microseconds since 1970.
    Since(i64),
    /// Those of a release, by its number.
    Release(i64),
    /// Those of a transaction, by its id.
    Transaction(i64),
}

impl Store {
    /// Returns the releases of all apps that were completed not long before a time, in microseconds since 1970.
    pub(crate) async fn recent_releases(&self, now: i64) -> Result<Vec<RecentRelease>, StoreError> {
        let rows = query(
            "SELECT releases.app_id AS app_id, releases.number AS number, releases.first_completed_at AS first_completed_at,
                    releases.last_completed_at AS last_completed_at, looks.minutes AS minutes
             FROM releases LEFT JOIN looks ON looks.app_id = releases.app_id AND looks.release = releases.number
             WHERE releases.last_completed_at >= ? AND releases.last_completed_at < ?
             ORDER BY releases.app_id, releases.last_completed_at DESC, releases.number, looks.minutes",
        )
        .bind(now.saturating_sub(MAX_AGE))
        .bind(now)
        .read_all(&self.readers)
        .await?;
        let mut releases: Vec<RecentRelease> = Vec::new();
        let mut of_app = 0;
        for row in &rows {
            let (app_id, number): (&str, i64) = (row.try_get("app_id")?, row.try_get("number")?);
            let look: Option<i64> = row.try_get("minutes")?;
            let last = releases.last_mut();
            let is_same_app = last.as_ref().is_some_and(|last| last.app_id == app_id);
            if let Some(last) = last.filter(|last| is_same_app && last.number == number) {
                last.looks.extend(look);
                continue;
            }
            of_app = if is_same_app { of_app + 1 } else { 1 };
            if of_app <= MAX_RELEASES {
                releases.push(RecentRelease {
                    app_id: app_id.to_owned(),
                    number,
                    first_completed_at: row.try_get("first_completed_at")?,
                    last_completed_at: row.try_get("last_completed_at")?,
                    looks: look.into_iter().collect(),
                });
            }
        }
        Ok(releases)
    }

    /// Stores a look at a release with its findings. A look that another process has taken is left as it is.
    pub(crate) async fn add_look(
        &self,
        app_id: &str,
        release: i64,
        minutes: i64,
        findings: Vec<FindingRow>,
    ) -> Result<(), StoreError> {
        let app_id = app_id.to_owned();
        self.write(move |connection| {
            let look = "INSERT INTO looks (app_id, release, minutes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
            let is_new = query(look).bind(&app_id).bind(release).bind(minutes).execute(connection)? > 0;
            if is_new { add_findings(connection, &app_id, &findings) } else { Ok(()) }
        })
        .await
    }

    /// Returns findings of an app, the newest first, and at most a number of them.
    pub(crate) async fn findings(
        &self,
        app_id: &str,
        of: FindingsOf,
        limit: i64,
    ) -> Result<Vec<FindingRow>, StoreError> {
        let mut select = QueryBuilder::new(
            "SELECT transaction_id, release, minutes, found_at, kind, is_certain, before_ms, after_ms, sentence
             FROM findings WHERE app_id = ",
        );
        select.push_bind(app_id.to_owned());
        match of {
            FindingsOf::Since(time) => select.push(" AND found_at >= ").push_bind(time),
            FindingsOf::Release(number) => select.push(" AND release = ").push_bind(number),
            FindingsOf::Transaction(id) => select.push(" AND transaction_id = ").push_bind(id),
        };
        select.push(" ORDER BY found_at DESC, kind DESC, after_ms - before_ms DESC, transaction_id LIMIT ");
        select.push_bind(limit);
        select.build().read_all(&self.readers).await?.iter().map(finding).collect()
    }
}

fn add_findings(connection: &mut Connection, app_id: &str, findings: &[FindingRow]) -> Result<(), StoreError> {
    let row = |finding: &FindingRow| {
        vec![
            Value::from(finding.transaction),
            finding.release.into(),
            app_id.to_owned().into(),
            finding.minutes.into(),
            finding.found_at.into(),
            if finding.is_mix { "mix" } else { "slower" }.into(),
            i64::from(finding.is_certain).into(),
            finding.before_ms.into(),
            finding.after_ms.into(),
            finding.sentence.clone().into(),
        ]
    };
    connection.execute_many(
        "INSERT INTO findings (transaction_id, release, app_id, minutes, found_at, kind, is_certain, before_ms, after_ms,
                               sentence)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (transaction_id, release) DO UPDATE SET minutes = excluded.minutes, kind = excluded.kind,
             is_certain = excluded.is_certain, before_ms = excluded.before_ms, after_ms = excluded.after_ms,
             sentence = excluded.sentence",
        &findings.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

fn finding(row: &Row<'_>) -> Result<FindingRow, StoreError> {
    Ok(FindingRow {
        transaction: row.try_get("transaction_id")?,
        release: row.try_get("release")?,
        minutes: row.try_get("minutes")?,
        found_at: row.try_get("found_at")?,
        is_mix: row.try_get::<&str, _>("kind")? == "mix",
        is_certain: row.try_get::<i64, _>("is_certain")? != 0,
        before_ms: row.try_get("before_ms")?,
        after_ms: row.try_get("after_ms")?,
        sentence: row.try_get("sentence")?,
    })
}
