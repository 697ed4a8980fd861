//! The role of a person or a token in an organization.

use serde::{Deserialize, Serialize};

/// A role. A later one may do all that an earlier one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Sees everything of the organization.
    Reader,
    /// Also changes the status of errors, comments and assigns.
    Member,
    /// Also changes people, teams and settings.
    Admin,
}

impl Role {
    /// All roles.
    pub(crate) const ALL: [Self; 3] = [Self::Reader, Self::Member, Self::Admin];

    /// Returns the role as text, as it is stored and shown.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }

    /// Returns the role of a stored text. An unknown one may only read.
    pub(crate) fn of(text: &str) -> Self {
        Self::parse(text).unwrap_or(Self::Reader)
    }

    /// Returns the role of a text that a person sent, or `None` if there is no such role.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Returns the changes that the role allows, for people.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Reader => "sees everything",
            Self::Member => "also changes, comments and assigns errors",
            Self::Admin => "also changes people, teams and settings",
        }
    }
}
