//! The application's line that runs what a cause names, and who changed it last.

use std::sync::Arc;
use std::time::Duration;

use opbeat_judgement::{Caller, LastChange};
use opbeat_protocol::Frame;
use opbeat_repository::{Assignment, Error, Outcome, People, Repository};

use super::due::Due;
use crate::changes::{SpanGroup, issuing_frame};
use crate::repositories::{Repositories, frame};
use crate::store::{RepositoryRow, Store, StoreError};

/// The longest time of a search for the last change of a line.
const TIME: Duration = Duration::from_secs(5);

/// The samples that are looked at: the slowest ones of the latest.
const LATEST_SAMPLES: i64 = 200;
const SLOWEST_SAMPLES: i64 = 10;

const MICROS: i64 = 1_000_000;

/// The lines of an app since a release.
pub(super) struct Callers<'a> {
    store: &'a Store,
    repositories: Option<&'a Repositories>,
    due: &'a Due,
    now: i64,
    /// The code at the release, once it was needed: `None` if it cannot be read.
    code: Option<Option<Code>>,
}

/// The code of an app at a release.
struct Code {
    repository: Arc<Repository>,
    rev: String,
    prefix: String,
}

impl<'a> Callers<'a> {
    /// Makes a view of an app since a release. `now` is in microseconds since 1970.
    pub(super) fn new(store: &'a Store, repositories: Option<&'a Repositories>, due: &'a Due, now: i64) -> Self {
        Self { store, repositories, due, now, code: None }
    }

    /// Returns the line that runs the spans of a signature, or of a kind without one, in the slowest samples of a transaction
    /// since the release, if they have a stack.
    pub(super) async fn of(&mut self, transaction: i64, signature: &str) -> Result<Option<Caller>, StoreError> {
        let (app_id, since) = (&*self.due.app_id, self.due.change.1.saturating_mul(MICROS));
        let limits = (LATEST_SAMPLES, SLOWEST_SAMPLES);
        let documents = self.store.slowest_documents(app_id, transaction, (since, self.now), limits).await?;
        let groups: Vec<&SpanGroup> = documents
            .iter()
            .flat_map(|(_, document)| &document.groups)
            .filter(|group| group.signature == signature || group.kind == signature)
            .collect();
        let sites: Vec<&str> = groups.iter().flat_map(|group| &group.sites).map(String::as_str).collect();
        let stacks = self.store.span_stacks(app_id, &sites).await?;
        let stacks_of = |group: &&'_ SpanGroup| {
            let stored = group.sites.iter().filter_map(|site| stacks.get(site));
            std::iter::once(&group.frames).chain(stored).find_map(|frames| issuing_frame(frames)).cloned()
        };
        let Some(frame) = groups.iter().find_map(stacks_of) else { return Ok(None) };
        let line = format!("{}:{}", frame.filename, frame.lineno);
        Ok(Some(Caller { line, change: self.last_change(frame).await? }))
    }

    /// Returns the last change of a line at the release. It is not known without a repository, and while the repository is
    /// fetched.
    async fn last_change(&mut self, reported: Frame) -> Result<Option<LastChange>, StoreError> {
        let Some(repositories) = self.repositories else { return Ok(None) };
        if self.code.is_none() {
            self.code = Some(self.open(repositories).await?);
        }
        let Some(Some(Code { repository, rev, prefix })) = &self.code else { return Ok(None) };
        let (repository, rev, budget) = (Arc::clone(repository), rev.clone(), repositories.budget(TIME));
        let frames = [frame(&reported, prefix)];
        let asked = tokio::task::spawn_blocking(move || repository.assign(&rev, &frames, &People::new(), &budget));
        match asked.await {
            Ok(Ok(Outcome::Assigned(change))) => self.in_words(&change).await.map(Some),
            Ok(Ok(_)) => Ok(None),
            Ok(Err(error)) => {
                tracing::debug!(%error, app_id = self.due.app_id, "the last change of a line is not known");
                Ok(None)
            }
            Err(error) => {
                tracing::error!(%error, app_id = self.due.app_id, "the search for the last change of a line failed");
                Ok(None)
            }
        }
    }

    async fn in_words(&self, change: &Assignment) -> Result<LastChange, StoreError> {
        let author = &change.author;
        let author = if author.name.is_empty() { author.mail.clone() } else { author.name.clone() };
        let release = self.store.release_of_commit(&self.due.app_id, &change.commit).await?;
        Ok(LastChange { author, release: release.map(|number| format!("R#{number}")) })
    }

    async fn open(&self, repositories: &Repositories) -> Result<Option<Code>, StoreError> {
        let app_id = &*self.due.app_id;
        let Some(number) = self.due.subject.release() else { return Ok(None) };
        let Some(release) = self.store.release_of_number(app_id, number).await? else { return Ok(None) };
        let connected = self.store.repositories().await?;
        let Some(RepositoryRow { repository: connection, .. }) = connected.into_iter().find(|row| row.app_id == app_id)
        else {
            return Ok(None);
        };
        let (app, repositories) = (app_id.to_owned(), repositories.clone());
        let prefix = connection.prefix.clone();
        let opened = tokio::task::spawn_blocking(move || repositories.open(&app, &connection));
        match opened.await {
            Ok(Ok(repository)) => Ok(Some(Code { repository: Arc::new(repository), rev: release.rev, prefix })),
            // It comes with the first fetch.
            Ok(Err(Error::NotFetched { .. })) => Ok(None),
            Ok(Err(error)) => {
                tracing::debug!(%error, app_id, "the repository of an app cannot be read; its lines have no authors");
                Ok(None)
            }
            Err(error) => {
                tracing::error!(%error, app_id, "opening the repository of an app failed; its lines have no authors");
                Ok(None)
            }
        }
    }
}
