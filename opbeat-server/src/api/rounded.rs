//! Answers with figures that the store added up.

use std::io;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::ser::Formatter;

/// The number of significant decimal digits of a figure.
const DIGITS: i32 = 10;

/// An answer in JSON whose fractions have at most ten significant digits.
///
/// The last digits of a sum depend on the order of its parts, which differs between databases, between plans of one query, and
/// between rows of a minute and of ten minutes. Equal data gives equal answers without them. Values that an application
/// reported do not belong in such an answer: they must stay as they are.
pub(super) struct Rounded<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Rounded<T> {
    fn into_response(self) -> Response {
        let mut body = Vec::new();
        match self.0.serialize(&mut serde_json::Serializer::with_formatter(&mut body, RoundedNumbers)) {
            Ok(()) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}

/// The compact form of JSON, with rounded fractions.
struct RoundedNumbers;

impl Formatter for RoundedNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        serde_json::ser::CompactFormatter.write_f64(writer, rounded(value))
    }
}

fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return value;
    }
    let digits = DIGITS - 1 - value.abs().log10().floor() as i32;
    let scale = 10_f64.powi(digits.abs());
    // Powers of ten up to 22 are exact, those below one are not.
    let rounded = if digits < 0 { (value / scale).round() * scale } else { (value * scale).round() / scale };
    if rounded.is_finite() { rounded } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_do_not_show_the_order_of_a_sum() {
        let (forth, back) = (0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1);
        assert!(forth != back && rounded(forth) == 0.6 && rounded(back) == 0.6);
        assert_eq!(rounded(1_234_567.890_123_4), 1_234_567.89);
        assert_eq!(rounded(-1_234_567_890_123.0), -1_234_567_890_000.0);
        assert_eq!(rounded(2.0 / 3.0), 0.666_666_666_7);
    }

    #[test]
    fn every_number_stays_finite_and_near() {
        for value in [0.0, -0.0, 1.0, 1e-300, 1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324, -42.5] {
            let rounded = rounded(value);
            assert!((rounded - value).abs() <= value.abs() * 1e-9, "{value}: {rounded}");
        }
    }
}
