//! Errors of unknown types, read from their printed text.

use std::error::Error as StdError;
use std::fmt;

use actix_web::Error;

/// A copy of an error whose type is hidden. Its `Display` and `Debug` output is that of the hidden error, and the
/// report takes the type's name from the `Debug` output.
///
/// `anyhow` and `eyre` print their causes after the line `Caused by:`, also inside a wrapper type.
pub(crate) struct PrintedError {
    message: String,
    printed: String,
    source: Option<Box<Self>>,
}

impl PrintedError {
    pub(crate) fn of(error: &Error) -> Self {
        let hidden = error.as_response_error();
        let (message, printed) = (hidden.to_string(), format!("{hidden:?}"));
        let source =
            causes(&printed, !printed.starts_with(&message)).into_iter().rev().fold(None, |source, message| {
                Some(Box::new(Self { message: message.clone(), printed: String::new(), source }))
            });
        Self { message, printed, source }
    }

    /// Returns whether it is the error of tokio's timeouts.
    pub(crate) fn is_time_limit(&self) -> bool {
        self.printed.starts_with("Elapsed")
    }
}

/// Returns the causes that an error prints, the nearest first.
///
/// The derived `Debug` output of a wrapper type has a closing parenthesis or brace after the last cause.
fn causes(printed: &str, is_wrapped: bool) -> Vec<String> {
    let Some((_, causes)) = printed.split_once("Caused by:\n") else { return Vec::new() };
    let end = causes.find("\n\n").unwrap_or(causes.len());
    let is_end = end == causes.len();
    let causes = &causes[..end];
    let wrapped = || causes.strip_suffix(" }").or_else(|| causes.strip_suffix(')'));
    let causes = if is_wrapped && is_end { wrapped().unwrap_or(causes) } else { causes };
    numbered(causes).unwrap_or_else(|| vec![joined(causes.lines())])
}

/// Returns numbered causes, such as `0: the shelf is broken`; `None` if there is only one, which has no number. A line
/// without the next number belongs to the previous cause.
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

impl fmt::Debug for PrintedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.printed)
    }
}

impl fmt::Display for PrintedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for PrintedError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_read_from_printed_text() {
        let cases: [(&str, bool, &[&str]); 6] = [
            ("no order\n\nCaused by:\n    12: bad", false, &["12: bad"]),
            ("no order\n\nCaused by:\n    one\n    two", false, &["one\ntwo"]),
            ("no order\n\nCaused by:\n    0: one\n       two\n    1: three", false, &["one\ntwo", "three"]),
            ("Shop(no order\n\nCaused by:\n    refused (os error 111))", true, &["refused (os error 111)"]),
            ("no order\n\nCaused by:\n    refused (os error 111)", false, &["refused (os error 111)"]),
            ("Shop(no order\n\nCaused by:\n    refused\n\nStack backtrace:\n   0: main)", true, &["refused"]),
        ];
        for (printed, is_wrapped, expected) in cases {
            assert_eq!(causes(printed, is_wrapped), expected, "{printed}");
        }
    }
}
