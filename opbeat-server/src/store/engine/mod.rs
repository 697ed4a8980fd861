//! The engines of the store: SQLite in this process, or PostgreSQL.
//!
//! The other modules of the store are written once. Their statements have the form that both engines understand, with
//! `?` for values, and the few words that differ are translated here.
//!
//! ```text
//! Query ─► Connection ─┬─► rusqlite        a file
//!    │                 └─► tokio-postgres  a server
//!    └─► Pool: connections that wait for work, on threads that may block
//! ```

mod address;
mod builder;
mod connection;
mod encryption;
mod error;
mod pool;
mod postgres;
mod query;
mod row;
mod sqlite;
mod threads;
mod value;

pub(super) use address::Purpose;
#[cfg(test)]
pub(crate) use address::SqliteFile;
pub(crate) use address::StoreAddress;
pub(super) use builder::QueryBuilder;
pub(crate) use connection::Connection;
pub(super) use connection::Engine;
pub(crate) use error::{Error, Kind};
pub(super) use pool::{Opening, Pool};
pub(crate) use query::query;
pub(crate) use row::Row;
pub(crate) use value::Value;
