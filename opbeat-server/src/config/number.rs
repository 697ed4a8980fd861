//! Sizes in bytes as texts.

/// The units of sizes, from the smallest one.
const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// Reads a size such as `64 MiB`, `64MiB` or `67108864`.
pub(super) fn parse_bytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let (digits, unit) = (digits.parse::<u64>().ok()?, unit.trim_start());
    if unit.is_empty() {
        return Some(digits);
    }
    let (_, factor) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    digits.checked_mul(*factor)
}

/// Returns a size as a text, in the largest unit that needs no fraction.
pub(super) fn format_bytes(bytes: u64) -> String {
    let exact = UNITS[1..5].iter().rev().find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor));
    exact.map_or_else(|| format!("{bytes} B"), |(name, factor)| format!("{} {name}", bytes / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in
            [("0", 0), ("64 MiB", 64 << 20), ("64mib", 64 << 20), ("2 GB", 2_000_000_000), ("7 B", 7), ("1KiB", 1_024)]
        {
            assert_eq!(parse_bytes(text), Some(bytes), "{text}");
            assert_eq!(parse_bytes(&format_bytes(bytes)), Some(bytes), "{text}");
        }
        for text in ["", "MiB", "-1", "1.5 GiB", "4 apples", "99999999 TiB", "18446744073709551616"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
        assert_eq!(
            (format_bytes(64 << 20), format_bytes(1_500), format_bytes(0)),
            ("64 MiB".into(), "1500 B".into(), "0 B".into())
        );
    }
}
