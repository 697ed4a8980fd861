//! Transactions, spans and errors of a web application, recorded at next to no cost and sent to Opbeat.

#[cfg(feature = "protocol")]
pub mod protocol;
