//! The people of an organization: members, invitations, teams and the audit log.

mod audit;
mod list;
mod member;
mod team;

pub(in crate::dashboard) use audit::audit_log;
pub(in crate::dashboard) use list::{change_people, people};
pub(in crate::dashboard) use member::{change_member, member};
pub(in crate::dashboard) use team::{change_team, team};
