//! Sessions: browsers that may see the pages.
//!
//! ```text
//! sign-in link of this run    ─► session in memory    ─► all organizations
//! e-mail address and password ─► session in the store ─► the organizations of the person, with a role in each
//! read token                  ─► session in the store ─► its organization
//! ```
//!
//! A cookie contains a session's random id. The server keeps the SHA-256 of ids and tokens only.

mod attempts;
mod forms;
mod handle;

pub(crate) use forms::FormSource;
pub(crate) use handle::{Rejected, SessionSource, Sessions};
