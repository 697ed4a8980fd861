//! Triage: what people and programs do about errors. They resolve, mute, open and comment them.

use jiff::Timestamp;

use crate::error_status::{MuteEnds, StatusChange};
use crate::query::{AppIdentity, Rights};
use crate::store::{Commented, Store, StoreError};

/// The largest number of errors that are changed at once.
const MAX_ERRORS: usize = 200;

/// The longest comment, in characters.
const MAX_COMMENT: usize = 10_000;

/// The largest number of further errors that a mute waits for.
const MAX_FURTHER: i64 = 1_000_000_000;

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
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.len() > MAX_ERRORS {
            return Err(Refusal::Invalid("Change at most 200 errors at once."));
        }
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

/// Checks that a reader may change errors. Returns the time of the change, in microseconds since 1970.
fn writer(rights: &Rights, app: &AppIdentity) -> Result<i64, Refusal> {
    if !rights.may_write(&app.organization_id) {
        return Err(Refusal::ReadOnly);
    }
    Ok(Timestamp::now().as_microsecond())
}
