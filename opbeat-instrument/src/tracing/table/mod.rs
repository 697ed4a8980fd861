//! The table of spans and events that the bridge shows.

mod clients;
mod databases;
mod pattern;
mod row;
mod table_of_rows;

pub use row::Row;
pub(super) use row::{Action, Kind, MAX_FIELDS, Meaning, Signature};
pub(super) use table_of_rows::{Entry, Table};
