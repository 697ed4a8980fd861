//! The time that a question is about.

use opbeat_protocol::Timestamp;
use serde::Serialize;

/// The ranges that pages offer, with their length in seconds.
pub const RANGES: [(&str, i64); 6] =
    [("15m", 900), ("1h", 3_600), ("6h", 6 * 3_600), ("24h", 86_400), ("7d", 7 * 86_400), ("30d", 30 * 86_400)];

/// Points of a chart, at the most.
const MAX_POINTS: i64 = 120;

/// Longer ranges are answered from hours instead of minutes.
const MINUTES_UP_TO: i64 = 6 * 3_600;

/// Longer ranges are not kept.
const MAX_LENGTH: i64 = 400 * 86_400;

/// A time, with the step that it is drawn in. Both ends lie between two rows of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The range's word, such as `6h`, if it is one that reaches to now.
    pub name: Option<&'static str>,
    /// Seconds since 1970.
    pub from: i64,
    /// Seconds since 1970, not part of it.
    pub to: i64,
    /// Seconds that one row of the store stands for.
    pub resolution: i64,
    /// Seconds that one point stands for.
    pub step: i64,
}

/// A range that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; use range=15m, 1h, 6h, 24h, 7d or 30d, or from= and to= as in 2026-05-04T10:00:00Z")]
pub struct InvalidRange(String);

impl Range {
    /// Returns the range of a name, up to now (seconds since 1970).
    #[must_use]
    pub fn named(name: &str, now: i64) -> Option<Self> {
        let (name, length) = RANGES.into_iter().find(|(known, _)| *known == name)?;
        // The minute that runs is part of it.
        let to = now + 60;
        Some(Self { name: Some(name), ..Self::between(to - length, to) })
    }

    /// Returns the range to begin with for an app that was heard of first and last at two points (seconds since
    /// 1970): all there is if it is new, else an hour, or as far back as there is anything.
    #[must_use]
    pub fn for_activity(first: i64, last: i64, now: i64) -> Self {
        let reaches = |(name, length): &&(&str, i64)| now - length < if *name == "15m" { first } else { last };
        let name = RANGES.iter().find(reaches).map_or("1h", |(name, _)| *name);
        Self::named(name, now).unwrap_or_else(|| Self::between(now - 3_600, now))
    }

    /// Parses what a request asks for: a name, or two points in time. `None` if it asks for nothing.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidRange`] with what is wrong.
    pub fn parse(
        name: Option<&str>,
        from: Option<&str>,
        to: Option<&str>,
        now: i64,
    ) -> Result<Option<Self>, InvalidRange> {
        match (name, from, to) {
            (Some(name), _, _) => {
                Self::named(name, now).map(Some).ok_or_else(|| InvalidRange(format!("there is no range {name:?}")))
            }
            (None, None, None) => Ok(None),
            (None, from, to) => {
                let to = to.map(point).transpose()?.unwrap_or(now + 60);
                let from = from.map(point).transpose()?.unwrap_or(to - 3_600);
                if from >= to || to - from > MAX_LENGTH {
                    return Err(InvalidRange("`from` must lie before `to`, and not by more than 400 days".to_owned()));
                }
                Ok(Some(Self::between(from, to)))
            }
        }
    }

    /// Returns the range's length in minutes.
    #[must_use]
    pub fn minutes(&self) -> f64 {
        (self.to - self.from) as f64 / 60.0
    }

    /// Returns both ends in microseconds since 1970.
    #[must_use]
    pub fn micros(&self) -> (i64, i64) {
        (self.from.saturating_mul(1_000_000), self.to.saturating_mul(1_000_000))
    }

    /// Returns the starts of all points.
    pub fn points(&self) -> impl Iterator<Item = i64> + use<> {
        let step = self.step;
        let count = (self.to - self.from + step - 1) / step;
        let from = self.from;
        (0..count).map(move |point| from + point * step)
    }

    /// Widens both ends to whole rows and steps.
    fn between(from: i64, to: i64) -> Self {
        let length = to - from;
        let resolution = if length <= MINUTES_UP_TO { 60 } else { 3_600 };
        let steps: &[i64] = &[60, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];
        let fits = |step: &&i64| **step >= resolution && length / **step <= MAX_POINTS;
        let step = steps.iter().find(fits).copied().unwrap_or(7 * 86_400);
        let to = to + (-to).rem_euclid(step);
        let from = from - from.rem_euclid(step);
        Self { name: None, from, to, resolution, step }
    }
}

fn point(text: &str) -> Result<i64, InvalidRange> {
    let json = serde_json::Value::from(text);
    let point: Timestamp =
        serde_json::from_value(json).map_err(|_| InvalidRange(format!("{text:?} is no point in time")))?;
    Ok(point.seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_asks_for_no_more_points_than_it_draws() {
        for (name, length) in RANGES {
            let range = Range::named(name, 1_700_000_123).unwrap();
            let points = range.points().count();
            assert!((15..=122).contains(&points), "{name}: {points}");
            assert!(range.to > 1_700_000_123 && range.from <= 1_700_000_123 - length + 60);
            assert_eq!((range.from % range.resolution, range.to % range.resolution), (0, 0));
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        let parse = |name, from, to| Range::parse(name, from, to, 0).unwrap_err().to_string();
        assert!(parse(Some("2h"), None, None).contains("there is no range \"2h\""));
        assert!(parse(None, Some("soon"), None).contains("\"soon\" is no point in time"));
        assert!(parse(None, Some("2026-01-02T00:00:00Z"), Some("2026-01-01T00:00:00Z")).contains("before"));
        assert_eq!(Range::parse(None, None, None, 0), Ok(None));
    }
}
