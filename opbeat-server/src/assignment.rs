//! The person or the team that an error is assigned to, as plain data.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The cause of an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AssignedBy {
    /// The person changed the failing line last.
    Blame,
    /// Somebody decided it. The server does not change it.
    Person,
    /// The team is responsible for the app.
    Team,
}

impl AssignedBy {
    /// Returns the cause as text, as it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Blame => "blame",
            Self::Person => "person",
            Self::Team => "team",
        }
    }

    /// Returns the cause of a stored text. `None` if nobody is assigned, or a newer version of the server wrote it.
    pub(crate) fn of(text: &str) -> Option<Self> {
        [Self::Blame, Self::Person, Self::Team].into_iter().find(|by| by.as_str() == text)
    }
}

/// A person or a team of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Assignee {
    /// A person, by the id.
    Person(String),
    /// A team, by the id.
    Team(i64),
}

/// The start of a team's text in forms and addresses.
const TEAM: &str = "team-";

impl Assignee {
    /// Returns the text of forms and addresses: the id of a person, or `team-7`.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Person(id) => id.clone(),
            Self::Team(id) => format!("{TEAM}{id}"),
        }
    }

    /// Returns the assignee of such a text. Whether there is one is for the store to say.
    pub(crate) fn of(text: &str) -> Option<Self> {
        match text.strip_prefix(TEAM) {
            Some(id) => id.parse().ok().map(Self::Team),
            None if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Some(Self::Person(text.to_owned()))
            }
            None => None,
        }
    }
}

/// The errors that a list is limited to, by their assignee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AssigneeFilter {
    /// Errors of a person or a team.
    Of(Assignee),
    /// Errors of nobody.
    Nobody,
}

/// The text of [`AssigneeFilter::Nobody`] in forms and addresses.
pub(crate) const NOBODY: &str = "nobody";

impl AssigneeFilter {
    /// Returns the filter of a text of addresses.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if text == NOBODY { Some(Self::Nobody) } else { Assignee::of(text).map(Self::Of) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_addresses_name_one_assignee() {
        let person = Assignee::Person("0123456789abcdef0123456789abcdef".to_owned());
        for assignee in [person, Assignee::Team(7)] {
            assert_eq!(AssigneeFilter::of(&assignee.text()), Some(AssigneeFilter::Of(assignee)));
        }
        assert_eq!(AssigneeFilter::of(NOBODY), Some(AssigneeFilter::Nobody));
        for text in ["", "team-", "team-x", "ana", "0123", "nobody "] {
            assert_eq!(AssigneeFilter::of(text), None, "{text:?}");
        }
    }
}
