//! The last change to a line.

mod history;
mod moves;
mod position;
mod reason;
mod rewrites;

pub use reason::Reason;
pub(crate) use reason::short;

pub(crate) use history::History;
pub(crate) use position::Position;

use crate::Person;

/// The changes that count as a change of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BlameMode {
    /// Every change, as in `git blame`. Renamed files are followed.
    Plain,
    /// Changes of the content only. The commits of `.git-blame-ignore-revs`, changes of layout, and moves of code to
    /// another place are looked through. An uncertain case gives a [`Reason`] and no author.
    LastChange,
}

/// The last change to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blame {
    /// The author, after `.mailmap`.
    pub author: Person,
    /// The full hash of the commit.
    pub commit: String,
    /// The time of the change, in seconds since 1970.
    pub time: i64,
    /// The first line of the commit's message, at most 200 characters.
    pub subject: String,
    /// The path of the file in that commit.
    pub path: String,
    /// The line in that commit, from 1.
    pub line: u32,
}

/// The result of a blame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blamed {
    /// The last change.
    Changed(Blame),
    /// The last change cannot be found, or not with certainty.
    Unclear(Reason),
}
