//! The commits of a release.

mod range;
mod references;

pub use references::{Reference, ReferenceKind};

use std::collections::HashSet;
use std::time::Duration;

use gix::ObjectId;
use gix::bstr::BString;

use crate::diff::{self, Form};
use crate::error::clip;
use crate::objects::Objects;
use crate::repository::{find_commit, subject, without_panic};
use crate::{Budget, Error, People, Person, Repository, renames};

/// A commit of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commit {
    /// The full hash.
    pub hash: String,
    /// The author, after `.mailmap` and the aliases.
    pub author: Person,
    /// The time of the change, in seconds since 1970.
    pub time: i64,
    /// The first line of the message, at most 200 characters.
    pub subject: String,
    /// The lines added and removed, as in `git show --numstat`. `None` for a merge, whose lines other commits have, and
    /// for a commit that changes more files than the limit.
    pub lines: Option<(u64, u64)>,
    /// The issues and pull requests that the message names.
    pub references: Vec<Reference>,
}

/// The commits between two revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReleaseCommits {
    /// The commits, the newest first, at most [`Limits::release_commits`](crate::Limits::release_commits).
    pub commits: Vec<Commit>,
    /// All commits of the release. Without a former release, at most the limit.
    pub count: usize,
    /// Whether `count` is all of them.
    pub complete: bool,
    /// The commits of the former release that this one lacks: it is a step back if there are any.
    pub left_out: usize,
}

impl ReleaseCommits {
    /// Returns the sum of added and removed lines of the listed commits.
    #[must_use]
    pub fn lines(&self) -> (u64, u64) {
        let lines = self.commits.iter().filter_map(|commit| commit.lines);
        lines.fold((0, 0), |sum, (added, removed)| (sum.0 + added, sum.1 + removed))
    }

    /// Returns the time to release: the median age of the listed commits at the time of the deployment, in seconds since
    /// 1970. Merges do not count. A commit from the future has the age 0. `None` without commits.
    #[must_use]
    pub fn time_to_release(&self, deployed: i64) -> Option<Duration> {
        let mut ages: Vec<u64> = self
            .commits
            .iter()
            .filter(|commit| commit.lines.is_some())
            .map(|commit| u64::try_from(deployed.saturating_sub(commit.time)).unwrap_or(0))
            .collect();
        ages.sort_unstable();
        let upper = *ages.get(ages.len() / 2)?;
        let lower = *ages.get((ages.len() - 1) / 2)?;
        Some(Duration::from_secs(lower + (upper - lower) / 2))
    }
}

impl Repository {
    /// Lists the commits that `to` has and `from` has not, as `git log from..to` does. Without `from`, it lists
    /// the newest ones.
    ///
    /// # Errors
    ///
    /// If a revision is unknown, an object cannot be read, the history between them is longer than the limit, or the
    /// budget ends.
    pub fn commits(
        &self,
        from: Option<&str>,
        to: &str,
        people: &People,
        budget: &Budget,
    ) -> Result<ReleaseCommits, Error> {
        without_panic(|| {
            let objects = self.objects(budget)?;
            let to = find_commit(&objects.repo, to)?;
            let from = from.map(|from| find_commit(&objects.repo, from)).transpose()?;
            let data = self.revision(&objects, to)?;
            let range::Range { ids, complete } = range::between(&objects, from, to)?;
            let left_out = match from {
                Some(from) => range::between(&objects, Some(to), from)?.ids.len(),
                None => 0,
            };
            let mut commits = Vec::new();
            for id in ids.iter().take(self.limits().release_commits) {
                let text = objects.commit_text(*id)?;
                commits.push(Commit {
                    hash: id.to_string(),
                    author: people.resolve(data.mailmap.author(&text)),
                    time: text.authored,
                    subject: clip(&subject(&text.message), 200),
                    lines: changed_lines(&objects, *id)?,
                    references: references::find(&text.message),
                });
            }
            Ok(ReleaseCommits { commits, count: ids.len(), complete, left_out })
        })
    }
}

fn changed_lines(objects: &Objects<'_>, id: ObjectId) -> Result<Option<(u64, u64)>, Error> {
    let commit = objects.commit(id)?;
    if commit.parents.len() > 1 || objects.is_cut(&id) {
        return Ok(None);
    }
    let before = match commit.parents.first() {
        Some(parent) => Some(objects.commit(*parent)?.tree),
        None => None,
    };
    let Some(changes) = objects.changes(before, commit.tree, objects.limits.changed_files)? else { return Ok(None) };
    let renames = renames::pairs(objects, &changes, None)?;
    let renamed: HashSet<&BString> = renames.values().map(|(path, _)| *path).collect();
    let mut lines = (0, 0);
    for change in &changes {
        objects.budget.check()?;
        let before = change.before.or_else(|| renames.get(&change.path).map(|(_, id)| *id));
        if change.after.is_none() && renamed.contains(&change.path) {
            continue;
        }
        let counted = count(objects, before, change.after)?;
        lines = (lines.0 + counted.0, lines.1 + counted.1);
    }
    Ok(Some(lines))
}

/// Counts added and removed lines. A file that is too large or not a text has none, as in Git.
fn count(objects: &Objects<'_>, before: Option<ObjectId>, after: Option<ObjectId>) -> Result<(u64, u64), Error> {
    let read = |id: Option<ObjectId>| match id {
        Some(id) => objects.text(id),
        None => Ok(Some(Vec::new())),
    };
    let (Some(before), Some(after)) = (read(before)?, read(after)?) else { return Ok((0, 0)) };
    let mut lines = (0, 0);
    for hunk in diff::hunks(objects, &diff::lines(&before), &diff::lines(&after), Form::Exact)? {
        lines.0 += hunk.after.len() as u64;
        lines.1 += hunk.before.len() as u64;
    }
    Ok(lines)
}
