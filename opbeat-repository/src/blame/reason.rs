//! The reasons for which a line has no author.

/// The reason for which a line, a frame or an error has no author. The text is a part of a sentence:
/// "`src/orders.rs` is in more than one folder of the repository".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// No frame is marked as the application's.
    #[error("no frame of the error belongs to the application")]
    NoApplicationFrame,
    /// The revision is not in the repository.
    #[error("the deployed revision {revision} is not in the repository")]
    UnknownRevision {
        /// The revision as given, at most 200 characters.
        revision: String,
    },
    /// The path leaves the application's folder.
    #[error("the path leads out of the repository")]
    PathOutside,
    /// No file of the revision has this path.
    #[error("the file is not in the repository at the deployed revision")]
    NotInTree,
    /// Several files have the same end of the path.
    #[error("{files} files of the repository match this path")]
    Ambiguous {
        /// The number of files.
        files: usize,
    },
    /// The file has the same name, but is in another folder.
    #[error("only the file's name matches {path}, in another folder")]
    OnlyNameMatches {
        /// The file of the repository.
        path: String,
    },
    /// The revision has more files than the limit.
    #[error("the repository has too many files to find this one")]
    TreeTooLarge,
    /// The file belongs to a dependency, or a tool writes it.
    #[error("the file belongs to a dependency or is written by a tool")]
    Vendored,
    /// The frame has no line.
    #[error("the frame has no line number")]
    NoLine,
    /// The file has fewer lines.
    #[error("the file has only {lines} lines at the deployed revision: the deployed code is another one")]
    LineBeyondEnd {
        /// The lines of the file.
        lines: usize,
    },
    /// The source line of the report is not the line of the file.
    #[error("the line differs from the reported source: the deployed code is another one")]
    SourceDiffers,
    /// The file is larger than the limit.
    #[error("the file is too large to be blamed")]
    FileTooLarge,
    /// The file is not a text.
    #[error("the file is not a text")]
    Binary,
    /// A program made the last change.
    #[error("{name} made the last change, which is a program")]
    Bot {
        /// The name of the program.
        name: String,
    },
    /// The repository is a shallow clone.
    #[error("the repository is a shallow clone, and the last change is older")]
    HistoryCut,
    /// The history has more commits than the limit.
    #[error("the last change is more than {commits} commits away")]
    TooDeep {
        /// The limit.
        commits: usize,
    },
    /// The time of the budget was over before the last change was found.
    #[error("the last change was not found within {milliseconds} ms")]
    Budget {
        /// The time of the budget, in milliseconds.
        milliseconds: u128,
    },
    /// A folder or a commit of the history is larger than the limit.
    #[error("a folder or a commit in its history is too large to be read")]
    HistoryTooLarge,
    /// A commit may have moved the line from another place.
    #[error("{commit} may have moved the line from another place")]
    MaybeMoved {
        /// The abbreviated hash.
        commit: String,
    },
    /// A commit that is listed in `.git-blame-ignore-revs` rewrote the line.
    #[error("{commit}, a commit to be ignored, changed the line too much to look through it")]
    IgnoredCommit {
        /// The abbreviated hash.
        commit: String,
    },
}

/// Returns the first characters of a hash, as Git shows it.
pub(crate) fn short(hash: &str) -> &str {
    hash.get(..7).unwrap_or(hash)
}
