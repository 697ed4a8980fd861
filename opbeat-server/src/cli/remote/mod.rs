//! Commands that read a running server over its API, and those that report to it: on any machine, with a token.

mod client;
mod error;
mod lists;
mod release;
mod table;

pub(super) use error::ShowError;
pub(super) use lists::{Errors, Findings, Transactions};
pub(super) use release::Release;
