//! Numbers and times, formatted for people.

use jiff::Timestamp;
use maud::{Markup, html};

/// Formats a duration: `850 µs`, `12.3 ms`, `1.24 s`, `3 min 20 s`.
pub(crate) fn duration(milliseconds: f64) -> String {
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

/// Formats a share from 0 to 1 in percent.
pub(crate) fn share(share: f64) -> String {
    match share * 100.0 {
        percent if percent <= 0.0 => "0 %".to_owned(),
        percent if percent < 0.1 => "< 0.1 %".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// Formats a rate in requests per minute (rpm).
pub(crate) fn per_minute(number: f64) -> String {
    match number {
        number if number <= 0.0 => "0 rpm".to_owned(),
        number if number < 0.095 => "< 0.1 rpm".to_owned(),
        number if number < 9.95 => format!("{number:.1} rpm"),
        number => format!("{} rpm", count(number.round() as u64)),
    }
}

/// Formats a rate of executions per minute.
pub(super) fn rate(number: f64) -> String {
    per_minute(number).replace(" rpm", "/min")
}

/// Formats a whole number with thin spaces between thousands.
pub(crate) fn count(number: u64) -> String {
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

/// Formats a number of bytes: `512 B`, `1.5 KiB`, `64 MiB`.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1_024 {
        return format!("{bytes} B");
    }
    let (mut number, mut unit) = (bytes as f64 / 1_024.0, 0);
    while number >= 1_023.5 && unit + 1 < UNITS.len() {
        number /= 1_024.0;
        unit += 1;
    }
    if number < 9.95 { format!("{number:.1} {}", UNITS[unit]) } else { format!("{number:.0} {}", UNITS[unit]) }
}

/// Formats a count of the database, whose numbers are signed. A negative one is shown as 0.
pub(super) fn signed_count(number: i64) -> String {
    count(u64::try_from(number).unwrap_or(0))
}

/// Formats a number of users, which is exact up to a limit; `1 000+` if there are more.
pub(crate) fn users(number: i64, has_more: bool) -> String {
    format!("{}{}", signed_count(number), if has_more { "+" } else { "" })
}

/// Formats the time between a past time and now, such as `5 min ago`.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    match now.as_second() - then.as_second() {
        seconds if seconds < 10 => "just now".to_owned(),
        seconds if seconds < 90 => format!("{seconds} s ago"),
        seconds if seconds < 90 * 60 => format!("{} min ago", seconds / 60),
        seconds if seconds < 36 * 3_600 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// Formats the time since a minute that is known without its seconds, such as `5 min ago`.
pub(super) fn minutes_ago(minute: Timestamp, now: Timestamp) -> String {
    match now.as_second() - minute.as_second() {
        seconds if seconds < 60 => "in this minute".to_owned(),
        seconds if seconds < 90 * 60 => format!("{} min ago", seconds / 60),
        _ => ago(minute, now),
    }
}

/// Formats the time from now to a future time, such as `in 5 min`.
pub(super) fn until(then: Timestamp, now: Timestamp) -> String {
    match then.as_second() - now.as_second() {
        seconds if seconds < 90 => format!("in {} s", seconds.max(0)),
        seconds if seconds < 90 * 60 => format!("in {} min", seconds / 60),
        seconds if seconds < 36 * 3_600 => format!("in {} h", seconds / 3_600),
        seconds => format!("in {} days", seconds / 86_400),
    }
}

/// Formats a time as `2026-11-23 20:15:04 UTC`.
pub(super) fn time(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Formats the time of a point of a chart: `14:05`, or with its date `11-23 14:00`.
pub(super) fn axis_time(timestamp: Timestamp, shows_date: bool) -> String {
    timestamp.strftime(if shows_date { "%m-%d %H:%M" } else { "%H:%M" }).to_string()
}

/// Returns the name that is shown for a transaction. The Python agent sends an empty one for a URL without a route.
pub(super) fn transaction_name(name: &str) -> &str {
    if name.is_empty() { "unmatched URL" } else { name }
}

/// Formats a result or an outcome, such as `timed out` for `timed_out`.
pub(super) fn outcome(name: &str) -> String {
    if name == "client_gone" { "client disconnected".to_owned() } else { name.replace('_', " ") }
}

/// Marks the parts between backticks as code.
pub(super) fn in_code(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_binary_units() {
        let shown = [0, 1_023, 1_536, 65_536, 67_108_864, u64::MAX].map(bytes);
        assert_eq!(shown, ["0 B", "1023 B", "1.5 KiB", "64 KiB", "64 MiB", "16384 PiB"]);
    }

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
        let epoch = Timestamp::UNIX_EPOCH;
        let after = |seconds| ago(epoch, Timestamp::from_second(seconds).unwrap());
        assert_eq!((after(45), after(7_200)), ("45 s ago".into(), "2 h ago".into()));
        let before = |seconds: i64| until(epoch, Timestamp::from_second(-seconds).unwrap());
        let shown = [before(45), before(600), before(7_200), before(300_000)];
        assert_eq!(shown, ["in 45 s", "in 10 min", "in 2 h", "in 3 days"]);
    }

    #[test]
    fn outcomes_are_words() {
        let names = ["timed_out", "client_gone", "HTTP 5xx"];
        assert_eq!(names.map(outcome), ["timed out", "client disconnected", "HTTP 5xx"]);
    }

    #[test]
    fn times_are_in_utc() {
        let timestamp: Timestamp = "2026-11-23T20:15:04.123456Z".parse().unwrap();
        assert_eq!(time(timestamp), "2026-11-23 20:15:04 UTC");
        assert_eq!(axis_time(timestamp, false), "20:15");
        assert_eq!(axis_time(timestamp, true), "11-23 20:15");
    }
}
