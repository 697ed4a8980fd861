//! The commits of releases, which are read when a release is reported.

use std::collections::HashMap;
use std::time::Duration;

use opbeat_repository::{Commit, Error, People, Reference, ReferenceKind, ReleaseCommits};

use super::Repositories;
use crate::store::{
    CommitRow, Mention, NewRepository, ReleaseChanges, ReleaseToRead, RepositoryRow, Store, StoreError,
};
use crate::text::shortened;

/// The longest time in which the commits of a release are read.
const TIME: Duration = Duration::from_secs(20);

/// The number of releases that are read from the store at once.
const PAGE: i64 = 50;

/// The largest number of authors that are named.
const MAX_AUTHORS: usize = 10;

/// The longest reason, in characters.
const MAX_REASON: usize = 1_000;

/// Reads the commits of all releases whose commits were not read yet, and stores them. A release whose revision is not in
/// the clone waits for one fetch.
///
/// # Errors
///
/// Returns an error if the database fails.
pub(crate) async fn read_commits(repositories: &Repositories, store: &Store) -> Result<(), StoreError> {
    let mut page = store.releases_to_read(0, PAGE).await?;
    if page.is_empty() {
        return Ok(());
    }
    let connected: HashMap<String, RepositoryRow> =
        store.repositories().await?.into_iter().map(|row| (row.app_id.clone(), row)).collect();
    while let Some(last) = page.last().map(|release| release.id) {
        for release in page {
            let Some(row) = connected.get(&release.app_id) else { continue };
            if let Some((changes, commits)) = read(repositories, &release, row.repository.clone()).await {
                let id = (&*release.app_id, release.id);
                store.add_commits(id, row.connected_at, changes, commits).await?;
            }
        }
        page = store.releases_to_read(last, PAGE).await?;
    }
    Ok(())
}

/// Reads the commits of a release. Returns `None` if it has to wait for a fetch.
async fn read(
    repositories: &Repositories,
    release: &ReleaseToRead,
    repository: NewRepository,
) -> Option<(ReleaseChanges, Vec<CommitRow>)> {
    let unknown = |reason: &str| {
        Some((ReleaseChanges { reason: shortened(reason, MAX_REASON), ..ReleaseChanges::default() }, Vec::new()))
    };
    let Some(before) = release.before.clone() else { return unknown("it is the first release") };
    if repositories.awaits_fetch(&release.app_id, 0) {
        return None;
    }
    let (blocking, wanted) = (repositories.clone(), release.clone());
    let forge = Forge::of(&repository.url);
    let reading = tokio::task::spawn_blocking(move || {
        let opened = blocking.open(&wanted.app_id, &repository)?;
        opened.commits(Some(&before), &wanted.rev, &People::new(), &blocking.budget(TIME))
    });
    match reading.await {
        Ok(Ok(commits)) => Some(rows(&commits, release.completed_at, forge.as_ref())),
        Ok(Err(Error::Interrupted)) => None,
        Ok(Err(Error::UnknownRevision { .. })) if repositories.awaits_fetch(&release.app_id, release.completed_at) => {
            None
        }
        Ok(Err(error)) => unknown(&error.to_string()),
        Err(error) => {
            tracing::error!(%error, app_id = release.app_id, "the commits of a release cannot be read");
            unknown("the repository cannot be read")
        }
    }
}

/// Returns the rows of the commits of a release that was completed at a time, in microseconds since 1970.
fn rows(commits: &ReleaseCommits, completed_at: i64, forge: Option<&Forge>) -> (ReleaseChanges, Vec<CommitRow>) {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut authors: Vec<(&str, usize)> = Vec::new();
    for commit in &commits.commits {
        match authors.iter_mut().find(|(name, _)| *name == commit.author.name) {
            Some((_, count)) => *count += 1,
            None => authors.push((&commit.author.name, 1)),
        }
    }
    authors.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let oldest = commits.commits.iter().filter(|commit| commit.lines.is_some()).map(|commit| commit.time).min();
    let (additions, deletions) = commits.lines();
    let changes = ReleaseChanges {
        commits: number(commits.count as u64),
        left_out: number(commits.left_out as u64),
        lines: (number(additions), number(deletions)),
        age: oldest.map(|oldest| completed_at.div_euclid(1_000_000).saturating_sub(oldest).max(0)),
        authors: authors.into_iter().take(MAX_AUTHORS).map(|(name, _)| name.to_owned()).collect(),
        reason: String::new(),
    };
    let row = |commit: &Commit| CommitRow {
        hash: commit.hash.clone(),
        author: commit.author.name.clone(),
        authored_at: commit.time.saturating_mul(1_000_000),
        subject: commit.subject.clone(),
        lines: commit.lines.map(|(additions, deletions)| (number(additions), number(deletions))),
        mentions: commit.references.iter().map(|reference| mention(reference, forge)).collect(),
    };
    (changes, commits.commits.iter().map(row).collect())
}

/// A forge whose addresses of issues are known.
#[derive(Debug, PartialEq, Eq)]
struct Forge {
    /// The address of the project, without a slash at its end.
    project: String,
    is_gitlab: bool,
}

impl Forge {
    /// Returns the forge of an address, by its host: GitHub, or a GitLab.
    fn of(url: &str) -> Option<Self> {
        let (_, rest) = url.split_once("https://").filter(|(before, _)| before.is_empty())?;
        let host = rest.split('/').next().unwrap_or_default();
        let is_gitlab = host == "gitlab.com" || host.starts_with("gitlab.");
        let project = url.trim_end_matches('/').trim_end_matches(".git").to_owned();
        (is_gitlab || host == "github.com").then_some(Self { project, is_gitlab })
    }
}

fn mention(reference: &Reference, forge: Option<&Forge>) -> Mention {
    let text = reference.text.clone();
    let url = if text.starts_with("https://") || text.starts_with("http://") {
        Some(text.clone())
    } else {
        forge.filter(|_| reference.repository.is_none()).and_then(|forge| {
            let place = match (reference.kind, forge.is_gitlab) {
                (ReferenceKind::PullRequest, false) => "pull",
                (ReferenceKind::PullRequest, true) => "-/merge_requests",
                // GitHub leads from the number of a pull request to it.
                (ReferenceKind::Issue | ReferenceKind::IssueOrPullRequest, false) => "issues",
                (ReferenceKind::Issue | ReferenceKind::IssueOrPullRequest, true) => "-/issues",
                _ => return None,
            };
            Some(format!("{}/{place}/{}", forge.project, reference.number))
        })
    };
    Mention { text, url }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forges_are_known_by_their_hosts() {
        let github = Forge::of("https://github.com/octo/shop.git").unwrap();
        assert_eq!((github.project.as_str(), github.is_gitlab), ("https://github.com/octo/shop", false));
        assert!(Forge::of("https://gitlab.example/octo/shop/").unwrap().is_gitlab);
        for url in ["https://git.example/shop.git", "http://github.com/octo/shop", "/srv/git/github.com/shop"] {
            assert_eq!(Forge::of(url), None, "{url}");
        }
    }
}
