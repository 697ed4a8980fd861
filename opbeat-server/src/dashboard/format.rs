//! Numbers and times as people read them.

use opbeat_protocol::Timestamp;

/// Returns a duration: `850 µs`, `12.3 ms`, `1.24 s`, `3 min 20 s`.
pub(super) fn duration(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms <= 0.0 => "0 ms".to_owned(),
        ms if ms < 0.9995 => format!("{:.0} µs", ms * 1_000.0),
        ms if ms < 9.995 => format!("{ms:.2} ms"),
        ms if ms < 99.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 9_995.0 => format!("{:.2} s", ms / 1_000.0),
        ms if ms < 99_950.0 => format!("{:.1} s", ms / 1_000.0),
        ms => format!("{:.0} min {:.0} s", (ms / 60_000.0).floor(), (ms % 60_000.0 / 1_000.0).floor()),
    }
}

/// Returns a share from 0 to 1 in percent.
pub(super) fn share(share: f64) -> String {
    match share * 100.0 {
        percent if percent <= 0.0 => "0 %".to_owned(),
        percent if percent < 0.1 => "< 0.1 %".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// Returns a number a minute.
pub(super) fn per_minute(number: f64) -> String {
    match number {
        number if number <= 0.0 => "0 rpm".to_owned(),
        number if number < 0.095 => "< 0.1 rpm".to_owned(),
        number if number < 9.95 => format!("{number:.1} rpm"),
        number => format!("{} rpm", count(number.round() as u64)),
    }
}

/// Returns a whole number with thin spaces between thousands.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns a count of something that is never negative.
pub(super) fn signed_count(number: i64) -> String {
    count(u64::try_from(number).unwrap_or(0))
}

/// Returns how long ago a point was, both in seconds since 1970.
pub(super) fn ago(then: i64, now: i64) -> String {
    match now - then {
        seconds if seconds < 10 => "just now".to_owned(),
        seconds if seconds < 90 => format!("{seconds} s ago"),
        seconds if seconds < 90 * 60 => format!("{} min ago", seconds / 60),
        seconds if seconds < 36 * 3_600 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// Returns the seconds since 1970 of a point in RFC 3339.
pub(super) fn seconds(rfc3339: &str) -> i64 {
    serde_json::from_value::<Timestamp>(rfc3339.into()).map_or(0, Timestamp::seconds)
}

/// Returns a point in RFC 3339 as `2026-11-23 20:15:04 UTC`.
pub(super) fn time(rfc3339: &str) -> String {
    let date_and_time = rfc3339.get(..19).unwrap_or(rfc3339).replace('T', " ");
    format!("{date_and_time} UTC")
}

/// Returns a transaction's name as it is shown: the Python agent sends an empty one for URLs that nothing matched.
pub(super) fn transaction_name(name: &str) -> &str {
    if name.is_empty() { "unmatched URL" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        let durations = [
            (0.0, "0 ms"),
            (0.85, "850 µs"),
            (1.5, "1.50 ms"),
            (12.34, "12.3 ms"),
            (1_240.0, "1.24 s"),
            (200_000.0, "3 min 20 s"),
        ];
        for (ms, text) in durations {
            assert_eq!(duration(ms), text);
        }
        assert_eq!((share(0.0004), share(0.032), share(1.0)), ("< 0.1 %".into(), "3.2 %".into(), "100 %".into()));
        assert_eq!((per_minute(0.25), per_minute(12_345.0)), ("0.2 rpm".into(), "12\u{202f}345 rpm".into()));
        assert_eq!((ago(0, 45), ago(0, 7_200)), ("45 s ago".into(), "2 h ago".into()));
    }

    #[test]
    fn times_are_read_and_shown() {
        assert_eq!(time("2026-11-23T20:15:04.123456Z"), "2026-11-23 20:15:04 UTC");
        assert_eq!(seconds("1970-01-01T00:01:00Z"), 60);
    }
}
