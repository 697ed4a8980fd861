//! The command line of `opbeat`.

mod app;
mod command;
mod limits;
mod link;
mod listen;
mod organization;
mod parked;
mod serve;
mod storage;
mod token;

pub use command::Command;
