//! Looks at releases and at hours without one, and what they found.

use super::database::Store;
use super::engine::{Connection, QueryBuilder, Row, Value, query};
use super::error::StoreError;
use super::transactions::TOTAL_KIND;

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

/// The subject of a finding.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Since {
    /// A release, by its number.
    Release(i64),
    /// A time without a release.
    Time(TimeOfChange),
}

/// The time of a change without a release. Times are in microseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TimeOfChange {
    /// About when it began.
    pub(crate) began_at: i64,
    /// When it was seen to be over, or was explained.
    pub(crate) ended_at: Option<i64>,
    /// The number of the release that explained it afterwards.
    pub(crate) explained_by: Option<i64>,
    /// The logarithm of after / before, in the figure that shows it best.
    pub(crate) effect: f64,
}

/// A change without a release that is not over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OpenChange {
    /// The finding's id.
    pub(crate) id: i64,
    /// The transaction's id.
    pub(crate) transaction: i64,
    /// About when it began, in microseconds since 1970.
    pub(crate) began_at: i64,
    /// The logarithm of after / before, when it was found.
    pub(crate) effect: f64,
}

/// An app whose last hour was not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HourDue {
    /// The app's id.
    pub(crate) app_id: String,
    /// The number of its last release, and when it was last completed, in microseconds since 1970.
    pub(crate) last_release: Option<(i64, i64)>,
}

/// A transaction that takes longer since a release, or since a time without one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FindingRow {
    /// The transaction's id.
    pub(crate) transaction: i64,
    /// The release, or the time without one.
    pub(crate) since: Since,
    /// The minutes from the release, or the time that was looked at, to the look.
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

    /// Returns apps whose hour until a time, in seconds since 1970, was not looked at: those with requests since the begin of the
    /// time that is looked at, or with a change that is not over.
    pub(crate) async fn hours_due(&self, hour: i64, begin: i64, limit: i64) -> Result<Vec<HourDue>, StoreError> {
        let rows = query(
            "SELECT apps.id AS app_id, releases.number AS number, releases.last_completed_at AS completed_at
             FROM apps LEFT JOIN hourly_looks ON hourly_looks.app_id = apps.id
             LEFT JOIN releases ON releases.id = (SELECT id FROM releases WHERE releases.app_id = apps.id
                 ORDER BY last_completed_at DESC, number DESC LIMIT 1)
             WHERE (hourly_looks.hour IS NULL OR hourly_looks.hour < ?)
               AND (EXISTS (SELECT 1 FROM transactions
                            WHERE transactions.app_id = apps.id AND kind = ? AND name = '' AND last_seen >= ?)
                    OR EXISTS (SELECT 1 FROM findings
                               WHERE findings.app_id = apps.id AND findings.release IS NULL AND ended_at IS NULL))
             ORDER BY apps.id LIMIT ?",
        )
        .bind(hour)
        // The sums of an app are one row, which is found by its key.
        .bind(TOTAL_KIND)
        .bind(begin.saturating_mul(1_000_000))
        .bind(limit)
        .read_all(&self.readers)
        .await?;
        let due = |row: &Row<'_>| -> Result<HourDue, StoreError> {
            let number: Option<i64> = row.try_get("number")?;
            let last_release = number.zip(row.try_get::<Option<i64>, _>("completed_at")?);
            Ok(HourDue { app_id: row.try_get("app_id")?, last_release })
        };
        rows.iter().map(due).collect()
    }

    /// Returns the changes of an app without a release that are not over, and at most a number of them.
    pub(crate) async fn open_changes(&self, app_id: &str, limit: i64) -> Result<Vec<OpenChange>, StoreError> {
        let rows = query(
            "SELECT id, transaction_id, began_at, effect FROM findings
             WHERE app_id = ? AND release IS NULL AND ended_at IS NULL ORDER BY began_at, id LIMIT ?",
        )
        .bind(app_id.to_owned())
        .bind(limit)
        .read_all(&self.readers)
        .await?;
        let change = |row: &Row<'_>| -> Result<OpenChange, StoreError> {
            Ok(OpenChange {
                id: row.try_get("id")?,
                transaction: row.try_get("transaction_id")?,
                began_at: row.try_get("began_at")?,
                effect: row.try_get("effect")?,
            })
        };
        rows.iter().map(change).collect()
    }

    /// Stores a look at the last hour of an app: changes that were found, and the ids of those that are over. An hour that
    /// another process has looked at is left as it is.
    pub(crate) async fn add_hour(
        &self,
        app_id: &str,
        hour: i64,
        found: Vec<FindingRow>,
        over: Vec<i64>,
    ) -> Result<(), StoreError> {
        let app_id = app_id.to_owned();
        self.write(move |connection| {
            let look = "INSERT INTO hourly_looks (app_id, hour) VALUES (?, ?)
                        ON CONFLICT (app_id) DO UPDATE SET hour = excluded.hour WHERE hourly_looks.hour < excluded.hour";
            if query(look).bind(&app_id).bind(hour).execute(connection)? == 0 {
                return Ok(());
            }
            for id in &over {
                query("UPDATE findings SET ended_at = ? WHERE id = ? AND app_id = ? AND ended_at IS NULL")
                    .bind(hour.saturating_mul(1_000_000))
                    .bind(*id)
                    .bind(&app_id)
                    .execute(connection)?;
            }
            add_findings(connection, &app_id, &found, "DO NOTHING")
        })
        .await
    }

    /// Stores a look at a release with its findings. A look that another process has taken is left as it is.
    ///
    /// Changes without a release that began since a time, in microseconds since 1970, are explained by the release if it made the
    /// same transaction slower.
    pub(crate) async fn add_look(
        &self,
        app_id: &str,
        release: i64,
        minutes: i64,
        findings: Vec<FindingRow>,
        explains_since: i64,
    ) -> Result<(), StoreError> {
        let app_id = app_id.to_owned();
        self.write(move |connection| {
            let look = "INSERT INTO looks (app_id, release, minutes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
            let is_new = query(look).bind(&app_id).bind(release).bind(minutes).execute(connection)? > 0;
            if !is_new {
                return Ok(());
            }
            for finding in findings.iter().filter(|finding| !finding.is_mix) {
                query(
                    "UPDATE findings SET ended_at = ?, explained_by = ?
                     WHERE transaction_id = ? AND app_id = ? AND release IS NULL AND ended_at IS NULL AND began_at >= ?",
                )
                .bind(finding.found_at)
                .bind(release)
                .bind(finding.transaction)
                .bind(&app_id)
                .bind(explains_since)
                .execute(connection)?;
            }
            add_findings(connection, &app_id, &findings, NEWEST_OF_RELEASE)
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
            "SELECT transaction_id, release, began_at, ended_at, explained_by, effect, minutes, found_at, kind, is_certain,
                    before_ms, after_ms, sentence
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

/// A later look at a release replaces the finding of an earlier one.
const NEWEST_OF_RELEASE: &str = "(transaction_id, release) WHERE release IS NOT NULL DO UPDATE SET
    minutes = excluded.minutes, kind = excluded.kind, is_certain = excluded.is_certain, before_ms = excluded.before_ms,
    after_ms = excluded.after_ms, sentence = excluded.sentence";

fn add_findings(
    connection: &mut Connection,
    app_id: &str,
    findings: &[FindingRow],
    on_conflict: &str,
) -> Result<(), StoreError> {
    let row = |finding: &FindingRow| {
        let (release, change) = match &finding.since {
            Since::Release(number) => (Some(*number), None),
            Since::Time(change) => (None, Some(change)),
        };
        vec![
            Value::from(finding.transaction),
            release.into(),
            change.map(|change| change.began_at).into(),
            change.map(|change| change.effect).into(),
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
        &format!(
            "INSERT INTO findings (transaction_id, release, began_at, effect, app_id, minutes, found_at, kind, is_certain,
                                   before_ms, after_ms, sentence)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT {on_conflict}"
        ),
        &findings.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

fn finding(row: &Row<'_>) -> Result<FindingRow, StoreError> {
    let since = match row.try_get::<Option<i64>, _>("release")? {
        Some(number) => Since::Release(number),
        None => Since::Time(TimeOfChange {
            began_at: row.try_get("began_at")?,
            ended_at: row.try_get("ended_at")?,
            explained_by: row.try_get("explained_by")?,
            effect: row.try_get("effect")?,
        }),
    };
    Ok(FindingRow {
        transaction: row.try_get("transaction_id")?,
        since,
        minutes: row.try_get("minutes")?,
        found_at: row.try_get("found_at")?,
        is_mix: row.try_get::<&str, _>("kind")? == "mix",
        is_certain: row.try_get::<i64, _>("is_certain")? != 0,
        before_ms: row.try_get("before_ms")?,
        after_ms: row.try_get("after_ms")?,
        sentence: row.try_get("sentence")?,
    })
}
