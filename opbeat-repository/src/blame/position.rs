//! A line in the history.

use gix::ObjectId;
use gix::bstr::BString;

use crate::tree::Trail;

/// A line of a file in a commit. `line` starts at 0.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    pub(crate) commit: ObjectId,
    pub(crate) path: BString,
    pub(crate) line: usize,
}

/// The file of a position, with the folders that lead to it.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) commit: ObjectId,
    pub(crate) path: BString,
    pub(crate) trail: Trail,
}
