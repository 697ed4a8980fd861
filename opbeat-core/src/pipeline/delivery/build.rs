//! How the application was built, as far as its reports depend on it.

use std::fmt;

use crate::pipeline::symbols;

/// How the application was built, as far as its reports depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Build {
    /// Whether stacks show files and lines: the binary has debug information, or a file beside it does.
    pub has_debug_information: bool,
    /// Whether a panic ends only its task. If false, a panic ends the process.
    pub unwinds: bool,
}

impl Build {
    /// Finds out how the running program was built. It reads the program's file: do not call it on the request path.
    pub(crate) fn of_this_process() -> Self {
        Self { has_debug_information: symbols::has_lines(), unwinds: cfg!(panic = "unwind") }
    }

    /// Returns whether another build could not make better reports.
    pub(super) fn is_best(self) -> bool {
        self.has_debug_information && self.unwinds
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.has_debug_information {
            "stacks show lines"
        } else {
            "stacks show no lines, because the binary has no debug information: set `debug = \"limited\"` in the profile"
        })?;
        f.write_str(if self.unwinds { "; panics unwind" } else { "; panics abort the process" })
    }
}
