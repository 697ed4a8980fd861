//! The command line of `opbeat`.

mod app;
mod backup;
mod command;
mod import;
mod link;
mod listen;
mod organization;
mod parked;
mod progress;
mod restore;
mod serve;
mod storage;
mod token;

pub use command::Command;
