//! The commits of a release.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::time::from_micros;
use super::{Query, QueryError};
use crate::store::{CommitRow, Mention, ReleaseChanges};

/// The largest number of commits of a single release. The store keeps no more.
const MAX_COMMITS: i64 = 500;

/// The changes by the commits of a release, against the release before.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct CommitSummary {
    /// The number of commits.
    pub(crate) count: i64,
    /// The number of commits of the release before that this one lacks: it is a step back if there are any.
    pub(crate) left_out: i64,
    /// The lines that they add.
    pub(crate) additions: i64,
    /// The lines that they remove.
    pub(crate) deletions: i64,
    /// The names of the authors, those with the most commits first, at most 10.
    pub(crate) authors: Vec<String>,
    /// The time to release: the seconds from the oldest commit to the first completion; `null` without commits.
    pub(crate) time_to_release: Option<i64>,
    /// The reason for which the commits are not known, or an empty string.
    pub(crate) reason: String,
}

/// A commit of a release.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct CommitView {
    /// The full hash.
    pub(crate) hash: String,
    /// The name of the author.
    pub(crate) author: String,
    /// The time of the change, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) authored_at: Timestamp,
    /// The first line of the message.
    pub(crate) subject: String,
    /// The lines that it adds; `null` for merges.
    pub(crate) additions: Option<i64>,
    /// The lines that it removes; `null` for merges.
    pub(crate) deletions: Option<i64>,
    /// The issues and pull requests that the message names.
    pub(crate) mentions: Vec<Mention>,
}

impl Query {
    /// Returns what a release changes, given its id in the store; `None` if its commits were not read.
    pub(super) async fn commit_summary(&self, release: i64) -> Result<Option<CommitSummary>, QueryError> {
        Ok(self.store.release_changes(release).await?.map(summary))
    }

    /// Returns the commits of a release, given its id in the store, the newest first.
    pub(super) async fn commits(&self, release: i64) -> Result<Vec<CommitView>, QueryError> {
        Ok(self.store.release_commits(release, MAX_COMMITS).await?.into_iter().map(view).collect())
    }
}

impl CommitSummary {
    /// Says in words what the release changes: `2 commits (+27/−10) by Ana and Ben`. `None` if it is not known.
    pub(crate) fn sentence(&self) -> Option<String> {
        if !self.reason.is_empty() {
            return None;
        }
        let noun = if self.count == 1 { "commit" } else { "commits" };
        let mut sentence = match self.count {
            0 => "no new commits".to_owned(),
            count => format!("{count} {noun} (+{}/−{})", self.additions, self.deletions),
        };
        sentence += &match &self.authors[..] {
            [] => String::new(),
            [one] => format!(" by {one}"),
            [first, second] => format!(" by {first} and {second}"),
            [first, others @ ..] => format!(" by {first} and {} others", others.len()),
        };
        if self.left_out > 0 {
            sentence += &format!("; {} of the release before are left out", self.left_out);
        }
        Some(sentence)
    }
}

fn summary(changes: ReleaseChanges) -> CommitSummary {
    CommitSummary {
        count: changes.commits,
        left_out: changes.left_out,
        additions: changes.lines.0,
        deletions: changes.lines.1,
        authors: changes.authors,
        time_to_release: changes.age,
        reason: changes.reason,
    }
}

fn view(row: CommitRow) -> CommitView {
    CommitView {
        hash: row.hash,
        author: row.author,
        authored_at: from_micros(row.authored_at),
        subject: row.subject,
        additions: row.lines.map(|(additions, _)| additions),
        deletions: row.lines.map(|(_, deletions)| deletions),
        mentions: row.mentions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_said_in_words() {
        let of = |commits, authors: &[&str], left_out| {
            let authors = authors.iter().map(|name| (*name).to_owned()).collect();
            summary(ReleaseChanges { commits, left_out, lines: (27, 10), authors, ..ReleaseChanges::default() })
                .sentence()
        };
        assert_eq!(of(2, &["Ana", "Ben"], 0).unwrap(), "2 commits (+27/−10) by Ana and Ben");
        assert_eq!(of(1, &["Ana"], 0).unwrap(), "1 commit (+27/−10) by Ana");
        assert_eq!(of(9, &["Ana", "Ben", "Cleo"], 0).unwrap(), "9 commits (+27/−10) by Ana and 2 others");
        assert_eq!(of(0, &[], 3).unwrap(), "no new commits; 3 of the release before are left out");
        let unknown = ReleaseChanges { reason: "it is the first release".to_owned(), ..ReleaseChanges::default() };
        assert_eq!(summary(unknown).sentence(), None);
    }
}
