//! The server: its roles in one process, or in several.

mod backends;
mod config;
mod endpoints;
mod health;
mod http;
mod listener;
mod metrics;
mod origins;
mod probe;
mod progress;
mod register;
mod roles;
mod running;
mod settings;
mod sites;
mod start_error;
mod tls;
mod tokens;
mod unread_body;

pub(crate) use backends::open_store;
pub use config::{HealthLimits, ProbeConfig, Retention, Roles, ServerConfig};
pub use listener::ConnectionLimits;
pub(crate) use origins::change_origins;
pub use register::{AppCredentials, RegisterError};
pub(crate) use register::{create_app, create_token};
pub use running::Server;
pub(crate) use settings::change_settings;
pub use start_error::StartError;
pub use tls::{TlsError, TlsFiles};
pub(crate) use tokens::{list_tokens, revoke_token};
