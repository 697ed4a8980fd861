//! Reads Git repositories for a server: the commits of a release, and the author of the last change to a failing line.
//!
//! - [`Clones`] keeps bare clones of remote repositories in a folder, within a time and a size.
//! - [`Repository`] reads a clone, or a repository on this machine, without a change to it.
//! - [`Repository::commits`] lists the commits between two revisions.
//! - [`Repository::blame`] finds the last change to one line.
//! - [`Repository::assign`] finds the person whose change is the deepest frame of an error.
//!
//! All functions that read a repository or a network **block**. Call them from a thread that may block, such as
//! `tokio::task::spawn_blocking`. Each of them has a [`Budget`]: a time, and a flag that interrupts it.
//!
//! The crate starts no process, reads no configuration outside the repository, and runs no hook, filter or credential
//! helper. A hostile repository costs at most its budget.
#![forbid(unsafe_code)]

mod assign;
mod blame;
mod budget;
mod clones;
mod commits;
mod diff;
mod error;
mod objects;
mod paths;
mod people;
mod renames;
mod repository;
mod tree;

pub use assign::{Assignment, Frame, Outcome, Skipped, Unassigned};
pub use blame::{Blame, BlameMode, Blamed, Reason};
pub use budget::{Budget, Limits};
pub use clones::{Access, Clones, Credentials, Fetched, Remote, is_public};
pub use commits::{Commit, Reference, ReferenceKind, ReleaseCommits};
pub use error::Error;
pub use people::{People, Person};
pub use repository::Repository;
