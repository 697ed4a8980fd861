//! Python's stack traces: the newest call is last, and causes are printed before the exception that they caused.

use opbeat_protocol::{Exception, Frame};

use super::parts::{Stack, file_name, split_type};

/// The lines between a cause and the exception that it caused.
const LINKS: [&str; 2] = [
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
];

pub(super) fn parse(text: &str) -> Stack {
    let mut frames: Vec<Frame> = Vec::new();
    let mut causes = Vec::new();
    let mut last_line = "";
    for line in text.lines() {
        let trimmed = line.trim();
        if LINKS.contains(&trimmed) {
            causes.push(exception(last_line));
            frames.clear();
        } else if let Some(frame) = frame(trimmed) {
            frames.push(frame);
        } else if let Some(frame) = frames.last_mut()
            && line.starts_with("    ")
            && frame.context_line.is_none()
        {
            frame.context_line = Some(trimmed.to_owned());
        } else if !trimmed.is_empty() && !line.starts_with(' ') {
            last_line = trimmed;
        }
    }
    causes.reverse();
    Stack { frames, causes }
}

/// Parses `File "/app/shop/cart.py", line 12, in buy`.
fn frame(line: &str) -> Option<Frame> {
    let (path, rest) = line.strip_prefix("File \"")?.split_once("\", line ")?;
    let (number, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    Some(Frame {
        filename: relative(path).to_owned(),
        abs_path: Some(path.to_owned()),
        lineno: number.trim().parse().unwrap_or(0),
        function: Some(function.to_owned()).filter(|function| !function.is_empty()),
        module: module(path),
        in_app: is_library(path).then_some(false),
        ..Frame::default()
    })
}

/// Returns whether a file belongs to a library or to Python itself.
fn is_library(path: &str) -> bool {
    let parts = ["/site-packages/", "/dist-packages/", "/lib/python", "\\lib\\"];
    parts.iter().any(|part| path.contains(part)) || path.starts_with("<frozen ")
}

/// Returns a path as it is imported: below the folder of packages, or else the name of the file.
fn relative(path: &str) -> &str {
    let below = ["/site-packages/", "/dist-packages/"].iter().find_map(|part| path.rsplit_once(part));
    below.map_or_else(|| file_name(path), |(_, relative)| relative)
}

/// Returns the module of a file of a library. The root of the application is not known.
fn module(path: &str) -> Option<String> {
    if !is_library(path) {
        return file_name(path).strip_suffix(".py").map(str::to_owned);
    }
    let relative = relative(path).strip_suffix(".py")?;
    Some(relative.strip_suffix("/__init__").unwrap_or(relative).replace('/', "."))
}

/// Parses `shop.errors.OutOfStock: no books`.
fn exception(line: &str) -> Exception {
    let (full, value) = line.split_once(": ").unwrap_or((line, ""));
    let (module, type_name) = split_type(full, ".");
    Exception { type_name, value: value.to_owned(), module, causes: Vec::new() }
}
