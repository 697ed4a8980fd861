//! People: accounts, roles, invitations and teams. Each change is checked against the rights of the person who makes it:
//! the changes of an organization belong to [`Admin`], which only an admin gets.
//!
//! ```text
//! first run  ─► owner of the server
//! invitation ─► member of an organization, with a role
//! admin      ─► roles, aliases, teams
//! ```

mod accounts;
mod handle;
mod identities;
mod mails;
mod members;
mod teams;

pub(crate) use accounts::{CURRENT_PASSWORD, Ended, FirstApp, NewAccount};
pub(crate) use handle::{Admin, People, Refused};
pub(crate) use members::Invited;
