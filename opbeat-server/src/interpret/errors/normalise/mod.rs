//! Replaces the parts of a text that vary between occurrences of one error: numbers, ids, addresses, times, values.
//!
//! ```text
//! text ─► scanner: chunks, up to a space, quote or bracket ─► pieces: runs of letters and digits ─► output
//!                        │ quoted values, e-mail addresses         │ numbers, ids, times, units
//!                        └──────────────── patterns ───────────────┘
//! ```
//!
//! The scanner passes once from left to right. Each look ahead is bounded, so that the time is linear in the length of
//! the text.

mod output;
mod patterns;
mod pieces;
mod scanner;

use self::output::Output;
use self::scanner::Quotes;

pub(super) use self::patterns::random;

/// The maximum length of the text that is read, in bytes. The start of a message identifies it.
const MAX_TEXT: usize = 1_000;

/// The maximum length of the result if an agent cut the text, in bytes: the cut is at another word in each occurrence.
const MAX_CUT_TEXT: usize = 80;

/// Replaces the variable parts of a text with placeholders such as `{n}`, and its white space with single spaces.
///
/// Digits inside a word, such as `S3`, `K8s` or `utf8`, stay. Quoted values stay if there is nothing else.
pub(crate) fn normalise(text: &str) -> String {
    let normal = normalise_with(text, Quotes::Replaced);
    if says_something(&normal) { normal } else { normalise_with(text, Quotes::Kept) }
}

fn normalise_with(text: &str, quotes: Quotes) -> String {
    let start = &text[..text.floor_char_boundary(MAX_TEXT)];
    let cut = start.strip_suffix('…').or_else(|| start.strip_suffix("..."));
    let mut normal = scanner::scan(cut.unwrap_or(start), cut.is_some(), quotes);
    if cut.is_some() && normal.len() > MAX_CUT_TEXT {
        normal.truncate(normal.floor_char_boundary(MAX_CUT_TEXT));
        normal.truncate(normal.rfind(' ').unwrap_or(normal.len()));
    }
    let end = normal.trim_end_matches([' ', '.', '!']).len();
    normal.truncate(end);
    normal
}

/// Replaces the variable parts of a path, as [`normalise`] does, and separates its folders with `/`.
pub(crate) fn normalise_path(path: &str) -> String {
    let path = &path[..path.floor_char_boundary(MAX_TEXT)];
    let mut output = Output::with_capacity(path.len());
    pieces::add(&mut output, path);
    output.into_text()
}

/// Returns whether a text has letters besides its placeholders.
pub(super) fn says_something(normal: &str) -> bool {
    let mut is_placeholder = false;
    normal.chars().any(|character| {
        is_placeholder = (is_placeholder || character == '{') && character != '}';
        !is_placeholder && character.is_alphabetic()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_parts_become_placeholders() {
        let cases = [
            ("order 17 failed", "order {n} failed"),
            ("K8s and S3 are unreachable, oauth2 v2 utf8", "K8s and S3 are unreachable, oauth2 v2 utf8"),
            ("user 550e8400-e29b-41d4-a716-446655440000 is gone", "user {n} is gone"),
            ("commit 3f2a1b9 of main", "commit {n} of main"),
            ("mail to jane.doe+x@shop.example failed", "mail to {email} failed"),
            ("connect 10.0.0.17:5432 refused", "connect {ip} refused"),
            ("no route to fe80::1ff:fe23:4567:890a", "no route to {ip}"),
            ("card 00:1B:44:11:3A:B7 lost", "card {mac} lost"),
            ("GET https://u:p@api.example:8443/v2/users/17/a%20b?x=1#y", "GET https://api.example/v2/users/{n}/{n}"),
            ("took 1.5 seconds", "took {duration}"),
            ("took 1m3.5s, not 20ms", "took {duration}, not {duration}"),
            ("10 MB of 2KiB", "{size} of {size}"),
            ("at 2026-11-27T10:00:00.5Z", "at {time}"),
            ("at 2026-11-27 10:00:00,123 UTC", "at {time}"),
            ("since Fri, 27 Nov 2026 10:00:00 GMT", "since {time}"),
            ("no column 'a b' in \"books\"", "no column {text} in {text}"),
            ("can't find user's book", "can't find user's book"),
            ("read /srv/data/1234/x.csv", "read /srv/data/{n}/x.csv"),
            ("<Book object at 0x7ff843769c40>", "<Book object at {address}>"),
            ("ids [1, 2, 3] are gone", "ids [{n}] are gone"),
            ("3 items left", "{n} item left"),
            ("takes 2 positional arguments but 3 were given", "takes {n} positional argument but {n} was given"),
            ("build v1.2.3 of v2 at 17.5°C", "build {n} of v2 at {n}°C"),
            ("订单17失败", "订单{n}失败"),
            ("pod shop-5d4f7c9b6-x2x9k", "pod shop-{n}-{n}"),
            ("video dQw4w9WgXcQ in Base64Utf8Decoder", "video {n} in Base64Utf8Decoder"),
            ("bad u'a' and 'b'", "bad {text}"),
            ("(1205, 'Lock wait timeout')", "({n}, 'Lock wait timeout')"),
            ("[::1]:5432 refused", "{ip} refused"),
            ("Key (id)=(42) exists.", "Key (id)=({n}) exist"),
            ("version 1.22.3, UTF-8, -5, 1e-7, 3rd", "version {n}, UTF-8, {n}"),
            ("user_17 of order-99 and cus_9s6XKzkNRiz8i3", "user_{n} of order-{n} and cus_{n}"),
            ("“Bücher” für 3 €", "{text} für {n} €"),
            ("E11000 duplicate, TS2345", "E11000 duplicate, TS2345"),
            ("undefined method `title' for nil", "undefined method {text} for nil"),
            ("a\n  b", "a b"),
        ];
        for (text, normal) in cases {
            assert_eq!(normalise(text), normal, "{text}");
        }
    }

    #[test]
    fn odd_texts_are_read_to_their_end() {
        let odd = [
            "", "'", "''", "`", "“", "”", "’", "«a", "://", "a://", "?", "\u{0}", "1e", "1e+", "1h2", "+", "-", "\\",
            "0x", "@", "::", "é1é", "1.", "...", "…",
        ];
        for one in odd {
            for other in odd {
                normalise(&format!("{one}{other}"));
                normalise(&format!("{one} {other}"));
                normalise_path(&format!("{one}/{other}"));
            }
        }
        assert_eq!(normalise(&"'".repeat(5_000)).len(), normalise(&"'".repeat(1_000)).len());
    }

    #[test]
    fn random_texts_are_read_to_their_end() {
        let parts = [
            "'", "\"", "`", "“", "”", "://", "http://", "/", "\\", "?", "=", "@", ":", "::", ".", ",", " ", "-", "+",
            "[", "]", "0x", "1", "12", "2026", "-11-27", "T10:00", "Nov", "Mon,", "ms", "µs", "h", "e5", "v", "a",
            "fe80", "Z9", "é", "订", "\u{0}", "…", "...", "%20", "u'", "UTC", "and", "were", "s", "#", "(", ")", "{",
            "}", "°",
        ];
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..50_000 {
            let text: String = (0..random.usize(1..14)).map(|_| parts[random.usize(..parts.len())]).collect();
            let normal = normalise(&text);
            assert!(normal.len() <= 4 * text.len() + 16, "{text:?}: {normal:?}");
            normalise_path(&text);
        }
    }
}
