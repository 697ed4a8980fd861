//! Compares the answers of both copies.

use crate::http::Answer;

/// Headers that depend on the time, or on the inodes and times of the copied files.
const IGNORED: [&str; 5] = ["date", "etag", "last-modified", "retry-after", "x-ratelimit-after"];

/// Returns the first difference between the answer of the monitored copy and two answers of the unchanged one.
///
/// Parts that differ between the two runs of the unchanged application are ignored: times, random identifiers and
/// cookies, for example.
pub fn difference(unchanged: [&Answer; 2], monitored: &Answer) -> Option<String> {
    let [first, second] = unchanged;
    if first.status == second.status && first.status != monitored.status {
        return Some(format!("the status is {} instead of {}", monitored.status, first.status));
    }
    header_difference(unchanged, monitored).or_else(|| body_difference(unchanged, monitored))
}

fn header_difference([first, second]: [&Answer; 2], monitored: &Answer) -> Option<String> {
    let names = |answer: &Answer| answer.headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    if names(first) == names(second) && names(first) != names(monitored) {
        return Some(format!("the headers are {:?} instead of {:?}", names(monitored), names(first)));
    }
    let is_sent = |answer: &Answer, name: &str, value: &str| {
        let expected = comparable(value);
        answer.headers.iter().any(|(known, value)| known == name && comparable(value) == expected)
    };
    let compared = first.headers.iter().filter(|(name, _)| !IGNORED.contains(&name.as_str()));
    let mut constant = compared.filter(|(name, value)| is_sent(second, name, value));
    let differing = constant.find(|(name, value)| !is_sent(monitored, name, value));
    differing.map(|(name, value)| format!("{name} is {:?} instead of {value:?}", monitored.header(name)))
}

/// Returns the parts of a header's value that are compared: the items of a list in any order, since actix-cors keeps
/// them in a hash set, and a cookie without its expiry.
fn comparable(value: &str) -> Vec<&str> {
    let value = value.split("; Expires=").next().unwrap_or_default();
    let mut items: Vec<&str> = value.split(", ").collect();
    items.sort_unstable();
    items
}

fn body_difference([first, second]: [&Answer; 2], monitored: &Answer) -> Option<String> {
    let (start, end) = constant_parts(&first.body, &second.body);
    let is_equal = match first.body == second.body {
        true => monitored.body == first.body,
        false => {
            monitored.body.len() >= start.len() + end.len()
                && monitored.body.starts_with(start)
                && monitored.body.ends_with(end)
        }
    };
    let text = |answer: &Answer| String::from_utf8_lossy(&answer.body).into_owned();
    (!is_equal).then(|| format!("the body is {:?} instead of {:?}", text(monitored), text(first)))
}

/// Returns the parts before and after the first and last word that differ.
///
/// Random words may start or end with the same characters, so the parts end at the border of a word.
fn constant_parts<'a>(first: &'a [u8], second: &[u8]) -> (&'a [u8], &'a [u8]) {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let start = &first[..common(first.iter(), second.iter())];
    let start = &start[..start.len() - start.iter().rev().take_while(|byte| is_word(byte)).count()];
    let (first, second) = (&first[start.len()..], &second[start.len()..]);
    let end = &first[first.len() - common(first.iter().rev(), second.iter().rev())..];
    (start, &end[end.iter().take_while(|byte| is_word(byte)).count()..])
}

/// Returns the number of equal items at the start.
fn common<'a>(first: impl Iterator<Item = &'a u8>, second: impl Iterator<Item = &'a u8>) -> usize {
    first.zip(second).take_while(|(first, second)| first == second).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, header: (&str, &str), body: &str) -> Answer {
        Answer { status, headers: vec![(header.0.to_owned(), header.1.to_owned())], body: body.into() }
    }

    #[test]
    fn differences_are_found() {
        let known = answer(200, ("a", "1"), "body");
        for other in [
            answer(500, ("a", "1"), "body"),
            answer(200, ("a", "2"), "body"),
            answer(200, ("b", "1"), "body"),
            answer(200, ("a", "1"), "body "),
            answer(200, ("a", "1"), ""),
        ] {
            assert!(difference([&known, &known], &other).is_some(), "{other:?}");
        }
        assert_eq!(difference([&known, &known], &known), None);
    }

    #[test]
    fn parts_that_differ_between_unchanged_runs_are_ignored() {
        let (first, second) = (answer(200, ("id", "1"), "id a1."), answer(200, ("id", "2"), "id a2."));
        assert_eq!(difference([&first, &second], &answer(200, ("id", "3"), "id b345.")), None);
        for other in ["id b3", "b3.", "id b3!", "d b3."] {
            assert!(difference([&first, &second], &answer(200, ("id", "3"), other)).is_some(), "{other}");
        }
    }

    #[test]
    fn lists_have_no_order_and_cookies_no_expiry() {
        for (known, other) in [("GET, POST", "POST, GET"), ("id=1; Expires=now", "id=1; Expires=later")] {
            let (known, other) = (answer(200, ("a", known), ""), answer(200, ("a", other), ""));
            assert_eq!(difference([&known, &known], &other), None);
        }
    }

    #[test]
    fn times_are_ignored() {
        let (known, later) = (answer(200, ("date", "now"), ""), answer(200, ("date", "later"), ""));
        assert_eq!(difference([&known, &known], &later), None);
    }
}
