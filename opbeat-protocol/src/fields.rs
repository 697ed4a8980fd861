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

/// Reads `null` as 0, since serde_json writes NaN and infinities as `null`.
pub(super) fn float<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Float::deserialize(deserializer).map(f64::from)
}

/// Reads a list of numbers, in which `null` is 0.
pub(super) fn floats<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let floats: Vec<Float> = or_default(deserializer)?;
    Ok(floats.into_iter().map(f64::from).collect())
}

/// Reads a list of pairs of numbers, in which `null` is 0.
pub(super) fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(f64, f64)>, D::Error> {
    let pairs: Vec<(Float, Float)> = or_default(deserializer)?;
    Ok(pairs.into_iter().map(|(first, second)| (first.into(), second.into())).collect())
}

/// A number that is 0 if it was written as `null`.
#[derive(Clone, Copy)]
pub(super) struct Float(f64);

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|float| Self(float.unwrap_or_default()))
    }
}

impl From<Float> for f64 {
    fn from(float: Float) -> Self {
        float.0
    }
}
