//! Bounds on the measurements.

use std::process::ExitCode;

/// A bound, and whether it holds.
#[derive(Clone, Debug)]
pub struct Bound {
    sentence: String,
    holds: bool,
}

impl Bound {
    /// The condition and the measurement.
    pub fn new(sentence: impl Into<String>, holds: bool) -> Self {
        Self { sentence: sentence.into(), holds }
    }
}

/// Prints the bounds. Returns failure if one does not hold.
pub fn verdict(bounds: &[Bound]) -> ExitCode {
    for Bound { sentence, holds } in bounds {
        println!("- {}: {sentence}", if *holds { "holds" } else { "DOES NOT HOLD" });
    }
    if bounds.iter().all(|bound| bound.holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
