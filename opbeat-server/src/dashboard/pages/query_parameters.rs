//! The query parameters of the pages.

use jiff::Timestamp;
use serde::Deserialize;

use crate::dashboard::access::Reader;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, Range};

/// The query parameters of all pages; each page reads some of them.
#[derive(Debug, Default, Deserialize)]
pub(in crate::dashboard) struct PageParameters {
    range: Option<String>,
    from: Option<String>,
    to: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) search: Option<String>,
    pub(super) order: Option<String>,
    pub(super) status: Option<String>,
    pub(super) assignee: Option<String>,
    pub(super) occurrence: Option<i64>,
    pub(super) page: Option<usize>,
    pub(super) id: Option<String>,
    /// The kind of program whose set-up is shown.
    pub(super) setup: Option<String>,
    /// Whether a page without data is read again: not if it is `off`.
    pub(super) renew: Option<String>,
}

impl PageParameters {
    /// Returns the requested range, by default one that contains the app's latest data.
    pub(super) async fn range(&self, reader: &Reader, app: &AppIdentity) -> Result<Range, Problem> {
        let now = Timestamp::now();
        match Range::parse(self.range.as_deref(), self.from.as_deref(), self.to.as_deref(), now)? {
            Some(range) => Ok(range),
            None => Ok(reader.query.default_range(app, now).await?),
        }
    }
}
