//! The handle that changes people, and the reasons for which it refuses.

use std::net::IpAddr;

use crate::audit::ChangedBy;
use crate::passwords::Passwords;
use crate::store::{Changed, Rights, Store, StoreError};

/// Changes people. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct People {
    pub(super) store: Store,
    pub(super) passwords: Passwords,
}

/// A change that is not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The reader is no admin of the organization.
    #[error("Only an admin of the organization may change this. Ask one of those on the page People.")]
    NoAdmin,
    /// The person, team, app or invitation does not exist.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// A value is invalid.
    #[error("{message}")]
    Invalid {
        /// The name of the field in the form.
        field: &'static str,
        /// The reason, in sentences.
        message: &'static str,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] StoreError),
}

impl Refused {
    /// Makes the refusal of a value.
    pub(super) const fn invalid(field: &'static str, message: &'static str) -> Self {
        Self::Invalid { field, message }
    }
}

impl People {
    /// Makes a handle that writes to a store.
    pub(crate) const fn new(store: Store, passwords: Passwords) -> Self {
        Self { store, passwords }
    }
}

/// Checks that a reader is an admin of an organization. Returns the author of a change that is made now.
pub(super) fn admin(rights: &Rights, organization_id: &str, address: IpAddr) -> Result<ChangedBy, Refused> {
    if rights.may_administer(organization_id) { Ok(author(rights, address)) } else { Err(Refused::NoAdmin) }
}

/// Returns the author of a change that is made now.
pub(super) fn author(rights: &Rights, address: IpAddr) -> ChangedBy {
    ChangedBy::now(rights.full_name(), address)
}

/// Returns an error unless a change was made. `kind` names the thing that is changed.
pub(super) const fn done(changed: Changed, kind: &'static str) -> Result<(), Refused> {
    match changed {
        Changed::Done => Ok(()),
        Changed::Missing => Err(Refused::Missing(kind)),
        Changed::LastAdmin => Err(Refused::invalid(
            "role",
            "This is the last admin of the organization. Make another member admin first.",
        )),
        Changed::Taken => Err(Refused::invalid("name", "Another one has this name or address already.")),
        Changed::TooMany => Err(Refused::invalid("name", "There are too many of them. Remove some first.")),
    }
}
