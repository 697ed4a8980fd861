//! Stack frames as all pages expect them: the oldest call first, the application's own marked.

use opbeat_protocol::{ErrorBody, Frame};

/// Parts of paths that hold other people's code, for agents that don't say.
const FOREIGN_PATHS: [&str; 8] = [
    "/site-packages/",
    "/dist-packages/",
    "/lib/python",
    "/node_modules/",
    "/gems/",
    "/.cargo/registry/",
    "/rustc/",
    "/.rustup/",
];

/// Turns stacks round that come with the newest call first: those of Python's log records.
pub(super) fn put_in_order(body: &mut ErrorBody) {
    let is_log_record = body.exception.is_none() && body.logger.is_some();
    // Node.js sends a stack with plain messages too, but no logger.
    if let Some(stack) = &mut body.stacktrace
        && is_log_record
    {
        stack.frames.reverse();
    }
}

/// Marks the application's own frames, where the agent does not.
pub(super) fn mark_application(body: &mut ErrorBody) {
    for frame in body.stacktrace.iter_mut().flat_map(|stack| &mut stack.frames) {
        if frame.in_app.is_none() {
            frame.in_app = Some(is_application(frame));
        }
    }
}

fn is_application(frame: &Frame) -> bool {
    let path = frame.abs_path.as_deref().unwrap_or(&frame.filename).replace('\\', "/");
    let module = frame.module.as_deref().unwrap_or_default();
    !FOREIGN_PATHS.iter().any(|part| path.contains(part)) && !module.starts_with("opbeat.") && !path.starts_with('<')
}

/// Returns the application's own function nearest to the failure.
pub(super) fn culprit(body: &ErrorBody) -> Option<String> {
    let frames = &body.stacktrace.as_ref()?.frames;
    let own = frames.iter().rev().find(|frame| frame.in_app == Some(true)).or_else(|| frames.last())?;
    let place = own.module.as_deref().unwrap_or(&own.filename);
    match own.function.as_deref() {
        Some(function) => Some(format!("{place}.{function}")),
        None => Some(place.to_owned()),
    }
}
