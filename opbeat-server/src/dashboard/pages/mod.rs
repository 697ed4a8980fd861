//! One file a page.

mod apps;
mod empty;
mod error;
mod errors;
mod facts;
mod frames;
mod sample;
mod sign_in;
mod transaction;
mod transactions;

use std::time::SystemTime;

use axum::extract::Query as Params;
use opbeat_protocol::Timestamp;
use serde::Deserialize;

pub(super) use apps::apps;
pub(super) use error::error;
pub(super) use errors::errors;
pub(super) use sample::sample;
pub(super) use sign_in::{sign_in, sign_out, submit_sign_in};
pub(super) use transaction::transaction;
pub(super) use transactions::transactions;

use super::access::Reader;
use super::problem::Problem;
use crate::query::{AppIdentity, Range};

pub(super) async fn not_found() -> Problem {
    Problem::NotFound("page")
}

/// What pages are asked for behind their address.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wishes {
    range: Option<String>,
    from: Option<String>,
    to: Option<String>,
    kind: Option<String>,
    search: Option<String>,
    order: Option<String>,
    occurrence: Option<i64>,
    page: Option<usize>,
}

/// Finds the app that a page is about.
async fn find_app(reader: &Reader, organization: &str, app: &str) -> Result<AppIdentity, Problem> {
    let app = reader.query.find_app(&reader.scope, organization, app).await?;
    app.ok_or(Problem::NotFound("app"))
}

/// Returns the time that a page is about.
async fn range(reader: &Reader, app: &AppIdentity, Params(wishes): &Params<Wishes>) -> Result<Range, Problem> {
    let now = now();
    let asked = Range::parse(wishes.range.as_deref(), wishes.from.as_deref(), wishes.to.as_deref(), now)?;
    match asked {
        Some(range) => Ok(range),
        None => Ok(reader.query.default_range(app, now).await?),
    }
}

/// Returns the time in seconds since 1970.
fn now() -> i64 {
    Timestamp::from(SystemTime::now()).seconds()
}
