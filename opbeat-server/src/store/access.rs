//! The rights of tokens and people.

use std::collections::BTreeMap;

use super::database::Store;
use super::engine::{Row, query};
use super::error::StoreError;
use crate::audit;
use crate::role::Role;

/// The organizations that a reader may see, with the role in each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All organizations, for the owner of the server. The one of the server's own probe is not among them.
    Everything,
    /// Some organizations, by their ids.
    Organizations(BTreeMap<String, Role>),
}

impl Scope {
    /// Returns the role in an organization, or `None` if the reader may not see it.
    pub(crate) fn role_in(&self, organization_id: &str) -> Option<Role> {
        match self {
            Self::Everything => Some(Role::Admin),
            Self::Organizations(roles) => roles.get(organization_id).copied(),
        }
    }

    /// Returns the id of the organization if there is only one, as for a token.
    pub(crate) fn only(&self) -> Option<&str> {
        match self {
            Self::Organizations(roles) if roles.len() == 1 => roles.keys().next().map(String::as_str),
            Self::Everything | Self::Organizations(_) => None,
        }
    }
}

/// The operations that a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading.
    Read,
    /// Reading, and changing the status of errors.
    Write,
    /// Everything that an admin of the organization may do.
    Manage,
}

impl Access {
    /// Returns the access as text, as it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Manage => "manage",
        }
    }

    /// Returns the access of a stored text. An unknown one allows reading only.
    pub(crate) fn of(text: &str) -> Self {
        [Self::Write, Self::Manage].into_iter().find(|access| access.as_str() == text).unwrap_or(Self::Read)
    }
}

/// The rights of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    /// The organizations that the reader may see.
    pub(crate) scope: Scope,
    /// The name of the person or the token, or an empty string: it says in activities who did something.
    pub(crate) actor: String,
    /// The person or the program that the reader is.
    pub(crate) holder: Holder,
}

/// The person or the program that has rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A browser that opened the sign-in link.
    Link,
    /// A token of the API and the pages.
    Token,
    /// A person.
    Person {
        /// The id.
        id: String,
        /// The e-mail address.
        email: String,
    },
}

impl Rights {
    /// Returns whether the reader may change errors of an organization.
    pub(crate) fn may_write(&self, organization_id: &str) -> bool {
        self.scope.role_in(organization_id) >= Some(Role::Member)
    }

    /// Returns whether the reader may change people, teams and settings of an organization.
    pub(crate) fn may_administer(&self, organization_id: &str) -> bool {
        self.scope.role_in(organization_id) >= Some(Role::Admin)
    }

    /// Returns the id of the person, or `None` for a token or the sign-in link.
    pub(crate) fn person(&self) -> Option<&str> {
        match &self.holder {
            Holder::Person { id, .. } => Some(id),
            Holder::Link | Holder::Token => None,
        }
    }

    /// Returns the name for the audit log: that of a person has the e-mail address too.
    pub(crate) fn full_name(&self) -> String {
        match &self.holder {
            Holder::Person { email, .. } => audit::full_name(&self.actor, email),
            Holder::Link => self.actor.clone(),
            Holder::Token => format!("the token {:?}", self.actor),
        }
    }
}

impl Store {
    /// Returns the rights of a token of the API and the pages.
    pub(crate) async fn rights_of(&self, token_hash: &[u8; 32]) -> Result<Option<Rights>, StoreError> {
        let row = query("SELECT organization_id, access, name FROM read_tokens WHERE hash = ?")
            .bind(&token_hash[..])
            .read_optional(&self.readers)
            .await?;
        row.as_ref().map(rights).transpose()
    }

    /// Returns the rights of a session, unless the session has ended.
    pub(crate) async fn rights_of_session(
        &self,
        session_hash: &[u8; 32],
        now: i64,
    ) -> Result<Option<Rights>, StoreError> {
        let row = query(
            "SELECT read_tokens.organization_id, read_tokens.access, read_tokens.name FROM sessions
             JOIN read_tokens ON read_tokens.hash = sessions.token_hash
             WHERE sessions.hash = ? AND sessions.expires_at > ?",
        )
        .bind(&session_hash[..])
        .bind(now)
        .read_optional(&self.readers)
        .await?;
        row.as_ref().map(rights).transpose()
    }
}

fn rights(row: &Row<'_>) -> Result<Rights, StoreError> {
    let role = match Access::of(row.try_get("access")?) {
        Access::Read => Role::Reader,
        Access::Write => Role::Member,
        Access::Manage => Role::Admin,
    };
    Ok(Rights {
        scope: Scope::Organizations(BTreeMap::from([(row.try_get("organization_id")?, role)])),
        actor: row.try_get("name")?,
        holder: Holder::Token,
    })
}
