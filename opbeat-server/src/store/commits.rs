//! The commits of releases.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::database::Store;
use super::engine::{Connection, Row, Value, query};
use super::error::StoreError;
use super::locks::lock_app;

/// A release whose commits are to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReleaseToRead {
    /// Its id in the store.
    pub(crate) id: i64,
    /// The app's id.
    pub(crate) app_id: String,
    /// The revision.
    pub(crate) rev: String,
    /// The revision of the release before, if there is one.
    pub(crate) before: Option<String>,
    /// The first completion, in microseconds since 1970.
    pub(crate) completed_at: i64,
}

/// The changes by a release, against the release before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReleaseChanges {
    /// The number of its commits.
    pub(crate) commits: i64,
    /// The number of commits of the release before that it lacks.
    pub(crate) left_out: i64,
    /// The lines that its commits add and remove.
    pub(crate) lines: (i64, i64),
    /// The seconds from its oldest commit to its first completion.
    pub(crate) age: Option<i64>,
    /// The names of the authors, those with the most commits first.
    pub(crate) authors: Vec<String>,
    /// The reason for which its commits are not known, or an empty string.
    pub(crate) reason: String,
}

/// A commit of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitRow {
    /// The full hash.
    pub(crate) hash: String,
    /// The name of the author.
    pub(crate) author: String,
    /// The time of the change, in microseconds since 1970.
    pub(crate) authored_at: i64,
    /// The first line of the message.
    pub(crate) subject: String,
    /// The lines added and removed; `None` for merges.
    pub(crate) lines: Option<(i64, i64)>,
    /// The issues and pull requests that the message names.
    pub(crate) mentions: Vec<Mention>,
}

/// An issue or a pull request that a message names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Mention {
    /// The text of the message, such as `#12`.
    pub(crate) text: String,
    /// Its address, if the forge of the repository is known.
    pub(crate) url: Option<String>,
}

impl Store {
    /// Returns releases of apps with a repository whose commits are to be read, with ids after a given one, in the order of
    /// their ids.
    pub(crate) async fn releases_to_read(&self, after: i64, limit: i64) -> Result<Vec<ReleaseToRead>, StoreError> {
        let rows = query(
            "SELECT releases.id, releases.app_id, releases.rev, releases.first_completed_at,
                    (SELECT former.rev FROM releases AS former
                     WHERE former.app_id = releases.app_id AND former.number < releases.number
                     ORDER BY former.number DESC LIMIT 1) AS former_rev
             FROM releases JOIN repositories ON repositories.app_id = releases.app_id
             WHERE releases.commits_due = 1 AND releases.id > ? ORDER BY releases.id LIMIT ?",
        )
        .bind(after)
        .bind(limit)
        .read_all(&self.readers)
        .await?;
        let release = |row: &Row<'_>| {
            Ok(ReleaseToRead {
                id: row.try_get("id")?,
                app_id: row.try_get("app_id")?,
                rev: row.try_get("rev")?,
                before: row.try_get("former_rev")?,
                completed_at: row.try_get("first_completed_at")?,
            })
        };
        rows.iter().map(release).collect()
    }

    /// Stores the commits of a release of an app, instead of those before. They are left out if another repository than that
    /// of a time, in microseconds since 1970, was connected since: the release is read again.
    pub(crate) async fn add_commits(
        &self,
        (app_id, release): (&str, i64),
        connected_at: i64,
        changes: ReleaseChanges,
        commits: Vec<CommitRow>,
    ) -> Result<(), StoreError> {
        let app_id = app_id.to_owned();
        self.write(move |connection| {
            lock_app(connection, &app_id)?;
            let same = query(
                "SELECT 1 FROM repositories JOIN releases ON releases.app_id = repositories.app_id
                 WHERE repositories.app_id = ? AND repositories.connected_at = ? AND releases.id = ?",
            );
            if same.bind(&app_id).bind(connected_at).bind(release).fetch_optional(connection)?.is_none() {
                // The repository was replaced, or the release was removed.
                return Ok(());
            }
            for table in ["release_commits", "release_changes"] {
                query(format!("DELETE FROM {table} WHERE release_id = ?")).bind(release).execute(connection)?;
            }
            query("UPDATE releases SET commits_due = 0 WHERE id = ?").bind(release).execute(connection)?;
            query(
                "INSERT INTO release_changes (release_id, commits, left_out, additions, deletions, age, authors, reason)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(release)
            .bind(changes.commits)
            .bind(changes.left_out)
            .bind(changes.lines.0)
            .bind(changes.lines.1)
            .bind(changes.age)
            .bind(json(&changes.authors)?)
            .bind(&changes.reason)
            .execute(connection)?;
            add_rows(connection, release, &commits)
        })
        .await
    }

    /// Returns what a release changes, or `None` if its commits were not read.
    pub(crate) async fn release_changes(&self, release: i64) -> Result<Option<ReleaseChanges>, StoreError> {
        let row = query(
            "SELECT commits, left_out, additions, deletions, age, authors, reason FROM release_changes
             WHERE release_id = ?",
        )
        .bind(release)
        .read_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ReleaseChanges {
            commits: row.try_get("commits")?,
            left_out: row.try_get("left_out")?,
            lines: (row.try_get("additions")?, row.try_get("deletions")?),
            age: row.try_get("age")?,
            authors: serde_json::from_str(row.try_get("authors")?).unwrap_or_default(),
            reason: row.try_get("reason")?,
        }))
    }

    /// Returns the newest commits of a release, the newest first.
    pub(crate) async fn release_commits(&self, release: i64, limit: i64) -> Result<Vec<CommitRow>, StoreError> {
        let rows = query(
            "SELECT hash, author, authored_at, subject, additions, deletions, mentions FROM release_commits
             WHERE release_id = ? ORDER BY position LIMIT ?",
        )
        .bind(release)
        .bind(limit)
        .read_all(&self.readers)
        .await?;
        let commit = |row: &Row<'_>| -> Result<CommitRow, StoreError> {
            let lines: (Option<i64>, Option<i64>) = (row.try_get("additions")?, row.try_get("deletions")?);
            Ok(CommitRow {
                hash: row.try_get("hash")?,
                author: row.try_get("author")?,
                authored_at: row.try_get("authored_at")?,
                subject: row.try_get("subject")?,
                lines: lines.0.zip(lines.1),
                mentions: serde_json::from_str(row.try_get("mentions")?).unwrap_or_default(),
            })
        };
        rows.iter().map(commit).collect()
    }

    /// Returns the number of the first release of an app with a commit.
    pub(crate) async fn release_of_commit(&self, app_id: &str, hash: &str) -> Result<Option<i64>, StoreError> {
        let row = query(
            "SELECT min(releases.number) FROM release_commits JOIN releases ON releases.id = release_commits.release_id
             WHERE release_commits.hash = ? AND releases.app_id = ?",
        )
        .bind(hash)
        .bind(app_id)
        .read_one(&self.readers)
        .await?;
        Ok(row.try_get(0)?)
    }
}

fn add_rows(connection: &mut Connection, release: i64, commits: &[CommitRow]) -> Result<(), StoreError> {
    let row = |(position, commit): (usize, &CommitRow)| -> Result<Vec<Value<'_>>, StoreError> {
        Ok(vec![
            Value::from(release),
            i64::try_from(position).unwrap_or(i64::MAX).into(),
            commit.hash.clone().into(),
            commit.author.clone().into(),
            commit.authored_at.into(),
            commit.subject.clone().into(),
            commit.lines.map(|(additions, _)| additions).into(),
            commit.lines.map(|(_, deletions)| deletions).into(),
            json(&commit.mentions)?.into(),
        ])
    };
    let rows = commits.iter().enumerate().map(row).collect::<Result<Vec<_>, _>>()?;
    connection.execute_many(
        "INSERT INTO release_commits
             (release_id, position, hash, author, authored_at, subject, additions, deletions, mentions)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &rows,
    )?;
    Ok(())
}

fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value).map_err(std::io::Error::from)?)
}
