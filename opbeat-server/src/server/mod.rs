//! The server: all its parts in one process.

mod endpoints;
mod health;
mod http;
mod listener;
mod metrics;
mod origins;
mod progress;
mod register;
mod running;
mod settings;
mod sites;
mod tls;
mod tokens;
mod unread_body;

pub use health::HealthLimits;
pub use listener::ConnectionLimits;
pub(crate) use origins::change_origins;
pub use register::{AppCredentials, NameError, RegisterError};
pub(crate) use register::{create_app, create_read_token};
pub use running::{Server, ServerConfig, StartError};
pub(crate) use settings::change_settings;
pub use tls::{TlsError, TlsFiles};
pub(crate) use tokens::{list_tokens, revoke_token};
