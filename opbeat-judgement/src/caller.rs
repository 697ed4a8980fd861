//! The application's line that runs what a cause names.

/// A line of the application, and its last change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The line, such as `src/books.rs:118`.
    pub line: String,
    /// The last change of the line, if it is known.
    pub change: Option<LastChange>,
}

/// The last change of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastChange {
    /// The author's name.
    pub author: String,
    /// The first release that contains the change, such as `R#42`, if it is known.
    pub release: Option<String>,
}
