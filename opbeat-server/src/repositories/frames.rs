//! Reported frames, as a repository is asked for them.

use opbeat_protocol::{ErrorBody, Frame as Reported};
use opbeat_repository::Frame;

/// The largest number of frames that are looked at.
const MAX_FRAMES: usize = 100;

/// Returns the frames of an error, the deepest one first. A template that failed is deeper than the functions that
/// rendered it. `prefix` is the folder of the app in the repository, or empty.
pub(crate) fn frames(report: &ErrorBody, prefix: &str) -> Vec<Frame> {
    let template = report.template.iter().map(|template| Frame {
        path: path(&template.filename, template.abs_path.as_deref(), None, prefix),
        line: template.lineno,
        in_app: true,
        source: template.context_line.clone(),
    });
    let stack = report.stacktrace.iter().flat_map(|stack| stack.frames.iter().rev());
    template.chain(stack.map(|reported| frame(reported, prefix))).take(MAX_FRAMES).collect()
}

/// Returns a frame of an app, whose folder in the repository is `prefix`, or empty.
pub(crate) fn frame(reported: &Reported, prefix: &str) -> Frame {
    Frame {
        path: path(&reported.filename, reported.abs_path.as_deref(), reported.module.as_deref(), prefix),
        line: reported.lineno,
        in_app: reported.in_app == Some(true),
        source: reported.context_line.clone(),
    }
}

/// Chooses the path that says most. A relative one is below the folder of the app.
fn path(filename: &str, absolute: Option<&str>, module: Option<&str>, prefix: &str) -> String {
    let is_absolute = |path: &str| path.starts_with(['/', '\\']) || path.get(1..2) == Some(":");
    let prefix = prefix.trim_matches('/');
    let absolute = absolute.filter(|path| !path.is_empty());
    match filename {
        "" => absolute.or(module).unwrap_or_default().to_owned(),
        relative if !prefix.is_empty() && !is_absolute(relative) => format!("{prefix}/{relative}"),
        // The name alone can be that of several files.
        name if !name.contains(['/', '\\']) => absolute.unwrap_or(name).to_owned(),
        path => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_that_says_most_is_taken() {
        for (filename, absolute, module, prefix, expected) in [
            ("src/orders.rs", Some("/build/shop/src/orders.rs"), None, "", "src/orders.rs"),
            (
                "src/orders.rs",
                Some("/build/shop/src/orders.rs"),
                None,
                "/services/shop/",
                "services/shop/src/orders.rs",
            ),
            ("orders.rs", Some("/build/shop/src/orders.rs"), None, "", "/build/shop/src/orders.rs"),
            ("orders.rs", None, None, "", "orders.rs"),
            ("/app/orders.py", None, None, "services/shop", "/app/orders.py"),
            ("C:\\app\\orders.py", None, None, "services/shop", "C:\\app\\orders.py"),
            ("", None, Some("shop::orders"), "services/shop", "shop::orders"),
            ("", None, None, "", ""),
        ] {
            assert_eq!(path(filename, absolute, module, prefix), expected);
        }
    }

    #[test]
    fn the_newest_call_comes_first() {
        let report = serde_json::json!({"message": "no ink", "stacktrace": {"frames": [
            {"filename": "src/main.rs", "lineno": 3, "in_app": true},
            {"filename": "src/pens.rs", "lineno": 7, "in_app": true, "context_line": "    ink()"},
            {"filename": "/rustc/abc/library/core/src/option.rs", "lineno": 9, "in_app": false},
        ]}});
        let report: ErrorBody = serde_json::from_value(report).unwrap();
        let frames = frames(&report, "");
        let lines: Vec<_> = frames.iter().map(|frame| (frame.line, frame.in_app)).collect();
        assert_eq!(lines, [(9, false), (7, true), (3, true)]);
        assert_eq!(frames[1].source.as_deref(), Some("    ink()"));
    }
}
