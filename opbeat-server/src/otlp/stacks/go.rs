//! Go's stack traces: the newest call is first; each call has a line for the function and one for the file.

use opbeat_protocol::Frame;

use super::parts::{Stack, file_name, split_location, split_type};

pub(super) fn parse(text: &str) -> Stack {
    let mut frames = Vec::new();
    let mut function = None;
    for line in text.lines() {
        if let Some(location) = line.strip_prefix('\t') {
            frames.extend(function.take().and_then(|function| frame(function, location)));
        } else if !frames.is_empty() && line.starts_with("goroutine ") {
            // The stacks of other goroutines follow.
            break;
        } else {
            function = Some(line.trim()).filter(|line| !line.is_empty() && !line.starts_with("goroutine "));
        }
    }
    frames.reverse();
    Stack { frames, causes: Vec::new() }
}

/// Parses `acme.com/shop/cart.(*Cart).Buy(0xc000010000)` and `/app/cart/cart.go:12 +0x1d`.
fn frame(function: &str, location: &str) -> Option<Frame> {
    let function = function.strip_prefix("created by ").unwrap_or(function);
    let function = function.split(" in goroutine ").next().unwrap_or(function);
    // The arguments are the last parentheses.
    let function = match function.rsplit_once('(') {
        Some((name, arguments)) if arguments.ends_with(')') && !name.is_empty() => name,
        _ => function,
    };
    let location = location.split(" +0x").next().unwrap_or(location).trim();
    let (path, lineno, _) = split_location(location);
    if lineno == 0 {
        return None;
    }
    // The package is the text up to the first dot after the last slash.
    let start = function.rfind('/').map_or(0, |slash| slash + 1);
    let (package, name) = match function.get(start..).and_then(|rest| rest.find('.')) {
        Some(dot) => function.split_at(start + dot),
        None => ("", function),
    };
    let is_library = path.contains("/go/src/") || path.contains("/pkg/mod/") || path.contains("/vendor/");
    Some(Frame {
        filename: file_name(path).to_owned(),
        abs_path: Some(path.to_owned()),
        lineno,
        function: Some(name.trim_start_matches('.').to_owned()),
        module: Some(package.to_owned()).filter(|package| !package.is_empty()),
        in_app: Some(!is_library && !is_standard(package)),
        ..Frame::default()
    })
}

/// Returns whether a package is one of Go's own: the first segment of the others, except `main`, has a dot.
fn is_standard(package: &str) -> bool {
    let (_, last) = split_type(package, "/");
    let first = package.split('/').next().unwrap_or_default();
    ["runtime", "net", "internal", "reflect", "sync", "testing"].contains(&first) && !last.contains('.')
}
