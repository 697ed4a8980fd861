//! The Opbeat server: takes what agents send, keeps it, and shows where a web application is slow and what fails in it.
//!
//! ```text
//! agents ─► intake ─► queue ─► worker ─► store ─► query ─► dashboard, api
//! ```

pub mod api;
mod cli;
pub mod dashboard;
mod data_folder;
mod directory;
mod framework_rejection;
pub mod intake;
pub mod query;
pub mod queue;
mod result_class;
mod server;
pub mod sketch;
pub mod store;
mod text;
mod worker;

pub use cli::Command;
pub use data_folder::DataFolderError;
pub use server::{
    AppCredentials, NameError, RegisterError, Server, ServerConfig, StartError, create_app, create_read_token,
};
