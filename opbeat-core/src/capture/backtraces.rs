//! The signs of a backtrace in a `Debug` output, so that formatting can end before one is symbolised.
//!
//! A `Backtrace` of the standard library looks up its functions, files and lines when it is formatted: that takes up to
//! hundreds of milliseconds the first time. Most errors announce their backtrace by a field name. For the others, the
//! text before the first backtrace is remembered, so that the second one is avoided.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::sync::OnceLock;

/// Returns whether errors of this process may contain backtraces: `RUST_BACKTRACE` or `RUST_LIB_BACKTRACE` is set.
pub(super) fn are_enabled() -> bool {
    static ENABLED: OnceLock<bool> = OnceLock::new();
    *ENABLED.get_or_init(|| Backtrace::capture().status() == BacktraceStatus::Captured)
}

/// Returns whether a piece of a `Debug` output is the name of a field that contains a backtrace.
///
/// The derived output writes the name of a field as one piece, before it formats the value.
pub(super) fn is_field(piece: &str) -> bool {
    const NAMES: [&str; 3] = ["backtrace", "stacktrace", "stack_trace"];
    NAMES.iter().any(|name| piece.contains(name)) && piece.chars().all(|char| char.is_alphanumeric() || char == '_')
}

/// The titles of backtraces, as `anyhow`, `eyre` and panics write them.
const TITLES: [&str; 2] = ["Stack backtrace:", "stack backtrace:"];

/// Returns the position of the title of a backtrace, if it is in the part of the text that starts at `from` or reaches
/// into it.
pub(super) fn find_title(text: &str, from: usize) -> Option<usize> {
    let start = text.floor_char_boundary(from.saturating_sub(TITLES[0].len()));
    TITLES.iter().filter_map(|title| text[start..].find(title)).min().map(|found| start + found)
}

/// Returns whether a piece of a `Debug` output is the start of a backtrace that was just symbolised: `anyhow` and the
/// standard library do that before they write anything.
pub(super) fn is_start(piece: &str) -> bool {
    piece == "Backtrace " || TITLES.iter().any(|title| piece.starts_with(title))
}

/// The ends of texts that a backtrace followed, such as `Traced(`. The last one stands for all further texts.
static FOLLOWED: [OnceLock<String>; 8] = [const { OnceLock::new() }; 8];

/// Remembers that a backtrace followed a text. The name of the field or type before it is sufficient.
pub(super) fn remember_before(text: &str) {
    /// Shorter ends occur in many texts.
    const SHORTEST: usize = 4;
    let end = text.rsplit(['{', ',']).next().unwrap_or(text).trim();
    if end.len() < SHORTEST {
        return;
    }
    for followed in &FOLLOWED {
        if followed.get_or_init(|| end.to_owned()) == end {
            return;
        }
    }
}

/// Returns whether a backtrace probably follows a text, because one followed a similar text before.
pub(super) fn is_likely_after(text: &str) -> bool {
    let mut followed = FOLLOWED.iter().map_while(OnceLock::get);
    let is_full = FOLLOWED[FOLLOWED.len() - 1].get().is_some();
    is_full || followed.any(|end| text.trim_end().ends_with(end.as_str()))
}
