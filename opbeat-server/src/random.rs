//! Random ids and tokens.

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
