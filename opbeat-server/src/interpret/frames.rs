//! Stack frames in the form that all pages expect: the oldest call first, with the application's own frames marked.

use opbeat_protocol::{ErrorBody, Frame};
use serde_json::{Map, Value};

use crate::interpret::Origin;

/// Parts of the paths of library code, for agents that do not mark the application's frames.
const LIBRARY_PATHS: [&str; 8] = [
    "/site-packages/",
    "/dist-packages/",
    "/lib/python",
    "/node_modules/",
    "/gems/",
    "/.cargo/registry/",
    "/rustc/",
    "/.rustup/",
];

/// Reverses the stacks of Python's log records, which have the newest call first.
pub(super) fn put_in_order(body: &mut ErrorBody) {
    // Node.js too sends a stack with plain messages, but no logger.
    let is_log_record = body.exception.is_none() && body.logger.is_some();
    if let Some(stack) = &mut body.stacktrace
        && is_log_record
    {
        stack.frames.reverse();
    }
}

/// Marks the application's own frames, unless the agent does.
pub(super) fn mark_application(body: &mut ErrorBody) {
    for frame in body.stacktrace.iter_mut().flat_map(|stack| &mut stack.frames) {
        if frame.in_app.is_none() {
            frame.in_app = Some(is_application(frame));
        }
    }
}

fn is_application(frame: &Frame) -> bool {
    let path = frame.abs_path.as_deref().unwrap_or(&frame.filename).replace('\\', "/");
    let is_library = LIBRARY_PATHS.iter().any(|part| path.contains(part));
    // Names such as `<string>` and `<anonymous>` are not files.
    !is_library && !is_python_agent(frame) && !path.starts_with('<')
}

fn is_python_agent(frame: &Frame) -> bool {
    frame.module.as_ref().is_some_and(|module| module.starts_with("opbeat."))
}

/// Returns the application's own function in which the error was raised, or the newest function if none is its own.
pub(super) fn culprit(body: &ErrorBody) -> Option<String> {
    let frames = &body.stacktrace.as_ref()?.frames;
    let own = frames.iter().rev().find(|frame| frame.in_app == Some(true)).or_else(|| frames.last())?;
    let file = own.module.as_deref().unwrap_or(&own.filename);
    match own.function.as_deref() {
        Some(function) => Some(format!("{file}.{function}")),
        None => Some(file.to_owned()),
    }
}

/// Takes the stack that a span was started from out of the span's extra values, where agents send it.
///
/// Returns the frames, the oldest call first.
pub(super) fn take_span_stack(origin: &Origin, extra: &mut Map<String, Value>) -> Vec<Frame> {
    let Some(frames) = extra.remove("_frames") else { return Vec::new() };
    let mut frames: Vec<Frame> = serde_json::from_value(frames).unwrap_or_default();
    if origin.is_python() {
        // The Python agent sends the newest call first: its own calls, then the traced one.
        let first_traced = frames.iter().position(|frame| !is_python_agent(frame)).unwrap_or(0);
        frames.drain(..first_traced);
        frames.reverse();
    }
    frames
}
