//! Spans of tokio-postgres' queries.
//!
//! Wrap the client once, and use the wrapper instead:
//!
//! ```no_run
//! # async fn connect() -> Result<(), tokio_postgres::Error> {
//! use opbeat_instrument::tokio_postgres::Client;
//! use tokio_postgres::NoTls;
//!
//! let (client, connection) = tokio_postgres::connect("host=localhost user=shop", NoTls).await?;
//! tokio::spawn(connection);
//! let client = Client::new(client);
//! let rows = client.query("SELECT title FROM books WHERE id = $1", &[&7]).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Clients of pools such as deadpool-postgres and bb8-postgres stay what they are. Their queries are recorded through
//! [`timed`]:
//!
//! ```no_run
//! # async fn list(client: &tokio_postgres::Client) -> Result<(), tokio_postgres::Error> {
//! use opbeat_instrument::tokio_postgres::timed;
//!
//! let rows = timed(&client).query("SELECT title FROM books", &[]).await?;
//! # Ok(())
//! # }
//! ```
//!
//! A span contains the statement with placeholders and the number of rows; parameters are never part of it.

mod client;
mod queries;
mod query;
mod run;
mod timed;
mod transaction;

pub use client::Client;
pub use query::{Query, Statement};
pub use timed::{Timed, timed};
pub use transaction::Transaction;
