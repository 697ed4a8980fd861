//! The handles that change people, and the reasons for which they refuse.

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

/// The changes that an admin may make in an organization. Each of them is one entry of the audit log.
#[derive(Debug)]
pub(crate) struct Admin<'a> {
    pub(super) store: &'a Store,
    pub(super) organization_id: &'a str,
    pub(super) by: ChangedBy,
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

    /// Returns the changes that a reader may make as an admin of an organization, from the address of a browser.
    ///
    /// # Errors
    ///
    /// Returns [`Refused::NoAdmin`] if the reader is no admin of the organization.
    pub(crate) fn admin<'a>(
        &'a self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &'a str,
    ) -> Result<Admin<'a>, Refused> {
        if !rights.may_administer(organization_id) {
            return Err(Refused::NoAdmin);
        }
        Ok(Admin { store: &self.store, organization_id, by: author(rights, address) })
    }
}

/// Returns the author of a change that is made now.
pub(super) fn author(rights: &Rights, address: IpAddr) -> ChangedBy {
    ChangedBy::now(rights.full_name(), address)
}

/// Returns an error unless a change was made. `kind` names the thing that is changed. The field of a value that is taken, or
/// of one too many, is for the caller to name.
pub(super) const fn done(changed: Changed, kind: &'static str) -> Result<(), Refused> {
    match changed {
        Changed::Done => Ok(()),
        Changed::Missing => Err(Refused::Missing(kind)),
        Changed::LastAdmin => Err(LAST_ADMIN),
        Changed::Taken => Err(Refused::invalid("form", "Another one has this name or address already.")),
        Changed::TooMany => Err(Refused::invalid("form", "There are too many of them. Remove some first.")),
    }
}

/// The refusal of a change after which an organization would have no admin.
pub(super) const LAST_ADMIN: Refused =
    Refused::invalid("role", "This is the last admin of the organization. Make another member admin first.");
