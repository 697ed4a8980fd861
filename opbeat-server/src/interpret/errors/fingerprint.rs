//! Fingerprints, by which errors are grouped.

use opbeat_protocol::{ErrorBody, Exception, Frame, ParamMessage};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::culprit::handler_behind_conversion;
use super::names;
use super::normalise::{normalise, says_something};
use crate::changes::{Grouping, GroupingRule};
use crate::text::shortened;

/// The version of the grouping, which is the first byte of every fingerprint: a new version never adds to old groups.
const VERSION: u8 = 2;

/// The longest sequence of calls whose repetition counts once: `a → b → c → a → b → c`.
const MAX_PERIOD: usize = 3;

/// The largest number of a library's functions that do not identify a failure. All failed connections of Node.js have
/// the same two calls, whatever the address and the reason.
const MAX_VAGUE_STACK: usize = 5;

/// The largest number of parts that are stored with the group. All of them are in the fingerprint.
const MAX_PARTS: usize = 100;

/// The maximum length of a stored part, in characters.
const MAX_PART: usize = 300;

/// Returns an error's fingerprint, and why it is what it is.
///
/// Two errors have the same fingerprint if these are equal, each without the parts that vary between occurrences:
///
/// - the exception's type and module, and the functions of the application on the stack, without line numbers. If no
///   frame is the application's own, all functions on the stack, and the text if they are few. If there is no stack, the culprit, or else the
///   transaction, or else the exception's text. If the application's own conversion of an error into a response
///   reported it, the transaction;
/// - the template of a message without an exception, or else its text;
/// - a query's text and engine.
pub(super) fn of(body: &ErrorBody) -> (Vec<u8>, Grouping) {
    let mut grouping = grouping(body);
    let mut hasher = Sha256::new();
    hasher.update([grouping.rule as u8]);
    for part in &grouping.parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let mut fingerprint = Vec::with_capacity(33);
    fingerprint.push(VERSION);
    fingerprint.extend_from_slice(&hasher.finalize());
    grouping.parts.truncate(MAX_PARTS);
    for part in &mut grouping.parts {
        if part.len() > MAX_PART {
            *part = shortened(part, MAX_PART);
        }
    }
    (fingerprint, grouping)
}

fn grouping(body: &ErrorBody) -> Grouping {
    match &body.exception {
        Some(exception) => of_exception(body, exception),
        None => of_message(body),
    }
}

fn of_exception(body: &ErrorBody, exception: &Exception) -> Grouping {
    let mut parts = vec![type_of(exception)];
    let module = exception.module.as_deref().unwrap_or_default();
    if !matches!(module, "" | "None" | "__main__") {
        parts.push(names::strip_generics(module));
    }
    if let Some(handler) = handler_behind_conversion(body) {
        parts.push(handler.to_owned());
        return Grouping { rule: GroupingRule::Handler, parts };
    }
    let (own, all) = functions(body);
    let rule = if !own.is_empty() {
        parts.extend(own);
        GroupingRule::OwnFrames
    } else if !all.is_empty() {
        if all.len() <= MAX_VAGUE_STACK {
            parts.push(normalise(&exception.value));
        }
        parts.extend(all);
        GroupingRule::AllFrames
    } else if let Some(cause) = cause_without_stack(body) {
        parts.push(cause);
        GroupingRule::Culprit
    } else {
        parts.push(normalise(&exception.value));
        GroupingRule::Text
    };
    Grouping { rule, parts }
}

/// Returns an exception's type. Browsers that do not know it write it at the start of the text.
fn type_of(exception: &Exception) -> String {
    if !exception.type_name.is_empty() {
        return names::strip_generics(&exception.type_name);
    }
    let text = exception.value.trim_start_matches("Uncaught ").trim_start_matches("(in promise) ");
    match text.split_once(": ") {
        Some((name, _)) if name.ends_with("Error") && !name.contains(' ') => name.to_owned(),
        _ => normalise(text),
    }
}

/// Returns the cause of an error without a stack: the culprit, or else the transaction.
fn cause_without_stack(body: &ErrorBody) -> Option<String> {
    let culprit = body.culprit.as_deref().filter(|culprit| !culprit.is_empty()).map(names::culprit);
    let transaction = || body.transaction.as_ref().map(|transaction| transaction.name.clone());
    culprit.or_else(transaction).filter(|cause| !cause.is_empty())
}

fn of_message(body: &ErrorBody) -> Grouping {
    if let Some(query) = &body.query {
        let engine = query.engine.clone().unwrap_or_default();
        return Grouping { rule: GroupingRule::Query, parts: vec![engine, normalise(&query.query)] };
    }
    if let Some(template) = body.param_message.as_ref().and_then(template_with_parameters) {
        return Grouping { rule: GroupingRule::Template, parts: vec![template.trim().to_owned()] };
    }
    let template = body.param_message.as_ref().and_then(ParamMessage::template).unwrap_or_default();
    let text = normalise(if body.message.is_empty() { template } else { &body.message });
    if says_something(&text) {
        return Grouping { rule: GroupingRule::Text, parts: vec![text] };
    }
    // A text that consists of values only, such as `17`, does not identify the message.
    let mut parts = vec![text];
    let (own, all) = functions(body);
    if own.is_empty() && all.is_empty() {
        parts.extend(cause_without_stack(body));
        return Grouping { rule: GroupingRule::Culprit, parts };
    }
    let rule = if own.is_empty() { GroupingRule::AllFrames } else { GroupingRule::OwnFrames };
    parts.extend(if own.is_empty() { all } else { own });
    Grouping { rule, parts }
}

/// Returns the template of a message that has parameters. One without parameters is a text like any other.
fn template_with_parameters(message: &ParamMessage) -> Option<&str> {
    let has_parameters = |params: &Value| match params {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    match message {
        ParamMessage::Parts { message, params } if has_parameters(params) => Some(message),
        // Node.js sends no parameters.
        ParamMessage::Template(template) if has_placeholder(template) => Some(template),
        _ => None,
    }
}

/// Returns whether a template of Node.js' `util.format` or of Ruby has a placeholder.
fn has_placeholder(template: &str) -> bool {
    let formats = template.split('%').skip(1).filter_map(|after| after.chars().next());
    formats.into_iter().any(|format| matches!(format, 's' | 'd' | 'i' | 'f' | 'j' | 'o' | 'O' | '{' | '<'))
}

/// Returns the application's own functions on the stack, or else all functions.
fn functions(body: &ErrorBody) -> (Vec<String>, Vec<String>) {
    let Some(stack) = &body.stacktrace else { return Default::default() };
    let own = sequence(stack.frames.iter().filter(|frame| frame.in_app == Some(true)));
    if own.is_empty() { (own, sequence(stack.frames.iter())) } else { (own, Vec::new()) }
}

/// Returns the functions of frames, each repeated sequence of calls once.
fn sequence<'a>(frames: impl Iterator<Item = &'a Frame>) -> Vec<String> {
    let mut functions: Vec<String> = Vec::new();
    for frame in frames {
        functions.push(function(frame));
        let repeated = (1..=MAX_PERIOD).find(|period| {
            let end = functions.len();
            end >= 2 * period && functions[end - period..] == functions[end - 2 * period..end - period]
        });
        if let Some(period) = repeated {
            functions.truncate(functions.len() - period);
        }
    }
    functions
}

/// Returns a frame's function with its module or file, without its line.
fn function(frame: &Frame) -> String {
    let mut function = match frame.module.as_deref() {
        // The name of every script that Python runs.
        Some("__main__" | "") | None => names::file(&frame.filename),
        Some(module) => module.to_owned(),
    };
    function.push(':');
    function.push_str(&names::function(frame.function.as_deref().unwrap_or_default()));
    function
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(json: serde_json::Value) -> ErrorBody {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn recursion_of_any_depth_is_one_group() {
        let error = |functions: &[&str]| {
            let frame = |name: &&str| json!({"filename": "a.rs", "function": name, "in_app": true});
            let frames: Vec<Value> = functions.iter().map(frame).collect();
            body(json!({"exception": {"type": "E"}, "stacktrace": {"frames": frames}}))
        };
        let once = of(&error(&["main", "walk", "leaf"])).0;
        for depth in [2, 3, 40] {
            let mut functions = vec!["main"];
            functions.extend(std::iter::repeat_n("walk", depth));
            functions.push("leaf");
            assert_eq!(of(&error(&functions)).0, once, "{depth}");
        }
        let mutual = of(&error(&["main", "even", "odd"])).0;
        assert_eq!(of(&error(&["main", "even", "odd", "even", "odd", "even", "odd"])).0, mutual);
        assert_ne!(mutual, once);
    }

    #[test]
    fn the_fingerprint_starts_with_the_version() {
        let (fingerprint, grouping) = of(&body(json!({"message": "no books"})));
        assert_eq!((fingerprint[0], fingerprint.len()), (VERSION, 33));
        assert_eq!(grouping, Grouping { rule: GroupingRule::Text, parts: vec!["no books".to_owned()] });
    }
}
