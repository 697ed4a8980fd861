//! Query parameters that several routes have.

use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::Problem;
use crate::query::Range;

/// The largest number of rows in one response.
const MAX_ROWS: u32 = 200;

/// The requested range of time; the last hour by default.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RangeParameters {
    /// `15m`, `1h`, `6h`, `24h`, `7d` or `30d`, ending now.
    range: Option<String>,
    /// The start, RFC 3339. It is rounded down to a whole minute, or to an hour in ranges of more than six hours.
    from: Option<String>,
    /// The end, RFC 3339. It is rounded up to a whole minute, or to an hour in ranges of more than six hours.
    to: Option<String>,
}

impl RangeParameters {
    pub(super) fn range(&self) -> Result<Range, Problem> {
        let now = Timestamp::now();
        let range = Range::parse(self.range.as_deref(), self.from.as_deref(), self.to.as_deref(), now)?;
        Ok(range.unwrap_or_else(|| Range::for_activity(Timestamp::UNIX_EPOCH, now, now)))
    }
}

/// The requested part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParameters {
    /// The number of rows, at most 200.
    limit: Option<u32>,
    /// The number of rows to skip.
    offset: Option<u32>,
}

impl PageParameters {
    pub(super) fn limit_and_offset(&self) -> Result<(u32, u32), Problem> {
        let limit = self.limit.unwrap_or(MAX_ROWS);
        if limit == 0 || limit > MAX_ROWS {
            return Err(Problem::invalid("limit", format!("it is {limit}; request 1 to {MAX_ROWS} rows")));
        }
        Ok((limit, self.offset.unwrap_or(0)))
    }
}
