//! The middleware in a real application on a real port.

mod app;
mod behaviour;
