//! A parsed stack trace, and the parts that several languages share.

use opbeat_protocol::{Exception, Frame};
use opbeat_secrets::Secrets;

/// A parsed stack trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::otlp) struct Stack {
    /// The frames, the oldest call first.
    pub(in crate::otlp) frames: Vec<Frame>,
    /// The causes, the direct cause first.
    pub(in crate::otlp) causes: Vec<Exception>,
}

/// Splits a type such as `shop.errors.OutOfStock` into its module and its name, without the secrets in it.
pub(in crate::otlp) fn split_type(full: &str, separator: &str) -> (Option<String>, String) {
    // The parts of a split token no longer have its form.
    let full = Secrets::default().scrub(full);
    match full.rsplit_once(separator) {
        Some((module, name)) if !module.is_empty() && !name.is_empty() => (Some(module.to_owned()), name.to_owned()),
        _ => (None, full.into_owned()),
    }
}

/// Splits `path:line:column` or `path:line`. The line and the column are 0 if they are missing.
pub(super) fn split_location(location: &str) -> (&str, u32, u32) {
    let number = |text: &str| text.parse::<u32>().ok();
    let Some((rest, last)) = location.rsplit_once(':') else { return (location, 0, 0) };
    let Some(last) = number(last) else { return (location, 0, 0) };
    match rest.rsplit_once(':').and_then(|(path, line)| Some((path, number(line)?))) {
        Some((path, line)) => (path, line, last),
        None => (rest, last, 0),
    }
}

/// Returns the last segment of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
