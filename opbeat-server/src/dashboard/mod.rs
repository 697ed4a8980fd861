//! The pages, rendered on the server: no build step, no script, and all values escaped.

mod access;
mod chart;
mod cookies;
mod forged;
pub(crate) mod format;
mod forms;
mod layout;
mod pages;
mod path;
mod problem;
mod router;

pub(crate) use access::{Dashboard, Ways};
pub(crate) use router::router;
