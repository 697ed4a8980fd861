//! The causes of an error, read from its `Debug` output.

/// A cause of an error, as the error prints it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PrintedCause {
    pub(crate) message: String,
    /// Its `Debug` output, if that was printed instead of its message.
    pub(crate) printed: String,
}

impl PrintedCause {
    fn of_message(message: String) -> Self {
        Self { message, printed: String::new() }
    }
}

/// Returns the causes that an error prints, the nearest first.
///
/// `anyhow` and `eyre` print them after the line `Caused by:`. If backtraces are enabled, the output has the form of
/// `{:#?}`, and the causes are fields.
pub(crate) fn causes(printed: &str, is_wrapped: bool) -> Vec<PrintedCause> {
    let listed = listed(printed, is_wrapped);
    if listed.is_empty() { in_fields(printed) } else { listed.into_iter().map(PrintedCause::of_message).collect() }
}

/// Returns the causes after the line `Caused by:`.
///
/// The derived debug output of a wrapper ends with `)` or ` }`, which is not part of the last cause.
fn listed(printed: &str, is_wrapped: bool) -> Vec<String> {
    let Some((_, causes)) = printed.split_once("Caused by:\n") else { return Vec::new() };
    let end = causes.find("\n\n").unwrap_or(causes.len());
    let is_end = end == causes.len();
    let causes = &causes[..end];
    let wrapped = || causes.strip_suffix(" }").or_else(|| causes.strip_suffix(')'));
    let causes = if is_wrapped && is_end { wrapped().unwrap_or(causes) } else { causes };
    numbered(causes).unwrap_or_else(|| vec![joined(causes.lines())])
}

/// Returns numbered causes such as `0: the shelf is broken`, or `None` unless there are at least two. A line without
/// the next number continues the previous cause.
fn numbered(causes: &str) -> Option<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for line in causes.lines().map(str::trim) {
        match (line.strip_prefix(&format!("{}: ", found.len())), found.last_mut()) {
            (Some(cause), _) => found.push(cause.to_owned()),
            (None, Some(cause)) => *cause = format!("{cause}\n{line}"),
            (None, None) => return None,
        }
    }
    (found.len() > 1).then_some(found)
}

fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

/// Returns the causes in fields, as in `Error { context: "no order", source: Error { context: "no cart", source: … } }`.
/// The first context is the message of the error itself.
fn in_fields(printed: &str) -> Vec<PrintedCause> {
    let mut causes = Vec::new();
    let Some((_, mut rest)) = after_context(printed) else { return causes };
    while let Some(source) = rest.strip_prefix(", source: ") {
        let Some((message, after)) = after_context(source).filter(|_| source.starts_with("Error {")) else {
            let (value, _) = source.split_at(end_of_value(source));
            causes.push(match unquoted(value) {
                Some((message, _)) => PrintedCause::of_message(message),
                None => PrintedCause { message: value.to_owned(), printed: value.to_owned() },
            });
            break;
        };
        causes.push(PrintedCause::of_message(message));
        rest = after;
    }
    causes
}

/// Returns the first context of `anyhow` or `eyre`, and the text after it.
fn after_context(text: &str) -> Option<(String, &str)> {
    let starts = ["Error { context: ", "Error { msg: "].map(|start| text.find(start).map(|at| at + start.len()));
    unquoted(&text[starts.into_iter().flatten().min()?..])
}

/// Returns the text of a literal at the start, and the text after the literal.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let quoted = text.strip_prefix('"')?;
    let (mut found, mut characters) = (String::new(), quoted.chars());
    loop {
        match characters.next()? {
            '"' => return Some((found, characters.as_str())),
            '\\' => match characters.next()? {
                'n' => found.push('\n'),
                't' => found.push('\t'),
                'r' => found.push('\r'),
                escaped @ ('"' | '\'' | '\\') => found.push(escaped),
                // The codes of rare characters stay as they are.
                other => found.extend(['\\', other]),
            },
            character => found.push(character),
        }
    }
}

/// Returns the end of the value at the start: the first comma or closing bracket outside of its brackets and texts.
fn end_of_value(text: &str) -> usize {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_text => is_escaped = true,
            '"' => is_text = !is_text,
            _ if is_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' | ',' if depth == 0 => return text[..at].trim_end().len(),
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_read_from_the_printed_text() {
        let cases: [(&str, bool, &[&str]); 11] = [
            ("no order\n\nCaused by:\n    12: bad", false, &["12: bad"]),
            ("no order\n\nCaused by:\n    one\n    two", false, &["one\ntwo"]),
            ("no order\n\nCaused by:\n    0: one\n       two\n    1: three", false, &["one\ntwo", "three"]),
            ("Shop(no order\n\nCaused by:\n    refused (os error 111))", true, &["refused (os error 111)"]),
            ("no order\n\nCaused by:\n    refused (os error 111)", false, &["refused (os error 111)"]),
            ("Shop(no order\n\nCaused by:\n    refused\n\nStack backtrace:\n   0: main)", true, &["refused"]),
            (r#"Error { context: "no order", source: "refused" }"#, true, &["refused"]),
            (
                r#"Shop(Error { msg: "no order", source: Error { context: "a \"b\"\n", source: Os { code: 2 } } })"#,
                true,
                &["a \"b\"\n", "Os { code: 2 }"],
            ),
            (r#"Shop { a: Error { msg: "no order", source: Closed("}") }, b: 1 }"#, true, &[r#"Closed("}")"#]),
            (
                r#"Error { context: "no order", source: Inner { at: Error { context: "x", so…"#,
                true,
                &[r#"Inner { at: Error { context: "x", so…"#],
            ),
            (r#"Error { context: "no order"#, true, &[]),
        ];
        for (printed, is_wrapped, expected) in cases {
            let found: Vec<String> = causes(printed, is_wrapped).into_iter().map(|cause| cause.message).collect();
            assert_eq!(found, expected, "{printed}");
        }
    }
}
