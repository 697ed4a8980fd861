//! The pages, one file each.

mod apps;
mod crons;
mod empty;
mod error;
mod errors;
mod findings;
mod frames;
mod history;
mod intake;
mod query_parameters;
mod releases;
mod room;
mod sample;
mod sign_in;
mod transaction;
mod transactions;
mod triage;
mod values;

pub(super) use apps::apps;
pub(super) use crons::crons;
pub(super) use error::{error, error_by_id};
pub(super) use errors::errors;
pub(super) use intake::intake;
pub(super) use releases::{release, releases};
pub(super) use sample::sample;
pub(super) use sign_in::{sign_in, sign_out, submit_sign_in};
pub(super) use transaction::transaction;
pub(super) use transactions::transactions;
pub(super) use triage::{change_errors, comment};
