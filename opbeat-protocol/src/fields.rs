//! A field that both bodies have, and the reading rule for `null`.

use serde::{Deserialize, Deserializer, Serialize};

/// The machine that a body comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The machine's host name.
    #[serde(default, deserialize_with = "or_default")]
    pub hostname: String,
}

/// Reads `null` as the default of the type, since some agents write `null` for an absent value.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
