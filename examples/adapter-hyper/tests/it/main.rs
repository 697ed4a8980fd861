//! The adapter on a real port, against the table that all adapters pass.

mod app;
mod behaviour;
mod limits;
