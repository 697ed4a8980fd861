//! Stack traces.

use maud::{Markup, html};
use opbeat_protocol::Frame;
use serde_json::Value;

use super::values;

/// Shows a stack, the newest call first. The application's newest own frame is open, and calls of libraries are folded.
pub(super) fn stack(frames: &[Frame]) -> Markup {
    let newest_first: Vec<&Frame> = frames.iter().rev().collect();
    let runs = newest_first.chunk_by(|a, b| is_own(a) == is_own(b));
    let first_own = newest_first.iter().position(|frame| is_own(frame)).map(|at| std::ptr::from_ref(newest_first[at]));
    html! {
        ol.stack {
            @for run in runs {
                @if is_own(run[0]) {
                    @for frame in run {
                        li { (own(frame, first_own == Some(std::ptr::from_ref(*frame)))) }
                    }
                } @else {
                    li.foreign { (foreign(run)) }
                }
            }
        }
    }
}

fn is_own(frame: &Frame) -> bool {
    frame.in_app == Some(true)
}

fn own(frame: &Frame, is_open: bool) -> Markup {
    let vars = frame.vars.as_ref().and_then(Value::as_object).filter(|vars| !vars.is_empty());
    html! {
        @if frame.context_line.is_some() || vars.is_some() {
            details open[is_open] {
                summary { (location(frame)) }
                (source(frame))
                @if let Some(vars) = vars { details.vars { summary { "Variables" } (values::list(vars)) } }
            }
        } @else {
            div.frame { (location(frame)) }
        }
    }
}

fn foreign(run: &[&Frame]) -> Markup {
    html! {
        details {
            summary.muted { (run.len()) @if run.len() == 1 { " call in libraries" } @else { " calls in libraries" } }
            ol { @for frame in run { li { div.frame { (location(frame)) } } } }
        }
    }
}

fn location(frame: &Frame) -> Markup {
    let function = frame.function.as_deref().unwrap_or("?");
    html! {
        code.function { (function) }
        span.place { (frame.filename) @if frame.lineno > 0 { ":" (frame.lineno) } }
    }
}

/// Shows the line of a frame with the lines around it, each with its number.
fn source(frame: &Frame) -> Markup {
    let Some(line) = &frame.context_line else { return html! {} };
    let text = |line: &Option<String>| line.clone().unwrap_or_default();
    let before: Vec<String> = frame.pre_context.iter().flatten().map(text).collect();
    let after: Vec<String> = frame.post_context.iter().flatten().map(text).collect();
    let first = u64::from(frame.lineno).saturating_sub(before.len() as u64);
    let lines = before.iter().chain([line]).chain(&after);
    let current = before.len();
    html! {
        pre.source { @for (index, line) in lines.enumerate() {
            span.line.current[index == current] { span.lineno { (first + index as u64) } (line) "\n" }
        } }
    }
}
