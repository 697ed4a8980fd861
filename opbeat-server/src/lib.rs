//! The Opbeat server: takes what agents send, keeps it, and shows where a web application is slow and what fails in it.

pub mod sketch;
pub mod store;
