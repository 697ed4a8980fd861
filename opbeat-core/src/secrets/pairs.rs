//! Names with values in any text: queries, forms, JSON, the printed forms of values, URLs with passwords.

use std::borrow::Cow;

use super::{REDACTED, Secrets};

/// Replaces the values of secret names, and the passwords of URLs.
pub(super) fn scrub<'a>(secrets: &Secrets, text: &'a str) -> Cow<'a, str> {
    let mut scrubbed = String::new();
    let mut done = 0;
    for (at, sign) in text.match_indices(['=', ':', '@']) {
        if at < done {
            continue;
        }
        let secret = match sign {
            "@" => password(&text[done..at]).map(|password| (at - password.len(), at)),
            _ => value(&text[at + 1..], sign, &name(&text[..at]), secrets)
                .map(|(start, end)| (at + 1 + start, at + 1 + end)),
        };
        if let Some((start, end)) = secret {
            scrubbed.push_str(&text[done..start]);
            scrubbed.push_str(REDACTED);
            done = end;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    scrubbed.push_str(&text[done..]);
    Cow::Owned(scrubbed)
}

/// A name before its sign, and whether it is quoted.
struct Name<'a> {
    name: &'a str,
    is_quoted: bool,
}

fn name(before: &str) -> Name<'_> {
    let before = before.trim_end();
    let bare = before.trim_end_matches(['"', '\'']);
    let name = bare.rsplit(|c: char| !(c.is_alphanumeric() || "-_.[]%".contains(c))).next().unwrap_or(bare);
    Name { name, is_quoted: bare.len() < before.len() }
}

/// Finds the value behind a secret name. A colon stands in sentences too, and so one side of it has to be quoted.
fn value(after: &str, sign: &str, name: &Name<'_>, secrets: &Secrets) -> Option<(usize, usize)> {
    let start = after.len() - after.trim_start_matches(' ').len();
    let value = &after[start..];
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let is_pair = (sign == "=" && start == 0) || name.is_quoted || quote.is_some();
    if !is_pair || name.name.is_empty() || !secrets.is_secret(name.name) {
        return None;
    }
    let (from, end) = match quote {
        Some(quote) => (start + 1, start + 1 + quoted_length(&value[1..], quote)),
        None => (start, start + bare_length(value)),
    };
    (end > from && !after[from..end].starts_with(REDACTED)).then_some((from, end))
}

fn quoted_length(value: &str, quote: char) -> usize {
    let mut is_escaped = false;
    let is_end = |c: char| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    };
    value.find(is_end).unwrap_or(value.len())
}

fn bare_length(value: &str) -> usize {
    value.find(|c: char| c.is_whitespace() || "&;,'\"<>)}]#".contains(c)).unwrap_or(value.len())
}

/// Returns the password in front of an `@`, as URLs have it: `scheme://user:password@host`.
fn password(before: &str) -> Option<&str> {
    let (_, authority) = before.rsplit_once("://")?;
    let (user, password) = authority.split_once(':')?;
    let is_authority = |part: &str| !part.contains(|c: char| c.is_whitespace() || c == '/' || c == '"');
    (is_authority(user) && is_authority(password) && !password.is_empty()).then_some(password)
}
