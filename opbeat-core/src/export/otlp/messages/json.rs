//! JSON as OTLP writes it: ids in hexadecimal, and 64-bit integers as text.

use std::fmt::{Display, Write};

use serde::Serializer;

/// Writes an id in hexadecimal digits, in lower case.
pub(super) fn hex<S: Serializer>(id: &[u8], to: S) -> Result<S::Ok, S::Error> {
    let mut text = String::with_capacity(2 * id.len());
    for byte in id {
        // A string accepts all writes.
        let _ = write!(text, "{byte:02x}");
    }
    to.serialize_str(&text)
}

/// Writes a 64-bit integer as text, because the numbers of JavaScript have 53 bits.
pub(super) fn text<S: Serializer>(number: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(number)
}

/// Writes several 64-bit integers as text.
pub(super) fn texts<S: Serializer>(numbers: &[u64], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(numbers.iter().map(ToString::to_string))
}

/// Returns whether a number is the default, which is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_zero(number: &u32) -> bool {
    *number == 0
}
