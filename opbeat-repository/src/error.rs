//! The errors of this crate.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A repository could not be read or fetched.
///
/// Messages contain no password: addresses are shown without one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder has no repository.
    #[error("{} is not a Git repository; give the folder that contains .git, or a bare repository", path.display())]
    NotARepository {
        /// The folder.
        path: PathBuf,
    },
    /// The repository has hashes of another kind.
    #[error("{} has SHA-256 or other hashes, which are not supported; connect a repository with SHA-1", path.display())]
    UnsupportedHashes {
        /// The folder.
        path: PathBuf,
    },
    /// The remote repository has not been fetched yet.
    #[error("{url} has not been fetched yet; fetch it first")]
    NotFetched {
        /// The address of the remote repository.
        url: String,
    },
    /// The address has a form that is not supported.
    #[error("cannot use {url} as a repository: {reason}")]
    UnsupportedUrl {
        /// The address.
        url: String,
        /// The reason, and the forms that are supported.
        reason: &'static str,
    },
    /// The host is in a network that the server must not contact.
    #[error(
        "{host} has the private address {address}; allow private addresses if this repository is in your own network"
    )]
    PrivateAddress {
        /// The host of the address.
        host: String,
        /// The address it resolved to.
        address: IpAddr,
    },
    /// The remote did not answer, or not as a Git server does.
    #[error("cannot fetch {url}: {detail}")]
    Unreachable {
        /// The address of the remote repository.
        url: String,
        /// The failure, in the words of the library.
        detail: String,
    },
    /// The remote redirects to another address.
    #[error("{url} redirects to another address; connect the repository with its final address")]
    Redirected {
        /// The address of the remote repository.
        url: String,
    },
    /// The remote asks for a user or a token, or rejects the given ones.
    #[error("{url} requires a user and a token, or rejects the given ones; add a token that may read the repository")]
    AuthenticationRequired {
        /// The address of the remote repository.
        url: String,
    },
    /// The remote sent more than the limit.
    #[error("{url} is larger than the limit of {limit} bytes; raise the limit or connect a smaller repository")]
    TooLarge {
        /// The address of the remote repository.
        url: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The time of the budget is over.
    #[error("the work on the repository did not end within {} ms; try again when the machine is less busy", after.as_millis())]
    TimedOut {
        /// The time of the budget.
        after: Duration,
    },
    /// The flag of the budget was set.
    #[error("the work on the repository was interrupted")]
    Interrupted,
    /// Another process fetches the same repository.
    #[error("another process is fetching {url}; try again when it has finished")]
    Busy {
        /// The address of the remote repository.
        url: String,
    },
    /// No tag, branch or commit has this name.
    #[error("revision {revision} is not in the repository; push it, or fetch again")]
    UnknownRevision {
        /// The revision as given, at most 200 characters.
        revision: String,
    },
    /// Several commits begin with the given abbreviation.
    #[error("revision {revision} stands for several commits; give the full hash")]
    AmbiguousRevision {
        /// The revision as given.
        revision: String,
    },
    /// Two revisions are further apart than the limit.
    #[error("more than {limit} commits are between the two revisions; choose closer ones")]
    TooManyCommits {
        /// The limit.
        limit: usize,
    },
    /// A folder or a commit is larger than the limit.
    #[error("a {kind} of the repository has {size} bytes, which is more than the limit of {limit}; it is not read")]
    ObjectTooLarge {
        /// The kind of the object: `tree` or `commit`.
        kind: String,
        /// Its size, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// An object is missing or cannot be read.
    #[error("the repository is damaged: {detail}")]
    Damaged {
        /// The failure, in the words of the library.
        detail: String,
    },
    /// The folder of the clones cannot be read or written.
    #[error("cannot use {}", path.display())]
    Folder {
        /// The path.
        path: PathBuf,
        /// The failure.
        source: std::io::Error,
    },
}

/// Turns an error of the Git library into [`Error::Damaged`].
pub(crate) fn damaged(error: impl std::fmt::Display) -> Error {
    Error::Damaged { detail: clip(&error.to_string(), 300) }
}

/// Returns `text` on one line, with at most `limit` characters.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect()
}
