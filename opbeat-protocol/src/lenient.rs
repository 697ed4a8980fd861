//! The reading rule that all bodies share.

use serde::{Deserialize, Deserializer};

/// Reads `null` as the default of the type, since some agents write `null` for an absent value.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
