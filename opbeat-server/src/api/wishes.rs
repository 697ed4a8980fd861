//! What requests ask for behind their address.

use std::time::SystemTime;

use opbeat_protocol::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::Problem;
use crate::query::Range;

/// Rows of one answer at the most.
const MAX_ROWS: u32 = 200;

/// The time that is asked for; the last hour by default.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Time {
    /// `15m`, `1h`, `6h`, `24h`, `7d` or `30d`, up to now.
    range: Option<String>,
    /// The start, RFC 3339. It is moved back to a whole minute, or hour for more than six hours.
    from: Option<String>,
    /// The end, RFC 3339. It is moved on to a whole minute, or hour.
    to: Option<String>,
}

impl Time {
    pub(super) fn range(&self) -> Result<Range, Problem> {
        let now = now();
        let asked = Range::parse(self.range.as_deref(), self.from.as_deref(), self.to.as_deref(), now)?;
        Ok(asked.unwrap_or_else(|| Range::for_activity(0, now, now)))
    }
}

/// The part of a list that is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// Rows, at most 200.
    limit: Option<u32>,
    /// Rows to leave out first.
    offset: Option<u32>,
}

impl Part {
    pub(super) fn limit_and_offset(&self) -> Result<(u32, u32), Problem> {
        let limit = self.limit.unwrap_or(MAX_ROWS);
        if limit == 0 || limit > MAX_ROWS {
            return Err(Problem::invalid("limit", format!("it is {limit}; ask for 1 to {MAX_ROWS} rows")));
        }
        Ok((limit, self.offset.unwrap_or(0)))
    }
}

/// Returns the time in seconds since 1970.
pub(super) fn now() -> i64 {
    Timestamp::from(SystemTime::now()).seconds()
}
