//! The person or the team that an error is assigned to: in words, in lists, and in forms.

use maud::{Markup, html};

use crate::assignment::{AssigneeFilter, NOBODY};
use crate::query::{Assignees, ErrorDetail, Rights};

/// The value of a list's parameter for the errors of its reader.
pub(super) const MINE: &str = "me";

/// Says in a sentence who is assigned and why, also if it is nobody.
pub(super) fn sentence(detail: &ErrorDetail) -> Markup {
    let reason = &detail.assignment.reason;
    let name = detail.error.assignee.as_ref().map(|assignee| &*assignee.name);
    html! {
        @if name.is_some() || !reason.is_empty() {
            p.state {
                "Assigned to " strong { (name.unwrap_or(NOBODY)) }
                @if !reason.is_empty() { ", because " (reason) }
                "."
            }
        }
    }
}

/// Makes the options of a choice: members, teams, and nobody.
pub(super) fn options(assignees: &Assignees, selected: Option<&str>) -> Markup {
    let is_selected = |id: &str| selected == Some(id);
    html! {
        option value=(NOBODY) selected[is_selected(NOBODY)] { "nobody" }
        @if !assignees.members.is_empty() {
            optgroup label="Members" {
                @for member in &assignees.members {
                    option value=(member.id) selected[is_selected(&member.id)] { (member.name) }
                }
            }
        }
        @if !assignees.teams.is_empty() {
            optgroup label="Teams" {
                @for team in &assignees.teams {
                    @let id = format!("team-{}", team.id);
                    option value=(id) selected[is_selected(&id)] { (team.name) }
                }
            }
        }
    }
}

/// Makes the button that assigns errors, with the choice.
pub(super) fn button(assignees: &Assignees, selected: Option<&str>) -> Markup {
    html! {
        span.together {
            button type="submit" name="action" value="assign" { "Assign" }
            select name="assignee" aria-label="Assignee" { (options(assignees, selected)) }
        }
    }
}

/// Makes the choice of a list's assignee.
pub(super) fn filter(assignees: &Assignees, selected: Option<&str>, reader: &Rights) -> Markup {
    html! {
        @if !assignees.is_empty() {
            select name="assignee" aria-label="Assigned to" {
                option value="" { "anybody's" }
                @if assignees.me(reader).is_some() { option value=(MINE) selected[selected == Some(MINE)] { "mine" } }
                (options(assignees, selected))
            }
        }
    }
}

/// Returns the filter of a list's parameter.
pub(super) fn parse(text: &str, assignees: &Assignees, reader: &Rights) -> Option<AssigneeFilter> {
    if text == MINE {
        return AssigneeFilter::of(&assignees.me(reader)?.id);
    }
    AssigneeFilter::of(text)
}
