//! The persons and teams that errors are assigned to.

use serde::Serialize;
use utoipa::ToSchema;

use super::{AppIdentity, Query, QueryError, Rights};
use crate::assignment::{AssignedBy, Assignee};
use crate::store::{AssignmentRow, MemberRow, TeamRow};

/// A person or a team that an error is assigned to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct AssigneeView {
    /// Whether it is a person or a team.
    pub(crate) kind: AssigneeKind,
    /// The id of the person, or `team-` and the number of the team. The list of errors takes it as a filter.
    pub(crate) id: String,
    /// The name, or the e-mail address of a person without one.
    pub(crate) name: String,
}

/// The kind of an assignee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AssigneeKind {
    /// A member of the organization.
    Person,
    /// A team of the organization.
    Team,
}

/// The cause of an assignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct AssignmentView {
    /// The cause; `null` if nobody is assigned, unless a person decided that.
    pub(crate) by: Option<AssignedBy>,
    /// The reason in a sentence, also if nobody is assigned. It is empty until the worker has looked at the error.
    pub(crate) reason: String,
}

/// The persons and teams that errors of an organization can be assigned to, in the order of their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assignees {
    /// Members who may sign in, at most 200.
    pub(crate) members: Vec<MemberRow>,
    /// Teams, at most 100.
    pub(crate) teams: Vec<TeamRow>,
}

impl Assignees {
    /// Returns the member who a reader is: the person who signed in, or the one whose name or address a token has.
    pub(crate) fn me(&self, reader: &Rights) -> Option<&MemberRow> {
        if let Some(id) = reader.person() {
            return self.members.iter().find(|member| member.id == id);
        }
        let name = reader.actor.as_str();
        let by_email = self.members.iter().find(|member| member.email.eq_ignore_ascii_case(name));
        let mut by_name = self.members.iter().filter(|member| member.name == name);
        by_email.or_else(|| by_name.next().filter(|_| by_name.next().is_none()))
    }

    /// Returns whether there is nobody.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.teams.is_empty()
    }
}

impl Query {
    /// Returns the persons and teams that errors of an app can be assigned to.
    pub(crate) async fn assignees(&self, app: &AppIdentity) -> Result<Assignees, QueryError> {
        let members = self.store.assignable_members(&app.organization_id).await?;
        Ok(Assignees { members, teams: self.store.assignable_teams(&app.organization_id).await? })
    }
}

/// Divides the assignment of a group for lists and for its page.
pub(super) fn views(row: AssignmentRow) -> (Option<AssigneeView>, AssignmentView) {
    let view = |(assignee, name): (Assignee, String)| {
        let kind = match assignee {
            Assignee::Person(_) => AssigneeKind::Person,
            Assignee::Team(_) => AssigneeKind::Team,
        };
        AssigneeView { kind, id: assignee.text(), name }
    };
    (row.assignee.map(view), AssignmentView { by: row.by, reason: row.reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Holder, Scope};

    #[test]
    fn readers_are_found_by_their_id_or_by_a_name_that_is_theirs_alone() {
        let member = |id: &str, name: &str| MemberRow {
            id: id.to_owned(),
            name: name.to_owned(),
            email: format!("{id}@acme.example"),
        };
        let members = vec![member("ana", "Ana"), member("ben", "Ben"), member("ben2", "Ben")];
        let assignees = Assignees { members, teams: Vec::new() };
        let me = |actor: &str, holder: Holder| {
            let rights = Rights { scope: Scope::Everything, actor: actor.to_owned(), holder };
            assignees.me(&rights).map(|member| member.id.clone())
        };
        let found = |id: &str| Some(id.to_owned());
        let person = |id: &str| Holder::Person { id: id.to_owned(), email: String::new() };
        assert_eq!(me("Ben", person("ben2")), found("ben2"));
        assert_eq!(me("Ana", person("eve")), None, "a person of another organization");
        assert_eq!(me("Ana", Holder::Token), found("ana"));
        assert_eq!(me("BEN2@acme.example", Holder::Token), found("ben2"));
        assert_eq!(
            (me("Ben", Holder::Token), me("", Holder::Token), me("the owner", Holder::Link)),
            (None, None, None)
        );
    }
}
