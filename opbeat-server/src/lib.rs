//! The Opbeat server: stores what agents report, and shows the performance and the errors of web applications.
//!
//! ```text
//! agents ─► intake ─► decode ─► interpret ─► queue ─► worker ─► store ─► query ─► dashboard, api
//! ```
//!
//! The binary `opbeat` runs [`Command`]. [`Server`] embeds the same server into another program, such as a test.

mod api;
mod assign;
mod assignment;
mod audit;
mod boxed;
mod changes;
mod cli;
mod config;
mod dashboard;
mod data_folder;
mod decode;
mod directory;
mod error_status;
mod framework_rejection;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod identity;
mod intake;
mod interpret;
mod judge;
mod mcp;
mod names;
mod notification;
mod notify;
mod occasional;
mod openid_connect;
mod otlp;
mod passwords;
mod people;
mod query;
mod queue;
mod random;
mod repositories;
mod result_class;
mod role;
mod server;
mod service_directory;
mod sessions;
mod site;
mod sketch;
mod store;
mod text;
mod triage;
mod trust;
mod worker;

pub use cli::Command;
pub use data_folder::DataFolderError;
pub use intake::IntakeLimits;
pub use names::NameError;
pub use notify::{MailConfig, NotificationConfig};
pub use openid_connect::{OpenIdConnectConfig, SignInConfig};
pub use queue::{QueueAddress, QueueLimits};
pub use repositories::RepositoryLimits;
pub use server::{
    AppCredentials, ConnectionLimits, HealthLimits, ProbeConfig, RegisterError, Retention, Roles, Server, ServerConfig,
    StartError, TlsError, TlsFiles,
};
pub use site::{Network, NetworkError, PublicUrl, PublicUrlError};
