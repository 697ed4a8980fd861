//! Schedules of jobs: when the next run is expected.

use cronexpr::jiff::tz::TimeZone;
use cronexpr::{Crontab, MakeTimestamp};
use jiff::{SignedDuration, Timestamp};

/// The number of seconds by which a run can start too early: the clocks of two machines differ.
const EARLY_SECONDS: i64 = 30;

/// A schedule as a job sends it.
#[derive(Debug)]
pub(super) enum Schedule {
    /// A cron expression, which is evaluated in the local times of a time zone as if they were UTC. Local times jump: in
    /// zones that move their clocks by less than an hour, the search for the next one would not end.
    Cron(Box<Crontab>, TimeZone),
    /// A fixed time between the starts of two runs.
    Every(SignedDuration),
}

impl Schedule {
    /// Parses a cron expression of five fields, which is in UTC without a time zone, or `every <seconds>s`.
    pub(super) fn parse(schedule: &str, time_zone: &str) -> Option<Self> {
        if let Some(seconds) = schedule.strip_prefix("every ") {
            let seconds = seconds.strip_suffix('s')?.parse().ok().filter(|seconds| *seconds > 0)?;
            return Some(Self::Every(SignedDuration::from_secs(seconds)));
        }
        let zone = TimeZone::get(if time_zone.is_empty() { "UTC" } else { time_zone }).ok()?;
        let cron = cronexpr::parse_crontab(&format!("{schedule} UTC")).ok()?;
        Some(Self::Cron(Box::new(cron), zone))
    }

    /// Returns the first time after `started` at which a run is expected; `None` if there is none within four years.
    pub(super) fn next_after(&self, started: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron, zone) => {
                let started = MakeTimestamp::from_second(started.as_second().checked_add(EARLY_SECONDS)?).ok()?.0;
                let local = TimeZone::UTC.to_timestamp(zone.to_datetime(started)).ok()?;
                let next = zone.to_ambiguous_timestamp(cron.find_next(MakeTimestamp(local)).ok()?.datetime());
                // An hour that is repeated has each local time twice.
                let first = next.compatible().ok()?;
                let next = if first > started { first } else { next.later().ok()? };
                Timestamp::from_second(next.as_second()).ok()
            }
            Self::Every(interval) => started.checked_add(*interval).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, time_zone: &str, started: &str) -> Option<String> {
        let next = Schedule::parse(schedule, time_zone)?.next_after(started.parse().unwrap())?;
        Some(next.to_string())
    }

    #[test]
    fn cron_expressions_are_evaluated_in_their_time_zone() {
        let cases = [
            ("0 3 * * *", "", "2026-11-27T03:00:02Z", "2026-11-28T03:00:00Z"),
            ("*/15 * * * *", "UTC", "2026-11-27T03:00:00Z", "2026-11-27T03:15:00Z"),
            ("0 3 * * *", "Europe/Berlin", "2026-11-27T02:00:00Z", "2026-11-28T02:00:00Z"),
            // Summer time begins between these two runs.
            ("0 3 * * *", "Europe/Berlin", "2026-03-28T02:00:00Z", "2026-03-29T01:00:00Z"),
            ("30 6 * * MON-FRI", "America/New_York", "2026-11-27T11:30:00Z", "2026-11-30T11:30:00Z"),
            // The clock moves by half an hour between these two runs.
            ("0 3 4 4 *", "Australia/Lord_Howe", "2027-04-03T00:00:00Z", "2027-04-03T16:30:00Z"),
            ("0 * * * *", "Australia/Lord_Howe", "2027-04-03T14:00:30Z", "2027-04-03T15:30:00Z"),
            // The run of three o'clock started a moment early.
            ("0 3 * * *", "", "2026-11-27T02:59:59Z", "2026-11-28T03:00:00Z"),
            ("every 90s", "", "2026-11-27T03:00:00Z", "2026-11-27T03:01:30Z"),
        ];
        for (schedule, time_zone, started, expected) in cases {
            assert_eq!(next(schedule, time_zone, started).as_deref(), Some(expected), "{schedule} {time_zone}");
        }
    }

    #[test]
    fn schedules_that_are_invalid_or_never_due_have_no_next_run() {
        let cases = [
            ("", ""),
            ("every 0s", ""),
            ("every -5s", ""),
            ("every day", ""),
            ("every 99999999999999999s", ""),
            ("0 3 * *", ""),
            ("0 25 * * *", ""),
            ("0 3 * * *", "Middle-earth/Shire"),
            ("0 3 * * * Europe/Berlin", "UTC"),
            ("0 0 30 2 *", ""),
        ];
        for (schedule, time_zone) in cases {
            assert_eq!(next(schedule, time_zone, "2026-11-27T03:00:00Z"), None, "{schedule} {time_zone}");
        }
    }
}
