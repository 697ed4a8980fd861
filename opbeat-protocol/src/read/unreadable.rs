//! Bodies that cannot be read at all.

use std::error::Error;
use std::fmt;

/// The reason why a body cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The body has no bytes, or white space only.
    Empty,
    /// The body is not JSON.
    NotJson {
        /// The line of the first error, from 1.
        line: usize,
        /// The column of the first error, from 1, in bytes.
        column: usize,
        /// The error.
        reason: String,
    },
    /// The body ends in the middle of a value.
    Truncated,
    /// The body is JSON, but not an object.
    NotAnObject {
        /// The type of the value, such as `an array`.
        found: &'static str,
    },
    /// The body has none of the fields that it is sent for.
    NoContent {
        /// The fields, of which at least one is needed.
        needed: &'static str,
    },
}

impl Unreadable {
    /// Returns the name under which the reason is counted. It never changes.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotJson { .. } => "not_json",
            Self::Truncated => "truncated",
            Self::NotAnObject { .. } => "not_an_object",
            Self::NoContent { .. } => "no_content",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the body is empty; send a JSON object, plain or compressed with zlib"),
            Self::NotJson { line, column, reason } => {
                write!(f, "the body is not JSON: {reason} at line {line} column {column}; send one JSON object")
            }
            Self::Truncated => f.write_str(
                "the body ends in the middle of a JSON value; send all of it, with the right Content-Length",
            ),
            Self::NotAnObject { found } => write!(f, "the body is {found}; send one JSON object"),
            Self::NoContent { needed } => write!(f, "the body has no content; send at least one of {needed}"),
        }
    }
}

impl Error for Unreadable {}
