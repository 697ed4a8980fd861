//! Random ids and tokens, and hexadecimal digits.

/// Returns random bytes from the system, in hexadecimal.
///
/// # Panics
///
/// Panics if the system has no source of randomness: no secret can be generated without it.
#[must_use]
pub(crate) fn random_hex<const BYTES: usize>() -> String {
    hex(&random::<BYTES>())
}

/// Returns random bytes from the system.
///
/// # Panics
///
/// Panics if the system has no source of randomness.
#[must_use]
pub(crate) fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    bytes
}

/// Returns bytes in hexadecimal.
#[must_use]
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the bytes of 64 hexadecimal digits, or `None` if a text is something else.
#[must_use]
pub(crate) fn parse_hex(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}

/// Writes 32 bytes as hexadecimal digits in JSON, for `#[serde(with)]`.
pub(crate) mod hex_array {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the digits.
    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::hex(bytes))
    }

    /// Reads 64 digits.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let digits = String::deserialize(deserializer)?;
        super::parse_hex(&digits).ok_or_else(|| D::Error::custom("a hash has 64 hexadecimal digits"))
    }
}
