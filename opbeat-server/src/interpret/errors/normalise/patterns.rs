//! Recognises the kinds of variable parts: addresses, times, units, ids.

/// The quantity that a number with a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Duration,
    Size,
}

impl Unit {
    pub(super) fn placeholder(self) -> &'static str {
        match self {
            Self::Duration => "{duration}",
            Self::Size => "{size}",
        }
    }
}

/// Returns the unit of a number that it directly follows, as in `20ms`.
pub(super) fn unit(name: &str) -> Option<Unit> {
    const DURATIONS: [&str; 10] = ["ns", "us", "µs", "μs", "ms", "s", "m", "h", "d", "sec"];
    const SIZES: [&str; 11] = ["B", "b", "k", "K", "M", "G", "kb", "mb", "gb", "tb", "kib"];
    match name {
        _ if DURATIONS.contains(&name) => Some(Unit::Duration),
        _ if SIZES.contains(&name) => Some(Unit::Size),
        _ => spaced_unit(name),
    }
}

/// Returns the unit of a number that is before the space before it, as in `20 ms`.
pub(super) fn spaced_unit(name: &str) -> Option<Unit> {
    const DURATIONS: [&str; 26] = [
        "ns",
        "us",
        "µs",
        "μs",
        "ms",
        "s",
        "h",
        "msec",
        "msecs",
        "sec",
        "secs",
        "min",
        "mins",
        "hr",
        "hrs",
        "nanosecond",
        "nanoseconds",
        "microsecond",
        "microseconds",
        "millisecond",
        "milliseconds",
        "second",
        "seconds",
        "minute",
        "minutes",
        "hour",
    ];
    const LONG_DURATIONS: [&str; 9] = ["hours", "day", "days", "week", "weeks", "month", "months", "year", "years"];
    const SIZES: [&str; 13] = ["B", "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "byte", "bytes", "Bytes"];
    if DURATIONS.contains(&name) || LONG_DURATIONS.contains(&name) {
        Some(Unit::Duration)
    } else {
        SIZES.contains(&name).then_some(Unit::Size)
    }
}

/// Returns whether a word is the name of a month.
pub(super) fn month(word: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let is_short = word.len() == 3;
    MONTHS.iter().any(|month| *month == word || (is_short && month.starts_with(word))) || word == "Sept"
}

/// Returns whether a word is the name of a weekday.
pub(super) fn weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let is_short = word.len() == 3;
    DAYS.iter().any(|day| *day == word || (is_short && day.starts_with(word)))
}

/// Returns whether a word after a time belongs to it.
pub(super) fn time_zone(word: &str) -> bool {
    matches!(word, "UTC" | "GMT" | "AM" | "PM" | "am" | "pm" | "Z" | "CET" | "CEST" | "EST" | "EDT" | "PST" | "PDT")
}

/// Returns the length of the UUID at the start of a text.
pub(super) fn uuid(text: &str) -> Option<usize> {
    const LENGTH: usize = 36;
    let bytes = text.as_bytes().get(..LENGTH)?;
    let is_valid = bytes.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    (is_valid && !is_alphanumeric(text, LENGTH)).then_some(LENGTH)
}

/// Returns the length of the IPv4 address at the start of a text, with its port or prefix length.
pub(super) fn ipv4(text: &str) -> Option<usize> {
    let mut at = 0;
    for part in 0..4 {
        if part > 0 {
            at += usize::from(text.as_bytes().get(at) == Some(&b'.'));
        }
        let length = digits(text, at, 4);
        let number: u16 = text.get(at..at + length)?.parse().ok()?;
        if number > 255 {
            return None;
        }
        at += length;
    }
    let end = at;
    let suffix = match text.as_bytes().get(at) {
        Some(b':' | b'/') => digits(text, at + 1, 5),
        _ => 0,
    };
    let end = if suffix > 0 { end + 1 + suffix } else { end };
    let dots = text[..at].bytes().filter(|byte| *byte == b'.').count();
    (dots == 3 && !is_alphanumeric(text, end)).then_some(end)
}

/// Returns the length of the version at the start of a text, such as `v1.2.3`. `v2` is a name.
pub(super) fn version(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix(['v', 'V'])?;
    let length = numbers.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let length = numbers[..length].trim_end_matches('.').len();
    let is_version = numbers.starts_with(|c: char| c.is_ascii_digit()) && numbers[..length].contains('.');
    (is_version && !is_alphanumeric(numbers, length)).then_some(1 + length)
}

/// Returns whether a text is an IPv6 address, maybe with a zone or a prefix length.
pub(super) fn ipv6(text: &str) -> bool {
    let address = text.split(['%', '/']).next().unwrap_or_default();
    let colons = address.bytes().filter(|byte| *byte == b':').count();
    let is_form = (colons == 7 && !address.contains("::")) || (address.contains("::") && (2..=7).contains(&colons));
    let is_group = |group: &str| group.len() <= 4 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_digit = address.bytes().any(|byte| byte.is_ascii_digit());
    address.len() <= 39 && is_form && has_digit && address.split(':').all(is_group)
}

/// Returns whether a text is a MAC address.
pub(super) fn mac(text: &str) -> bool {
    let separator = text.as_bytes().get(2).copied();
    text.len() == 17
        && matches!(separator, Some(b':' | b'-'))
        && text.bytes().enumerate().all(
            |(at, byte)| {
                if at % 3 == 2 { Some(byte) == separator } else { byte.is_ascii_hexdigit() }
            },
        )
}

/// Returns whether a text is an e-mail address.
pub(super) fn email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_local = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '\'' | '/');
    let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    let ends_in_letters = domain
        .rsplit_once('.')
        .is_some_and(|(name, top)| !name.is_empty() && top.len() >= 2 && top.chars().all(char::is_alphabetic));
    !local.is_empty()
        && local.chars().all(is_local)
        && domain.chars().all(is_domain)
        && (ends_in_letters || domain == "localhost")
}

/// Returns the length of the date, the time, or both at the start of a text.
pub(super) fn time(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let date = date(text).unwrap_or(0);
    let mut end = date;
    if date > 0 {
        if matches!(bytes.get(date), Some(b'T' | b't' | b':' | b'_'))
            && let Some(clock) = clock(text, date + 1)
        {
            end = clock;
        }
    } else {
        end = clock(text, 0)?;
    }
    (!is_alphanumeric(text, end)).then_some(end)
}

/// Returns the end of a date: `2026-11-27`, `2026/11/27`, `27/11/2026`, `27.11.2026`, `27/Nov/2026`.
fn date(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let first = digits(text, 0, 5);
    let separator = *bytes.get(first)?;
    let second_start = first + 1;
    let is_month_name = text.get(second_start..second_start + 3).is_some_and(month);
    let second = if is_month_name { 3 } else { digits(text, second_start, 3) };
    let third_start = second_start + second + 1;
    if bytes.get(third_start - 1) != Some(&separator) {
        return None;
    }
    let third = digits(text, third_start, 5);
    let is_date = match separator {
        b'-' => (first == 4 && second == 2 && third == 2) || (is_month_name && first <= 2 && third >= 2),
        b'/' => (first == 4 && second <= 2 && third <= 2 && third > 0) || (first <= 2 && second > 0 && third == 4),
        b'.' => (1..=2).contains(&first) && second == 2 && third == 4,
        _ => false,
    };
    (is_date && first > 0).then_some(third_start + third)
}

/// Returns the end of a time of the day: `10:00`, `10:00:00.123`, `10:00:00+01:00`.
fn clock(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let hours = digits(text, start, 3);
    let minutes_start = start + hours + 1;
    let is_clock =
        (1..=2).contains(&hours) && bytes.get(minutes_start - 1) == Some(&b':') && digits(text, minutes_start, 3) == 2;
    if !is_clock {
        return None;
    }
    let mut end = minutes_start + 2;
    if bytes.get(end) == Some(&b':') && digits(text, end + 1, 3) == 2 {
        end += 3;
        let fraction = digits(text, end + 1, 10);
        if matches!(bytes.get(end), Some(b'.' | b',')) && fraction > 0 {
            end += 1 + fraction;
        }
    }
    match bytes.get(end) {
        Some(b'Z' | b'z') => Some(end + 1),
        Some(b'+' | b'-') if digits(text, end + 1, 5) >= 2 => {
            let zone = end + 1 + digits(text, end + 1, 5);
            let has_minutes = bytes.get(zone) == Some(&b':') && digits(text, zone + 1, 3) == 2;
            Some(if has_minutes { zone + 3 } else { zone })
        }
        _ => Some(end),
    }
}

/// Returns whether a word of digits and letters looks random: a hash or an id.
///
/// `k8s`, `utf8mb4` and `Base64Decoder` change between letters and digits, or between small and capital letters, in few
/// places.
pub(in crate::interpret::errors) fn random(word: &str) -> bool {
    let bytes = word.as_bytes();
    let length = bytes.len();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || !word.is_ascii() {
        return false;
    }
    let changes = |is_change: fn(u8, u8) -> bool| bytes.windows(2).filter(|pair| is_change(pair[0], pair[1])).count();
    let groups = usize::from(bytes[0].is_ascii_digit()) + changes(|a, b| !a.is_ascii_digit() && b.is_ascii_digit());
    // A capital letter before a small one starts a word.
    let turns =
        changes(|a, b| a.is_ascii_digit() != b.is_ascii_digit() || (a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    let is_hex = bytes.iter().all(u8::is_ascii_hexdigit);
    let has_both_cases = changes(|a, b| a.is_ascii_lowercase() && b.is_ascii_uppercase()) > 0;
    let is_dense = |tenths: usize| turns * 10 >= length * tenths;
    match groups {
        1 => (is_hex && length >= 8 && digits >= 2) || length >= 32 || (has_both_cases && length >= 8 && is_dense(4)),
        2 => (is_hex && length >= 7) || (digits > 2 && is_dense(3)) || (length >= 8 && is_dense(4)) || length >= 32,
        _ => length <= 12 || length >= 20 || is_dense(3),
    }
}

fn digits(text: &str, start: usize, max: usize) -> usize {
    text.as_bytes().iter().skip(start).take(max).take_while(|byte| byte.is_ascii_digit()).count()
}

fn is_alphanumeric(text: &str, at: usize) -> bool {
    text.as_bytes().get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
}
