//! The range of time that pages and API show.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::changes::RESOLUTIONS;

/// The ranges that pages offer, with their length in seconds.
pub(crate) const RANGES: [(&str, i64); 6] =
    [("15m", 900), ("1h", 3_600), ("6h", 6 * 3_600), ("24h", 86_400), ("7d", 7 * 86_400), ("30d", 30 * 86_400)];

/// The largest number of points in a chart.
const MAX_POINTS: i64 = 120;

/// The longest ranges in seconds that are read from rows of a minute, ten minutes and an hour. Longer ones are read from
/// rows of the next longer time, and so are those that begin before the oldest rows.
const UP_TO: [i64; RESOLUTIONS.len() - 1] = [6 * 3_600, 2 * 86_400, 60 * 86_400];

/// The longest range in seconds.
const MAX_LENGTH: i64 = 400 * 86_400;

/// A range of time, with the step that charts are drawn in. Both ends are boundaries of steps and of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// The range's name, such as `6h`, if it is one of [`RANGES`] that ends now.
    pub(crate) name: Option<&'static str>,
    /// The start, in seconds since 1970.
    pub(crate) from: i64,
    /// The end, in seconds since 1970. It is not part of the range.
    pub(crate) to: i64,
    /// The length of one row of the store, in seconds.
    pub(crate) resolution: i64,
    /// The length of one step, in seconds.
    pub(crate) step: i64,
    /// The ends that were asked for, in seconds since 1970, neither of them after now.
    asked: (i64, i64),
    /// The time of the request, in seconds since 1970. One answer has one time: a step that ends while the answer is
    /// built is still the running one.
    now: i64,
}

/// An invalid range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; use range=15m, 1h, 6h, 24h, 7d or 30d, or from= and to= as in 2026-05-04T10:00:00Z")]
pub(crate) struct InvalidRange(String);

impl Range {
    /// Returns the range of a name, which ends now.
    pub(crate) fn named(name: &str, now: Timestamp) -> Option<Self> {
        let (name, length) = RANGES.into_iter().find(|(known, _)| *known == name)?;
        let now = now.as_second();
        Some(Self { name: Some(name), ..Self::between(now - length, now, now) })
    }

    /// Returns the range that is shown first for an app, given the times of its first and last report.
    ///
    /// It is 15 minutes for an app whose first report is in them. Otherwise it is the shortest longer range that
    /// contains the last report, or an hour if no range does.
    pub(crate) fn for_activity(first: Timestamp, last: Timestamp, now: Timestamp) -> Self {
        let (first, last, end) = (first.as_second(), last.as_second(), now.as_second());
        let contains = |(name, length): &&(&str, i64)| end - length < if *name == "15m" { first } else { last };
        let name = RANGES.iter().find(contains).map_or("1h", |(name, _)| *name);
        Self::named(name, now).unwrap_or_else(|| Self::between(end - 3_600, end, end))
    }

    /// Parses the range that a request names: by its name, or by its ends. Returns `None` if it names none.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidRange`] for an unknown name, an invalid time, or ends in the wrong order or too far apart.
    pub(crate) fn parse(
        name: Option<&str>,
        from: Option<&str>,
        to: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Self>, InvalidRange> {
        match (name, from, to) {
            (Some(name), _, _) => {
                Self::named(name, now).map(Some).ok_or_else(|| InvalidRange(format!("there is no range {name:?}")))
            }
            (None, None, None) => Ok(None),
            (None, from, to) => {
                let now = now.as_second();
                let to = to.map(seconds).transpose()?.unwrap_or(now);
                let from = from.map(seconds).transpose()?.unwrap_or(to - 3_600);
                if from >= to || to - from > MAX_LENGTH {
                    return Err(InvalidRange("`from` must be before `to`, by at most 400 days".to_owned()));
                }
                Ok(Some(Self::between(from, to, now)))
            }
        }
    }

    /// Returns the number of minutes by which counts are divided: those that were asked for, that are not in the future,
    /// and that are not before the first data (in seconds since 1970). It is at least one.
    pub(crate) fn minutes_since(&self, first_data: i64) -> f64 {
        let (from, to) = self.asked;
        (to - from.max(first_data)).max(60) as f64 / 60.0
    }

    /// Returns the ends that were asked for, in seconds since 1970. Links carry them, so that they stay the same.
    pub(crate) fn asked(&self) -> (i64, i64) {
        self.asked
    }

    /// Returns whether a step was over at the time of the request, given its start in seconds since 1970.
    pub(crate) fn is_complete(&self, start: i64) -> bool {
        start.saturating_add(self.step) <= self.now
    }

    /// Returns the end of the part that is not in the future, in seconds since 1970.
    pub(crate) fn end_of_data(&self) -> i64 {
        self.to.min(self.now)
    }

    /// Returns both ends in microseconds since 1970.
    pub(crate) fn micros(&self) -> (i64, i64) {
        (self.from.saturating_mul(1_000_000), self.to.saturating_mul(1_000_000))
    }

    /// Returns the starts of all steps, in seconds since 1970.
    pub(crate) fn points(&self) -> impl Iterator<Item = i64> + use<> {
        let step = self.step;
        let count = (self.to - self.from + step - 1) / step;
        let from = self.from;
        (0..count).map(move |index| from + index * step)
    }

    /// Widens both ends to whole rows and steps.
    fn between(from: i64, to: i64, now: i64) -> Self {
        let length = to - from;
        let is_kept = |kept: Option<i64>| kept.is_none_or(|kept| from >= now - kept);
        let mut levels = UP_TO.into_iter().chain([i64::MAX]).zip(RESOLUTIONS);
        let level = levels.find(|(longest, row)| length <= *longest && is_kept(row.kept));
        let resolution = level.map_or(86_400, |(_, row)| row.seconds);
        let steps: &[i64] = &[60, 120, 180, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];
        let fits = |step: &&i64| **step % resolution == 0 && length / **step <= MAX_POINTS;
        let step = steps.iter().find(fits).copied().unwrap_or(7 * 86_400);
        // The step that is running at the end is part of the range.
        let end = to + if to >= now { 1 } else { 0 };
        let asked = (from.min(now), to.min(now));
        Self {
            name: None,
            from: from - from.rem_euclid(step),
            to: end + (-end).rem_euclid(step),
            resolution,
            step,
            asked,
            now,
        }
    }
}

/// Parses a time, in seconds since 1970. A time without a zone is in UTC.
fn seconds(text: &str) -> Result<i64, InvalidRange> {
    let with_zone = text.parse::<Timestamp>();
    let parsed = with_zone.or_else(|_| TimeZone::UTC.to_timestamp(text.parse()?));
    parsed.map(Timestamp::as_second).map_err(|_| InvalidRange(format!("{text:?} is not a time")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_ranges_have_15_to_122_points() {
        for (name, length) in RANGES {
            let range = Range::named(name, Timestamp::from_second(1_700_000_123).unwrap()).unwrap();
            let points = range.points().count();
            assert!((15..=122).contains(&points), "{name}: {points}");
            assert!(range.to > 1_700_000_123 && range.from <= 1_700_000_123 - length + 60);
            assert_eq!((range.from % range.resolution, range.to % range.resolution), (0, 0));
            assert_eq!(range.step % range.resolution, 0, "no row is part of two steps");
        }
    }

    #[test]
    fn ranges_are_read_from_the_shortest_rows_that_are_kept() {
        let now: Timestamp = "2026-05-20T12:00:00Z".parse().unwrap();
        let resolution = |from, to| Range::parse(None, Some(from), Some(to), now).unwrap().unwrap().resolution;
        assert_eq!(resolution("2026-05-19T10:00:00Z", "2026-05-19T11:00:00Z"), 60);
        assert_eq!(resolution("2026-05-02T10:00:00Z", "2026-05-02T11:00:00Z"), 600);
        assert_eq!(resolution("2026-01-02T10:00:00Z", "2026-01-02T11:00:00Z"), 3_600);
        assert_eq!(resolution("2025-01-02T10:00:00Z", "2025-01-02T11:00:00Z"), 86_400);
        assert_eq!(resolution("2026-05-19T10:00:00Z", "2026-05-19T16:01:00Z"), 600);
        assert_eq!(resolution("2026-05-10T00:00:00Z", "2026-05-12T00:01:00Z"), 3_600);
        assert_eq!(resolution("2026-01-01T00:00:00Z", "2026-05-12T00:00:00Z"), 86_400);
    }

    #[test]
    fn counts_are_divided_by_the_time_that_was_asked_for_and_had_data() {
        let now: Timestamp = "2026-05-20T12:00:30Z".parse().unwrap();
        let range =
            Range::parse(None, Some("2026-05-20T03:34:00Z"), Some("2026-05-20T10:34:00Z"), now).unwrap().unwrap();
        assert_eq!(((range.to - range.from) / 60, range.minutes_since(0)), (430, 420.0));
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        assert_eq!(range.minutes_since(at("2026-05-20T10:00:00Z")), 34.0);
        let hour = Range::named("1h", now).unwrap();
        assert_eq!((hour.minutes_since(0), hour.minutes_since(now.as_second() - 5)), (60.0, 1.0));
        let ahead =
            Range::parse(None, Some("2026-05-20T11:30:30Z"), Some("2026-05-20T18:00:00Z"), now).unwrap().unwrap();
        assert_eq!(ahead.minutes_since(0), 30.0, "the future has no data");
        assert!(range.is_complete(at("2026-05-20T09:00:00Z")) && !hour.is_complete(at("2026-05-20T12:00:00Z")));
    }

    #[test]
    fn errors_name_the_invalid_part() {
        let parse = |name, from, to| Range::parse(name, from, to, Timestamp::UNIX_EPOCH).unwrap_err().to_string();
        assert!(parse(Some("2h"), None, None).contains("there is no range \"2h\""));
        assert!(parse(None, Some("soon"), None).contains("\"soon\" is not a time"));
        assert!(parse(None, Some("2026-01-02T00:00:00Z"), Some("2026-01-01T00:00:00Z")).contains("before"));
        assert_eq!(Range::parse(None, None, None, Timestamp::UNIX_EPOCH), Ok(None));
    }
}
