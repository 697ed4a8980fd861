//! The name of a GraphQL request.

/// The largest length of an operation's name in bytes.
const MAX_NAME: usize = 100;

/// Returns the kind and the name of a document's first operation, such as `query Books`.
///
/// An operation without a name has no result: the transaction keeps the name of its route.
pub(super) fn operation(document: &str) -> Option<String> {
    let mut rest = document.trim_start();
    while rest.starts_with("fragment ") {
        // async-graphql writes one closing brace too many.
        rest = after_selection(rest)?.trim_start_matches(|char: char| char == '}' || char.is_whitespace());
    }
    let (kind, rest) = rest.split_once(' ')?;
    if !matches!(kind, "query" | "mutation" | "subscription") {
        return None;
    }
    let rest = rest.trim_start();
    let end = rest.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(rest.len());
    let name = &rest[..end.min(MAX_NAME)];
    (!name.is_empty()).then(|| format!("{kind} {name}"))
}

/// Returns the text after the first braces and everything in them. Braces in strings do not count.
fn after_selection(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut is_string = false;
    let mut bytes = text.bytes().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'\\' if is_string => {
                bytes.next();
            }
            b'"' => is_string = !is_string,
            b'{' if !is_string => depth += 1,
            b'}' if !is_string => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(index + 1..);
                }
            }
            _ => {}
        }
    }
    None
}
