//! The command line of `opbeat`.

mod app;
mod check_config;
mod command;
mod limits;
mod link;
mod log;
mod organization;
mod queue;
mod serve;
mod settings;
mod storage;
mod token;

pub use command::Command;
