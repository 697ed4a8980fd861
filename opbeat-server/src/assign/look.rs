//! A look at one group: the author of the failing line, and the member with the author's e-mail address.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use opbeat_repository::{Assignment, Error, Outcome, People, Person, Reason, Repository};

use crate::assignment::{AssignedBy, Assignee};
use crate::repositories::{Repositories, frames};
use crate::store::{Basis, FirstError, GroupToAssign, LookedAt, RepositoryRow, Store, StoreError};

/// The longest time of a look. A line whose last change is further away has no author.
const TIME: Duration = Duration::from_secs(10);

/// The number of repositories that a round keeps open.
const MAX_OPENED: usize = 4;

/// The longest reason, in characters.
const MAX_REASON: usize = 1_000;

/// The looks of a round, which share what they read.
pub(super) struct Looks<'a> {
    store: &'a Store,
    repositories: &'a Repositories,
    /// The connected repositories, by app.
    connected: HashMap<String, RepositoryRow>,
    /// The repositories that were opened last, by app. Each of them remembers the files of some revisions.
    opened: VecDeque<(String, Arc<Repository>)>,
}

/// The answer of a repository.
enum Answer {
    /// The author of the last change.
    Author(Box<Assignment>),
    /// None, with the reason.
    None(String),
    /// It comes after the next fetch.
    Later,
}

impl<'a> Looks<'a> {
    pub(super) fn new(store: &'a Store, repositories: &'a Repositories, connected: Vec<RepositoryRow>) -> Self {
        let connected = connected.into_iter().map(|row| (row.app_id.clone(), row)).collect();
        Self { store, repositories, connected, opened: VecDeque::new() }
    }

    /// Looks at a group. Returns `None` if it has to wait for a fetch.
    pub(super) async fn look(&mut self, group: &GroupToAssign) -> Result<Option<LookedAt>, StoreError> {
        let reason = match self.ask(group).await? {
            Answer::Later => return Ok(None),
            Answer::None(reason) => reason,
            Answer::Author(author) => match self.member(group, *author).await? {
                Ok(looked_at) => return Ok(Some(looked_at)),
                Err(reason) => reason,
            },
        };
        let team = group.team.as_ref().map(|(id, name)| (Assignee::Team(*id), name.clone(), AssignedBy::Team));
        Ok(Some(self.looked_at(group, team, &reason)))
    }

    fn looked_at(
        &self,
        group: &GroupToAssign,
        assignee: Option<(Assignee, String, AssignedBy)>,
        reason: &str,
    ) -> LookedAt {
        let row = self.connected.get(&group.app_id);
        let basis = Basis {
            assigns_authors: group.assigns_authors,
            connected_at: row.map(|row| row.connected_at),
            fetched: row.map_or((false, false), |row| (row.last_fetched_at.is_some(), !row.last_error.is_empty())),
        };
        let reason = crate::text::shortened(reason, MAX_REASON);
        LookedAt { group: group.id, app_id: group.app_id.clone(), basis, assignee, reason }
    }

    /// Returns the assignment to the member of the organization who is the author, or the reason for which there is none.
    async fn member(
        &self,
        group: &GroupToAssign,
        mut author: Assignment,
    ) -> Result<Result<LookedAt, String>, StoreError> {
        let mail = author.author.mail.clone();
        let Some(member) = self.store.member_by_email(&group.organization_id, &mail).await? else {
            let nobody = if mail.is_empty() {
                "the commit has no e-mail address".to_owned()
            } else {
                format!("{mail} matches nobody: add an alias")
            };
            return Ok(Err(format!("{}, but {nobody}", author.sentence(None))));
        };
        author.author = Person::new(&member.name, &member.email);
        let release = self.store.release_of_commit(&group.app_id, &author.commit).await?;
        let reason = author.sentence(release.map(|number| format!("R#{number}")).as_deref());
        let assignee = (Assignee::Person(member.id), member.name, AssignedBy::Blame);
        Ok(Ok(self.looked_at(group, Some(assignee), &reason)))
    }

    async fn ask(&mut self, group: &GroupToAssign) -> Result<Answer, StoreError> {
        let none = |reason: &str| Ok(Answer::None(reason.to_owned()));
        if !group.assigns_authors {
            return none("authors are not looked up for this app");
        }
        let Some(row) = self.connected.get(&group.app_id) else {
            return none("no Git repository is connected to this app");
        };
        if self.repositories.awaits_fetch(&group.app_id, 0) {
            return Ok(Answer::Later);
        }
        let Some(FirstError { report, rev }) = self.store.first_error(&group.app_id, group.id).await? else {
            return none("its first error is not stored any more");
        };
        let Some(report) = report else { return none("its first error cannot be read") };
        let given = |rev: Option<String>| rev.filter(|rev| !rev.trim().is_empty());
        let branch = Some(row.repository.branch.clone());
        let Some(revision) = given(report.rev.clone()).or(given(rev)).or(given(branch)) else {
            return none(
                "the release of the error is not known: report releases, or connect the repository with --branch",
            );
        };
        let frames = frames(&report, &row.repository.prefix);
        let opened = self.opened.iter().find(|(app_id, _)| *app_id == group.app_id);
        let (opened, is_new) = (opened.map(|(_, repository)| Arc::clone(repository)), opened.is_none());
        let (last_error, row) = (row.last_error.clone(), row.clone());
        let repositories = self.repositories.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let repository = match opened {
                Some(repository) => repository,
                None => Arc::new(repositories.open(&row.app_id, &row.repository)?),
            };
            let outcome = repository.assign(revision.trim(), &frames, &People::new(), &repositories.budget(TIME));
            Ok::<_, Error>((repository, outcome))
        });
        let outcome = match asked.await {
            Ok(Ok((repository, outcome))) => {
                if is_new {
                    self.opened.push_front((group.app_id.clone(), repository));
                    self.opened.truncate(MAX_OPENED);
                }
                outcome
            }
            Ok(Err(Error::NotFetched { .. })) if !last_error.is_empty() => {
                return Ok(Answer::None(format!("the repository could not be fetched: {last_error}")));
            }
            Ok(Err(error)) => Err(error),
            Err(error) => {
                tracing::error!(%error, app_id = group.app_id, "the look for an author failed unexpectedly");
                return none("the repository cannot be read");
            }
        };
        Ok(match outcome {
            Ok(Outcome::Assigned(author)) => Answer::Author(Box::new(author)),
            Ok(Outcome::Unassigned(unassigned)) => {
                let is_unknown = matches!(unassigned.reason, Reason::UnknownRevision { .. });
                // The clone may be older than the release.
                if is_unknown && self.repositories.awaits_fetch(&group.app_id, group.first_seen) {
                    return Ok(Answer::Later);
                }
                let place = unassigned.frame().map(|frame| format!("{}:{}: ", frame.path, frame.line));
                Answer::None(format!("{}{}", place.unwrap_or_default(), unassigned.reason))
            }
            // The process stops.
            Err(Error::Interrupted) => Answer::Later,
            Ok(_) => Answer::None("no author is known".to_owned()),
            Err(error) => Answer::None(error.to_string()),
        })
    }
}
