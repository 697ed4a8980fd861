//! The command line of `opbeat`.

mod app;
mod backup;
mod check_config;
mod command;
mod import;
mod limits;
mod link;
mod log;
mod names;
mod organization;
mod person;
mod progress;
mod queue;
mod remote;
mod repository;
mod restore;
mod serve;
mod settings;
mod storage;
mod token;

pub use command::Command;
