//! Spans of Redis commands.
//!
//! Wrap each connection once, and use the wrapper instead:
//!
//! ```no_run
//! # async fn connect() -> redis::RedisResult<()> {
//! use opbeat_instrument::redis::Timed;
//! use redis::AsyncCommands;
//!
//! let client = redis::Client::open("redis://127.0.0.1/")?;
//! let mut connection = Timed::new(client.get_multiplexed_async_connection().await?);
//! let title: String = connection.get("title").await?;
//! # Ok(())
//! # }
//! ```
//!
//! A span contains the name of the command, the number of commands in a pipeline and the number of the database; keys
//! and values are never part of it.

mod command;
mod reply;
mod timed;

pub use timed::Timed;
