//! The culprit of a failure: the function that the report names first.

use super::owner;
use crate::record::{ErrorRecord, Frame, Location, Stack};

/// Returns the culprit, by the first of these that is known:
///
/// 1. the application's function at the failure's location, or else its function nearest to the failure, if the
///    function has a line,
/// 2. the location itself,
/// 3. the function without a line,
/// 4. the transaction's name.
pub(super) fn culprit(error: &ErrorRecord) -> Option<String> {
    let Stack::Frames(frames) = &error.stack else {
        return None;
    };
    let own = || frames.iter().rev().filter(|frame| frame.in_app);
    let location = error.location.as_ref().filter(|location| !owner::is_foreign_path(&location.file));
    let at_location = location.and_then(|location| own().find(|frame| is_at(frame, location)));
    match (at_location.or_else(|| own().next()), location) {
        (Some(frame), _) if frame.line > 0 => Some(name(frame)),
        (_, Some(location)) => Some(format!("{}:{}", location.file, location.line)),
        (Some(frame), None) => Some(frame.function.clone()),
        (None, None) => error.transaction.as_ref().map(|transaction| transaction.name.clone()),
    }
}

/// Adds the failure's location as a frame if the stack shows no line of the application.
///
/// Without debug information, inlined functions are on no stack, and failures of different lines would look the same.
pub(super) fn add_location(frames: &mut Vec<Frame>, location: Option<&Location>) {
    let has_lines = frames.iter().any(|frame| frame.in_app && frame.line > 0);
    let Some(location) = location.filter(|location| !has_lines && !owner::is_foreign_path(&location.file)) else {
        return;
    };
    frames.push(Frame {
        function: format!("line {}", location.line),
        path: location.file.to_string(),
        filename: location.file.to_string(),
        line: location.line,
        column: Some(location.column),
        in_app: true,
        ..Frame::default()
    });
}

fn is_at(frame: &Frame, location: &Location) -> bool {
    frame.line == location.line && frame.path.ends_with(&*location.file)
}

/// Returns a readable name of a call.
///
/// If the debug information has lines only, it contains the last word of an inlined function's path, and no name of an
/// asynchronous function. The file completes these names.
fn name(frame: &Frame) -> String {
    let Frame { function, filename, line, .. } = frame;
    let word = function.split('<').next().unwrap_or_default();
    if function.starts_with('<') || word.contains("::") {
        return function.clone();
    }
    if word.starts_with('{') || word.contains(' ') {
        format!("{filename}:{line}")
    } else {
        format!("{word} ({filename})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(function: &str, line: u32) -> Frame {
        let path = if line > 0 { "/srv/shop/src/cart.rs".to_owned() } else { String::new() };
        Frame {
            function: function.to_owned(),
            path,
            filename: "shop/src/cart.rs".to_owned(),
            line,
            in_app: true,
            ..Frame::default()
        }
    }

    fn error(frames: Vec<Frame>, line: u32) -> ErrorRecord {
        let mut error = crate::capture::status_record(Some(500));
        error.location = Some(Location { file: "src/cart.rs".into(), line, column: 1 });
        error.stack = Stack::Frames(frames);
        error
    }

    #[test]
    fn the_culprit_is_at_the_failures_location() {
        let stack = || vec![own("shop::buy", 12), own("<shop::Error as core::convert::From<E>>::from", 40)];
        let cases = [
            (error(stack(), 12), "shop::buy"),
            (error(stack(), 99), "<shop::Error as core::convert::From<E>>::from"),
            (error(vec![own("find<shop::Cart>", 12)], 12), "find (shop/src/cart.rs)"),
            (error(vec![own("{async_fn#0}", 12)], 12), "shop/src/cart.rs:12"),
            (error(vec![own("shop::serve", 0)], 12), "src/cart.rs:12"),
        ];
        for (error, expected) in cases {
            assert_eq!(culprit(&error).as_deref(), Some(expected));
        }
    }

    #[test]
    fn without_lines_the_location_is_added_to_the_stack() {
        let mut frames = vec![own("shop::serve", 0)];
        add_location(&mut frames, error(Vec::new(), 12).location.as_ref());
        let newest = frames.last().unwrap();
        assert_eq!(
            (newest.function.as_str(), newest.filename.as_str(), newest.in_app),
            ("line 12", "src/cart.rs", true)
        );
    }
}
