//! What is held responsible for a failure.

use super::owner;
use crate::record::{ErrorRecord, Frame, Location, Stack};

/// Returns the application's own function at the failure's place, or else nearest to it; without lines the place itself;
/// without any the transaction.
pub(super) fn culprit(error: &ErrorRecord) -> Option<String> {
    let Stack::Frames(frames) = &error.stack else {
        return None;
    };
    let own = || frames.iter().rev().filter(|frame| frame.in_app);
    let place = error.location.as_ref().filter(|place| !owner::is_foreign_path(&place.file));
    let responsible = place.and_then(|place| own().find(|frame| is_at(frame, place))).or_else(|| own().next());
    match (responsible, place) {
        (Some(frame), _) if frame.line > 0 => Some(name(frame)),
        (_, Some(place)) => Some(format!("{}:{}", place.file, place.line)),
        (Some(frame), None) => Some(frame.function.clone()),
        (None, None) => error.transaction.as_ref().map(|transaction| transaction.name.clone()),
    }
}

/// Adds the failure's place as a call, where the stack shows no line of the application: without debug information, what
/// the compiler inlined is on no stack, and failures from many places would look alike.
pub(super) fn add_place(frames: &mut Vec<Frame>, place: Option<&Location>) {
    let has_lines = frames.iter().any(|frame| frame.in_app && frame.line > 0);
    let Some(place) = place.filter(|place| !has_lines && !owner::is_foreign_path(&place.file)) else {
        return;
    };
    frames.push(Frame {
        function: format!("line {}", place.line),
        path: place.file.to_string(),
        filename: place.file.to_string(),
        line: place.line,
        column: Some(place.column),
        in_app: true,
        ..Frame::default()
    });
}

fn is_at(frame: &Frame, place: &Location) -> bool {
    frame.line == place.line && frame.path.ends_with(&*place.file)
}

/// Names a call. Of an inlined one, debug information that has lines only knows the last word; of an asynchronous one not
/// even that.
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
    fn the_place_names_the_culprit() {
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
    fn without_lines_the_place_is_on_the_stack() {
        let mut frames = vec![own("shop::serve", 0)];
        add_place(&mut frames, error(Vec::new(), 12).location.as_ref());
        let newest = frames.last().unwrap();
        assert_eq!(
            (newest.function.as_str(), newest.filename.as_str(), newest.in_app),
            ("line 12", "src/cart.rs", true)
        );
    }
}
