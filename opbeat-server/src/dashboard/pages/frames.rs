//! Stack traces.

use maud::{Markup, html};
use opbeat_protocol::{Frame, Template};
use serde_json::Value;

use super::room::Room;
use super::values;

/// The largest number of calls that a page shows. A deep recursion would make it several megabytes large.
const MAX_SHOWN: usize = 200;

/// Shows a stack, the newest call first. The application's newest own frame is open, and calls of libraries are folded.
pub(super) fn stack(frames: &[Frame], room: &Room) -> Markup {
    let newest_first: Vec<&Frame> = frames.iter().rev().take(MAX_SHOWN).collect();
    let runs = newest_first.chunk_by(|a, b| is_own(a) == is_own(b));
    let first_own = newest_first.iter().position(|frame| is_own(frame)).map(|at| std::ptr::from_ref(newest_first[at]));
    html! {
        ol.stack {
            @for run in runs {
                @if is_own(run[0]) {
                    @for frame in room.items(run.iter()) {
                        li { (own(frame, first_own == Some(std::ptr::from_ref(*frame)), room)) }
                    }
                } @else {
                    li.foreign { (foreign(run, room)) }
                }
            }
        }
        @if frames.len() > MAX_SHOWN {
            p.muted { "The " (frames.len() - MAX_SHOWN) " oldest calls are not shown. The API returns all." }
        }
    }
}

fn is_own(frame: &Frame) -> bool {
    frame.in_app == Some(true)
}

fn own(frame: &Frame, is_open: bool, room: &Room) -> Markup {
    let vars = frame.vars.as_ref().and_then(Value::as_object).filter(|vars| !vars.is_empty());
    html! {
        @if frame.context_line.is_some() || vars.is_some() {
            details open[is_open] {
                summary { (location(frame, room)) }
                (source(frame, room))
                @if let Some(vars) = vars { details.vars { summary { "Variables" } (values::list(vars, room)) } }
            }
        } @else {
            div.frame { (location(frame, room)) }
        }
    }
}

fn foreign(run: &[&Frame], room: &Room) -> Markup {
    html! {
        details {
            summary.muted { (run.len()) @if run.len() == 1 { " call in libraries" } @else { " calls in libraries" } }
            ol { @for frame in room.items(run.iter()) { li { div.frame { (location(frame, room)) } } } }
        }
    }
}

fn location(frame: &Frame, room: &Room) -> Markup {
    let function = frame.function.as_deref().unwrap_or("?");
    html! {
        code.function { (room.text(function)) }
        span.place { (room.text(&frame.filename)) @if frame.lineno > 0 { ":" (frame.lineno) } }
    }
}

/// Shows the line of a frame with the lines around it, each with its number.
fn source(frame: &Frame, room: &Room) -> Markup {
    let Some(line) = &frame.context_line else { return html! {} };
    let around = (frame.pre_context.as_deref(), frame.post_context.as_deref());
    lines(around, line, frame.lineno, room, |line| line.to_owned())
}

/// Shows the line at which a template failed with the lines around it.
pub(super) fn template_source(template: &Template, room: &Room) -> Markup {
    let Some(line) = &template.context_line else { return html! {} };
    let around = (template.pre_context.as_deref(), template.post_context.as_deref());
    let all = [around.0, around.1].into_iter().flatten().flatten().flatten().chain([line]);
    // Django escapes the lines since version 1.9. Escaped lines contain none of these characters.
    let is_escaped = !all.into_iter().any(|line| line.contains(['<', '>', '"']));
    lines(around, line, template.lineno, room, |line| if is_escaped { unescaped(line) } else { line.to_owned() })
}

/// Replaces the character references of Django's `escape`, once.
fn unescaped(line: &str) -> String {
    const REFERENCES: [(&str, char); 7] = [
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&#39;", '\''),
        ("&#x27;", '\''),
        ("&nbsp;", ' '),
        ("&amp;", '&'),
    ];
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = REFERENCES.iter().find(|(reference, _)| rest.starts_with(reference));
        let (length, character) = reference.map_or((1, '&'), |(reference, character)| (reference.len(), *character));
        out.push(character);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The source lines before and after a line.
type Around<'a> = (Option<&'a [Option<String>]>, Option<&'a [Option<String>]>);

/// Shows source lines, each with its number. Line ends at the end of a line are removed.
fn lines((before, after): Around<'_>, line: &str, number: u32, room: &Room, show: impl Fn(&str) -> String) -> Markup {
    let text = |line: &Option<String>| line.clone().unwrap_or_default();
    let before: Vec<String> = before.into_iter().flatten().map(text).collect();
    let after: Vec<String> = after.into_iter().flatten().map(text).collect();
    let first = u64::from(number).saturating_sub(before.len() as u64);
    let current = before.len();
    let lines = before.iter().map(String::as_str).chain([line]).chain(after.iter().map(String::as_str));
    html! {
        pre.source tabindex="0" role="group" aria-label="Source code" { @for (index, line) in room.items(lines.enumerate()) {
            span.line.current[index == current] { span.lineno { (first + index as u64) } (room.text(&show(line.trim_end_matches(['\r', '\n'])))) "\n" }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_once() {
        assert_eq!(
            unescaped("&lt;p class=&quot;a&quot;&gt;&amp;lt; &#39;b&#x27; & &x"),
            "<p class=\"a\">&lt; 'b' & &x"
        );
    }
}
