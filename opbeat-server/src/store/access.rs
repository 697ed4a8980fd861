//! The rights of tokens.

use super::database::Store;
use super::engine::{Row, query};
use super::error::StoreError;

/// The organizations that a reader may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All organizations, for readers who opened the sign-in link. The one of the server's own probe is not among them.
    Everything,
    /// One organization, by its id.
    Organization(String),
}

/// The operations that a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading.
    Read,
    /// Reading, and changing the status of errors.
    Write,
}

impl Access {
    /// Returns the access as text, as it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// Returns the access of a stored text. An unknown one allows reading only.
    pub(crate) fn of(text: &str) -> Self {
        if text == Self::Write.as_str() { Self::Write } else { Self::Read }
    }
}

/// The rights of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    /// The organizations that the reader may see.
    pub(crate) scope: Scope,
    /// The operations that the reader may do.
    pub(crate) access: Access,
    /// The name of the token, or an empty string: it says in activities who did something.
    pub(crate) actor: String,
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
    Ok(Rights {
        scope: Scope::Organization(row.try_get("organization_id")?),
        access: Access::of(row.try_get("access")?),
        actor: row.try_get("name")?,
    })
}
