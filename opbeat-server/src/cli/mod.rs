//! The command line of `opbeat`.

mod app;
mod command;
mod organization;
mod serve;
mod storage;
mod token;

pub use command::Command;
