//! Reading rules that the bodies share.

use serde::{Deserialize, Deserializer};

/// Reads `null` as the type's default, since agents write both for "nothing".
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
