//! The server: all its parts in one process.

mod http;
mod origins;
mod register;
mod running;

pub(crate) use origins::change_origins;
pub use register::{AppCredentials, NameError, RegisterError};
pub(crate) use register::{create_app, create_read_token};
pub use running::{Server, ServerConfig, StartError};
