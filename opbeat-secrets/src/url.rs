//! Who a URL signs in as.

use std::ops::Range;

use super::extent::start;

/// A password that should have been escaped is looked for no further than this.
const MAX_UNESCAPED: usize = 256;

/// A user's name that is longer than this and has digits is a token.
const MAX_USER: usize = 20;

/// Finds the secret of a URL, given the place of its `://`: `scheme://user:password@host`, `https://token@host`.
pub(super) fn credentials(text: &str, at: usize) -> Option<Range<usize>> {
    let begin = at + "://".len();
    let authority = authority(&text[begin..])?;
    let (user, password) = authority.split_once(':').unwrap_or((authority, ""));
    let is_token = user.len() > MAX_USER && user.contains(|c: char| c.is_ascii_digit());
    // Nobody signs in to a web site with a name alone.
    let is_alone = password.is_empty() && !user.is_empty() && user != "git" && is_web(&text[..at]);
    let from = if is_token || is_alone { begin } else { begin + user.len() + 1 };
    let end = begin + authority.len();
    (from < end).then_some(from..end)
}

/// Returns what stands in front of the `@`.
fn authority(rest: &str) -> Option<&str> {
    let is_outside = |c: char| c.is_whitespace() || "\"'`<>\\".contains(c);
    let end = rest.find(|c: char| is_outside(c) || "/?#()[]{}".contains(c)).unwrap_or(rest.len());
    if let Some(at) = rest[..end].rfind('@') {
        return Some(&rest[..at]);
    }
    // Where a port should be, there is the start of a password.
    let (_, port) = rest[..end].split_once(':')?;
    if port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let line = start(rest, MAX_UNESCAPED);
    let line = &line[..line.find(is_outside).unwrap_or(line.len())];
    line.rfind('@').filter(|at| *at > end).map(|at| &rest[..at])
}

fn is_web(before: &str) -> bool {
    ["http", "https", "ws", "wss"].iter().any(|scheme| {
        let bytes = before.as_bytes();
        bytes.len() >= scheme.len() && bytes[bytes.len() - scheme.len()..].eq_ignore_ascii_case(scheme.as_bytes())
    })
}
