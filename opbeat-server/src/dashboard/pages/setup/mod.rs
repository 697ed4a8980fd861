//! How an application is connected: the page of an app that waits for its first data, and the same steps afterwards.

mod page;
mod program;
mod steps;

pub(in crate::dashboard) use page::setup;
pub(super) use page::waiting;
