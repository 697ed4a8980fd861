//! Points in time, in all formats that agents write.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, in microseconds since 1970 UTC.
///
/// It is written as RFC 3339 in UTC; a time beyond the years that RFC 3339 can hold is written as the nearest that it
/// can. These formats are read:
///
/// - RFC 3339 with any fraction and time zone, with `T` or a space between date and time;
/// - the same without a time zone, which means UTC (Ruby agent 2);
/// - a number since 1970 (Ruby agent 3), also as a text. Its magnitude decides the unit: up to 10¹¹ are seconds, up to
///   10¹⁴ milliseconds, up to 10¹⁷ microseconds, larger numbers nanoseconds.
///
/// # Examples
///
/// ```
/// use opbeat_protocol::Timestamp;
///
/// let times = r#"[1795714671, 1795714671000, "2026-11-26T18:37:51+01:00", "2026-11-26 17:37:51"]"#;
/// let times: Vec<Timestamp> = serde_json::from_str(times)?;
/// assert!(times.iter().all(|time| time.seconds() == 1_795_714_671));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const MICROS_PER_MINUTE: i64 = 60_000_000;

/// The length in bytes of the longest text that can be a time.
const MAX_TEXT: usize = 64;

/// The largest number that is taken for seconds: the year 5138.
const MAX_SECONDS: u64 = 100_000_000_000;

/// The largest number that is taken for milliseconds.
const MAX_MILLIS: u64 = 1_000 * MAX_SECONDS;

/// The largest number that is taken for microseconds.
const MAX_MICROS: u64 = 1_000 * MAX_MILLIS;

/// Reads RFC 3339, with or without a time zone.
fn parse_calendar(text: &str) -> Option<Timestamp> {
    let with_zone = || text.parse::<jiff::Timestamp>();
    let without_zone = || jiff::tz::TimeZone::UTC.to_timestamp(text.parse()?);
    let parsed = with_zone().or_else(|_| without_zone()).ok()?;
    Some(Timestamp(parsed.as_microsecond()))
}

impl Timestamp {
    /// Creates a timestamp from microseconds since 1970.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Creates a timestamp from whole seconds since 1970.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Returns microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Returns the start of the minute that contains this point in time.
    #[must_use]
    pub const fn minute(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(MICROS_PER_MINUTE)))
    }

    /// Returns whether the time is in the years 1 to 9999, which RFC 3339 can hold.
    pub(crate) const fn is_in_calendar(self) -> bool {
        const MIN: i64 = -62_135_596_800_000_000;
        const MAX: i64 = 253_402_207_200_000_000;
        MIN <= self.0 && self.0 < MAX
    }

    /// Reads a text in any of the formats, or returns `None`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // No format is longer. The parsers need not see a text as long as the body.
        if text.is_empty() || text.len() > MAX_TEXT {
            return None;
        }
        if let Ok(number) = text.parse() {
            return Some(Self::from_integer(number));
        }
        let calendar = parse_calendar(text).or_else(|| {
            // Ruby and PostgreSQL write a space before the zone.
            let (time, zone) = text.rsplit_once(' ')?;
            let zone = if zone == "UTC" { "Z" } else { zone };
            parse_calendar(&format!("{time}{zone}"))
        });
        calendar.or_else(|| text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::from_float))
    }

    /// Reads a whole number, whose magnitude decides its unit.
    pub(crate) const fn from_integer(number: i64) -> Self {
        let magnitude = number.unsigned_abs();
        if magnitude <= MAX_SECONDS {
            Self(number * 1_000_000)
        } else if magnitude <= MAX_MILLIS {
            Self(number * 1_000)
        } else if magnitude <= MAX_MICROS {
            Self(number)
        } else {
            Self(number / 1_000)
        }
    }

    /// Reads a whole number beyond the range of [`from_integer`](Self::from_integer) too.
    pub(crate) fn from_unsigned(number: u64) -> Self {
        // A number beyond i64 is in nanoseconds, and within i64 after the division.
        i64::try_from(number).map_or_else(|_| Self((number / 1_000).cast_signed()), Self::from_integer)
    }

    /// Reads a number with a fraction, whose magnitude decides its unit.
    pub(crate) fn from_float(number: f64) -> Self {
        let magnitude = number.abs();
        let micros = if magnitude <= MAX_SECONDS as f64 {
            number * 1e6
        } else if magnitude <= MAX_MILLIS as f64 {
            number * 1e3
        } else if magnitude <= MAX_MICROS as f64 {
            number
        } else {
            number / 1e3
        };
        // The conversion saturates, and NaN becomes 0.
        Self(micros.round() as i64)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(micros(since)),
            Err(before) => Self(micros(before.duration()).saturating_neg()),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nearest = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(nearest).fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimestampVisitor)
    }
}

struct TimestampVisitor;

impl Visitor<'_> for TimestampVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time such as 2016-05-04T10:15:00Z, or a number since 1970")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        Timestamp::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Timestamp, E> {
        Ok(Timestamp::from_integer(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Timestamp, E> {
        Ok(Timestamp::from_unsigned(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Timestamp, E> {
        Ok(Timestamp::from_float(number))
    }
}
