//! Progress bars of commands that take long. They are shown on terminals only.

use indicatif::{ProgressBar, ProgressStyle};

/// Returns a bar that counts bytes.
pub(super) fn of_bytes(message: &'static str) -> ProgressBar {
    bar(message, "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
}

/// Returns a line that counts bytes whose total is not known.
pub(super) fn of_any_bytes(message: &'static str) -> ProgressBar {
    bar(message, "{msg} {spinner} {bytes} {bytes_per_sec} {elapsed}")
}

/// Returns a bar that counts things.
pub(super) fn of_things(message: &'static str) -> ProgressBar {
    bar(message, "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}")
}

fn bar(message: &'static str, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is valid");
    // It is drawn on standard error, and hidden if that is no terminal.
    ProgressBar::new(0).with_style(style).with_message(message)
}
