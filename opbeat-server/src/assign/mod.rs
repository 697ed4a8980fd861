//! Assigns new errors to the authors of the last changes to the lines that failed.
//!
//! ```text
//! new groups ─► first error: frames, revision ─► opbeat-repository: author ─► member by e-mail or alias ─► assignment
//!                                                        │ none: with the reason        │ none: with the reason
//!                                                        └──────────► team of the app, or nobody
//! ```
//!
//! Each group is looked at once, and again when a repository is connected or fetched for the first time. An error whose
//! revision is not in the clone waits for one fetch. The decision of a person is never changed.

mod look;
mod rounds;

pub(crate) use rounds::assign_due;
