//! The limits of apps, and the events that count against their quotas.

mod app_limits;
mod counts;
mod refresh;

pub(crate) use app_limits::{AppLimits, LimitDirectory};
pub(crate) use counts::StoredUsage;
pub(crate) use counts::{EventCounts, day_of, seconds_until_next_day};
pub(crate) use refresh::{UsageDirectory, start_counts};
