//! Triage: what people and programs do about errors. They resolve, mute, open, assign, comment, merge and split them.

use jiff::Timestamp;

use crate::assignment::Assignee;
use crate::error_status::{MuteEnds, StatusChange};
use crate::query::{AppIdentity, Rights};
use crate::store::{Commented, Merged, Store, StoreError};

/// The largest number of errors that are changed at once.
const MAX_ERRORS: usize = 200;

/// The longest comment, in characters.
const MAX_COMMENT: usize = 10_000;

/// The largest number of further errors that a mute waits for.
const MAX_FURTHER: i64 = 1_000_000_000;

/// The reason for which nobody is assigned.
const NO_ASSIGNEE: &str = "The organization has no such member or team.";

/// Changes errors. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Triage {
    store: Store,
}

/// A change that is not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The reader may not change anything.
    #[error(
        "You may read and not change errors. The role member allows it, and so does a token of \
         `opbeat token create ORG --write`."
    )]
    ReadOnly,
    /// The error does not exist.
    #[error("This error does not exist.")]
    NoError,
    /// A value is invalid.
    #[error("{0}")]
    Invalid(&'static str),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] StoreError),
}

impl Triage {
    /// Makes a handle that writes to a store.
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Changes the status of errors, given their numbers. Returns the numbers of those that exist.
    ///
    /// # Errors
    ///
    /// Returns a [`Refusal`] if the reader may not change errors, a value is invalid, or the database fails.
    pub(crate) async fn change(
        &self,
        rights: &Rights,
        app: &AppIdentity,
        mut numbers: Vec<i64>,
        change: StatusChange,
    ) -> Result<Vec<i64>, Refusal> {
        let now = writer(rights, app)?;
        limit(&mut numbers)?;
        if let StatusChange::Mute(MuteEnds { time, further_errors, .. }) = change {
            if time.is_some_and(|time| time <= now) {
                return Err(Refusal::Invalid("The time until which an error is muted must be in the future."));
            }
            if further_errors.is_some_and(|errors| !(1..=MAX_FURTHER).contains(&errors)) {
                return Err(Refusal::Invalid("The number of further errors must be from 1 to 1,000,000,000."));
            }
        }
        Ok(self.store.change_status(&app.id, numbers, change, &rights.actor, now).await?)
    }

    /// Assigns errors, given their numbers, to a member or a team of the organization, or to nobody. Returns the numbers of
    /// those that exist.
    ///
    /// # Errors
    ///
    /// Returns a [`Refusal`] if the reader may not change errors, the organization has no such member or team, or the
    /// database fails.
    pub(crate) async fn assign(
        &self,
        rights: &Rights,
        app: &AppIdentity,
        mut numbers: Vec<i64>,
        assignee: Option<Assignee>,
    ) -> Result<Vec<i64>, Refusal> {
        let now = writer(rights, app)?;
        limit(&mut numbers)?;
        let ids = (&*app.organization_id, &*app.id);
        let assigned = self.store.assign(ids, numbers, assignee, &rights.actor, now).await?;
        assigned.ok_or(Refusal::Invalid(NO_ASSIGNEE))
    }

    /// Returns the member of an app's organization with an id or an e-mail address.
    ///
    /// # Errors
    ///
    /// Returns a [`Refusal`] if there is none, the reader may not change errors, or the database fails.
    pub(crate) async fn member(&self, rights: &Rights, app: &AppIdentity, text: &str) -> Result<Assignee, Refusal> {
        writer(rights, app)?;
        let by_email = self.store.member_by_email(&app.organization_id, text).await?;
        let by_id = || Assignee::of(text).filter(|assignee| matches!(assignee, Assignee::Person(_)));
        by_email.map(|member| Assignee::Person(member.id)).or_else(by_id).ok_or(Refusal::Invalid(NO_ASSIGNEE))
    }

    /// Returns the team of an app's organization with a name.
    ///
    /// # Errors
    ///
    /// Returns a [`Refusal`] if there is none, the reader may not change errors, or the database fails.
    pub(crate) async fn team(&self, rights: &Rights, app: &AppIdentity, name: &str) -> Result<Assignee, Refusal> {
        writer(rights, app)?;
        let teams = self.store.assignable_teams(&app.organization_id).await?;
        let team = teams.into_iter().find(|team| team.name == name);
        team.map(|team| Assignee::Team(team.id)).ok_or(Refusal::Invalid(NO_ASSIGNEE))
    }

    /// Merges errors into one of them, given their numbers. Returns the number of the one that shows all.
    ///
    /// # Errors
    ///
    /// Returns a [`Refusal`] if the reader may not change errors, one does not exist or cannot be merged, or the database fails.
    pub(crate) async fn merge(
        &self,
        rights: &Rights,
        app: &AppIdentity,
        into: i64,
        mut numbers: Vec<i64>,
    ) -> Result<i64, Refusal> {
        let now = writer(rights, app)?;
        limit(&mut numbers)?;
        merged(self.store.merge_errors(&app.id, into, numbers, &rights.actor, now).await?)
    }

    /// Splits errors from the one that they are merged into, given their numbers.
    ///
    /// # Errors
    ///
    /// Returns a [`Refusal`] if the reader may not change errors, one does not exist or is not merged, or the database fails.
    pub(crate) async fn split(
        &self,
        rights: &Rights,
        app: &AppIdentity,
        from: i64,
        mut numbers: Vec<i64>,
    ) -> Result<i64, Refusal> {
        let now = writer(rights, app)?;
        limit(&mut numbers)?;
        merged(self.store.split_errors(&app.id, from, numbers, &rights.actor, now).await?)
    }

    /// Adds a comment to an error.
    ///
    /// # Errors
    ///
    /// Returns a [`Refusal`] if the reader may not comment, the error does not exist, the comment is empty or too long,
    /// or the database fails.
    pub(crate) async fn comment(
        &self,
        rights: &Rights,
        app: &AppIdentity,
        number: i64,
        text: &str,
    ) -> Result<(), Refusal> {
        let now = writer(rights, app)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(Refusal::Invalid("The comment is empty."));
        }
        if text.chars().count() > MAX_COMMENT {
            return Err(Refusal::Invalid("The comment is too long: it may have 10,000 characters."));
        }
        match self.store.comment(&app.id, number, text, &rights.actor, now).await? {
            Commented::Added => Ok(()),
            Commented::NoGroup => Err(Refusal::NoError),
            Commented::TooMany => Err(Refusal::Invalid("This error has 1,000 events, and takes no further comment.")),
        }
    }
}

/// Returns the number of the error that shows all, or why nothing was changed.
fn merged(result: Merged) -> Result<i64, Refusal> {
    match result {
        Merged::Done(number) => Ok(number),
        Merged::NoGroup => Err(Refusal::NoError),
        Merged::Same => Err(Refusal::Invalid("These errors are one already. Select two different ones.")),
        Merged::Apart => Err(Refusal::Invalid("This error is not merged into the other one.")),
        Merged::Others => Err(Refusal::Invalid("The errors beyond the limit of different ones cannot be merged.")),
        Merged::TooMany => Err(Refusal::Invalid("At most 100 errors can be merged into one.")),
    }
}

/// Removes repeated numbers, and refuses too many.
fn limit(numbers: &mut Vec<i64>) -> Result<(), Refusal> {
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() > MAX_ERRORS {
        return Err(Refusal::Invalid("Change at most 200 errors at once."));
    }
    Ok(())
}

/// Checks that a reader may change errors. Returns the time of the change, in microseconds since 1970.
fn writer(rights: &Rights, app: &AppIdentity) -> Result<i64, Refusal> {
    if !rights.may_write(&app.organization_id) {
        return Err(Refusal::ReadOnly);
    }
    Ok(Timestamp::now().as_microsecond())
}
