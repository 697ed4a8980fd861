//! The machine that a body comes from.

use serde::{Deserialize, Serialize};

use super::lenient::or_default;

/// The machine that a body comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The machine's host name.
    #[serde(default, deserialize_with = "or_default")]
    pub hostname: String,
}
