//! Tests on repositories that the `git` command builds. They need `git` on the path.

mod blame;
mod limits;
mod paths;
mod planted;
mod releases;
mod remotes;
mod support;
mod wild;
