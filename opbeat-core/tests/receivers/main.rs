//! Receivers of OTLP that this project did not write: OpenTelemetry's types for Python and for JavaScript, and Arize
//! Phoenix. `install.sh` installs them, and the tests run it.

#![expect(clippy::unwrap_used, reason = "test code")]

mod javascript;
mod phoenix;
mod program;
mod python;
mod shop;
