//! The name of a GraphQL request.

/// The largest length of an operation's name in bytes.
const MAX_NAME: usize = 100;

/// Returns the first operation of a document, such as `query Books`; `query` if it has no name.
pub(super) fn operation(document: &str) -> Option<String> {
    let document = document.trim_start();
    let end = document.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(document.len());
    let (kind, rest) = document.split_at(end);
    let kind = match kind {
        "query" | "mutation" | "subscription" => kind,
        "" if rest.starts_with('{') => "query",
        _ => return None,
    };
    let rest = rest.trim_start();
    let end = rest.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(rest.len());
    let name = &rest[..end.min(MAX_NAME)];
    Some(if name.is_empty() { kind.to_owned() } else { format!("{kind} {name}") })
}
