//! People, their organizations, teams and sessions, and the log of changes to them.
//!
//! Each change writes its entry of the audit log in its own transaction. Changes by several processes wait for each other.

mod accounts;
mod audit;
mod identities;
mod invitations;
mod members;
mod membership;
mod sessions;
mod teams;
#[cfg(test)]
mod tests;

pub(crate) use accounts::{Account, Created, NewPerson, OwnChange};
pub(crate) use audit::AuditRow;
pub(super) use audit::record;
pub(crate) use identities::LinkedIdentity;
pub(crate) use invitations::{Invitation, Invitee, Joined, NewInvitation};
pub(crate) use membership::{Changed, Member};
pub(crate) use sessions::PersonSession;
pub(crate) use teams::{Team, TeamDetail};
