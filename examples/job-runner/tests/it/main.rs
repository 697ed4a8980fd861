//! The job runner's adapter against the table that all such adapters pass.

mod behaviour;
