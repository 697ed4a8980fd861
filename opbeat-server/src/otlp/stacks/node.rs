//! JavaScript's stack traces, in the form of V8: the newest call is first.

use opbeat_protocol::{Exception, Frame};

use super::parts::{Stack, file_name, split_location};

pub(super) fn parse(text: &str) -> Stack {
    let mut frames = Vec::new();
    let mut causes = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(cause) = trimmed.strip_prefix("[cause]: ") {
            causes.push(exception(cause.trim_end_matches('{').trim()));
        } else if let Some(call) = trimmed.strip_prefix("at ")
            && causes.is_empty()
        {
            // The properties of the error follow its last frame in braces.
            frames.extend(frame(call.strip_suffix(" {").unwrap_or(call)));
        }
    }
    frames.reverse();
    Stack { frames, causes }
}

/// Parses `Cart.buy (/app/cart.js:12:9)`, `async /app/cart.js:12:9` or `new Cart (file:///app/cart.js:1:2)`.
fn frame(call: &str) -> Option<Frame> {
    let call = call.strip_prefix("async ").unwrap_or(call);
    let with_function = call.strip_suffix(')').and_then(|call| call.rsplit_once(" ("));
    let (function, location) = with_function.map_or((None, call), |(function, location)| (Some(function), location));
    let (path, lineno, column) = split_location(location);
    if lineno == 0 && function.is_none() {
        return None;
    }
    let path = path.strip_prefix("file://").unwrap_or(path);
    let is_runtime = path.starts_with("node:") || path.starts_with("internal/") || path == "native";
    let is_library = is_runtime || path == "<anonymous>" || path.contains("/node_modules/");
    let filename = if is_runtime { path } else { shortened(path) };
    Some(Frame {
        filename: filename.to_owned(),
        abs_path: Some(path.to_owned()),
        lineno,
        colno: Some(column).filter(|column| *column > 0),
        function: function.map(str::to_owned),
        in_app: is_library.then_some(false),
        ..Frame::default()
    })
}

/// Returns the path below the innermost `node_modules`, or the name of the file.
fn shortened(path: &str) -> &str {
    path.rsplit_once("/node_modules/").map_or_else(|| file_name(path), |(_, relative)| relative)
}

fn exception(line: &str) -> Exception {
    let (type_name, value) = line.split_once(": ").unwrap_or((line, ""));
    Exception { type_name: type_name.to_owned(), value: value.to_owned(), ..Exception::default() }
}
