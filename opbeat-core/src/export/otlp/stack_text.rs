//! Stacks as text, in the form in which Rust prints a backtrace.

use std::fmt::Write;

use crate::record::Frame;

/// The largest size of a stack, in bytes. The oldest calls of a longer one are left out.
const MAX_STACK: usize = 64 << 10;

/// Returns calls, which are listed with the outermost first, as text with the innermost first.
pub(super) fn stack_text(frames: &[Frame]) -> String {
    let mut text = String::new();
    for (number, frame) in frames.iter().rev().enumerate() {
        let length = text.len();
        push_frame(number, frame, &mut text);
        if text.len() > MAX_STACK {
            text.truncate(length);
            break;
        }
    }
    text
}

fn push_frame(number: usize, frame: &Frame, text: &mut String) {
    let function = if frame.function.is_empty() { "<unknown>" } else { &frame.function };
    // A string accepts all writes.
    let _ = writeln!(text, "{number:>4}: {function}");
    let path = if frame.path.is_empty() { &frame.filename } else { &frame.path };
    if path.is_empty() {
        return;
    }
    let _ = match frame.column {
        Some(column) => writeln!(text, "             at {path}:{}:{column}", frame.line),
        None => writeln!(text, "             at {path}:{}", frame.line),
    };
}
