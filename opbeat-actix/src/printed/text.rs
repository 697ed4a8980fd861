//! The `Debug` output of an error of unknown type, without its backtrace.

use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::ResponseError;
use opbeat_core::http::{debug_output, display_output};

/// The number of bytes to which the output is cut.
const LONGEST: usize = 8 * 1024;

/// Whether a backtrace was printed in spite of the precautions. After that, the slower form is not used again.
static HAS_PRINTED_BACKTRACE: AtomicBool = AtomicBool::new(false);

/// The `Debug` output of an error.
#[derive(Default)]
pub(crate) struct PrintedText {
    pub(crate) text: String,
    /// It was cut, and has no closing brackets.
    pub(crate) is_cut: bool,
    /// The number of visible characters that `{:#}` prints after the message.
    expected: usize,
}

impl PrintedText {
    /// Prints an error.
    ///
    /// `anyhow` looks up its backtrace after it has printed the last cause, which takes milliseconds. Printing therefore
    /// ends with the last cause. It is recognised by the number of characters: `{:#}` prints the message and all causes.
    /// A wrapper whose `{:#}` prints no causes is printed in the form of [`debug_output`].
    pub(crate) fn of(error: &dyn ResponseError, message: &str) -> Self {
        // Here and below, an error or a panic ends the printing, and the text until then is used.
        let with_causes = display_output(&format_args!("{error:#}"));
        let expected = with_causes.strip_prefix(message).map_or(0, visible);
        if expected == 0 || HAS_PRINTED_BACKTRACE.load(Ordering::Relaxed) {
            return Self { text: debug_output(error), ..Self::default() };
        }
        let mut printed = Self { expected, ..Self::default() };
        printed.print(format_args!("{error:?}"));
        printed
    }

    /// Prints a text of the application, whose code may panic.
    fn print(&mut self, text: fmt::Arguments<'_>) {
        let _ = catch_unwind(AssertUnwindSafe(|| self.write_fmt(text)));
    }

    /// Returns whether all causes were printed.
    fn is_complete(&self) -> bool {
        let causes = self.text.split_once("Caused by:\n").map(|(_, causes)| causes);
        self.expected > 0 && causes.and_then(listed).is_some_and(|listed| listed >= self.expected)
    }
}

impl Write for PrintedText {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        const TITLE: &str = "Stack backtrace:";
        if piece.starts_with(TITLE) {
            HAS_PRINTED_BACKTRACE.store(true, Ordering::Relaxed);
        }
        let end = piece.floor_char_boundary(LONGEST.saturating_sub(self.text.len()));
        self.text.push_str(&piece[..end]);
        self.is_cut = self.is_cut || end < piece.len() || piece.contains(TITLE) || self.is_complete();
        if self.is_cut { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Returns the number of visible characters of causes, with a colon before each as in `{:#}`. Returns `None` if the text
/// may end within the number of a cause.
fn listed(causes: &str) -> Option<usize> {
    let (mut found, mut characters, mut is_number) = (0_usize, 0, false);
    for line in causes.lines().map(str::trim_start) {
        let number = format!("{found}: ");
        is_number = number.starts_with(line);
        let cause = line.strip_prefix(&number);
        found += usize::from(cause.is_some());
        characters += visible(cause.unwrap_or(line));
    }
    (!is_number).then_some(characters + found.max(1))
}

fn visible(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}
