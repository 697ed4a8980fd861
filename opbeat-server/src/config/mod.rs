//! The configuration: one table of keys, and the file, the variables and the flags that set them.
//!
//! ```text
//! defaults ─► opbeat.toml ─► variables ─► flags ─► contradictions? ─► ServerConfig
//! ```
//!
//! A key is one row of [`KEYS`]. The file, the variables, the flags, the check and the documentation derive from it.

mod contradictions;
mod file;
mod forms;
mod key;
mod keys;
mod load;
mod loaded;
mod mistake;
mod number;
mod settings;
mod suggest;
mod variables;

pub(crate) use key::Key;
pub(crate) use keys::KEYS;
pub(crate) use load::{Flags, load};
pub(crate) use loaded::Loaded;
pub(crate) use mistake::Mistakes;
pub(crate) use settings::Purpose;
pub(crate) use variables::Variables;
