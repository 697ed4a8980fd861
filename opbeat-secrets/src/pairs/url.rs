//! Credentials in URLs.

use std::ops::Range;

/// The maximum distance, in bytes, at which an `@` ends a password that was not escaped.
const MAX_UNESCAPED: usize = 256;

/// The maximum length of a user name that contains digits. A longer one is a token.
const MAX_USER: usize = 20;

/// Returns the range of the secret in a URL, given the position of its `://`.
///
/// Examples are `scheme://user:password@host` and `https://token@host`.
pub(super) fn credentials(text: &str, at: usize) -> Option<Range<usize>> {
    // JSON can escape a slash.
    let begin = at + if text[at..].starts_with("://") { "://".len() } else { ":\\/\\/".len() };
    let authority = authority(&text[begin..])?;
    let (user, password) = authority.split_once(':').unwrap_or((authority, ""));
    let is_token = user.len() > MAX_USER && user.contains(|c: char| c.is_ascii_digit());
    // In a web URL, a user without a password is a token, except for `git`, the usual user of repository URLs.
    let is_alone = password.is_empty() && !user.is_empty() && user != "git" && is_web(&text[..at]);
    let from = if is_token || is_alone { begin } else { begin + user.len() + 1 };
    let end = begin + authority.len();
    (from < end).then_some(from..end)
}

/// Returns the text in front of the `@`.
fn authority(rest: &str) -> Option<&str> {
    let is_outside = |c: char| c.is_whitespace() || "\"'`<>\\".contains(c);
    let end = rest.find(|c: char| is_outside(c) || "/?#()[]{}".contains(c)).unwrap_or(rest.len());
    if let Some(at) = rest[..end].rfind('@') {
        return Some(&rest[..at]);
    }
    // No `@` so far: the text after the colon is a port, or the start of a password that was not escaped.
    let (_, port) = rest[..end].split_once(':')?;
    let is_bracketed = port.is_empty() && rest[end..].starts_with(['(', '[', '{']);
    if !is_bracketed && port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let line = &rest[..rest.floor_char_boundary(MAX_UNESCAPED)];
    let line = &line[..line.find(is_outside).unwrap_or(line.len())];
    line.rfind('@').filter(|at| *at > end).map(|at| &rest[..at])
}

/// Returns the password in a JDBC URL of Oracle, given the end of its `:thin:`. An example is `thin:user/password@host`.
pub(super) fn oracle(text: &str, begin: usize) -> Option<Range<usize>> {
    let rest = &text[begin..];
    let rest = &rest[..rest.floor_char_boundary(MAX_UNESCAPED)];
    let line = &rest[..rest.find(|c: char| c.is_whitespace() || "\"'`<>".contains(c)).unwrap_or(rest.len())];
    let (authority, _) = line.split_once('@')?;
    let (user, password) = authority.split_once('/')?;
    (!password.is_empty()).then(|| begin + user.len() + 1..begin + authority.len())
}

fn is_web(before: &str) -> bool {
    ["http", "https", "ws", "wss"].iter().any(|scheme| {
        let bytes = before.as_bytes();
        bytes.len() >= scheme.len() && bytes[bytes.len() - scheme.len()..].eq_ignore_ascii_case(scheme.as_bytes())
    })
}
