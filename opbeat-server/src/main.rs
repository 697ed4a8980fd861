//! The binary `opbeat`.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use opbeat_server::Command;

/// The allocator of the process. Each request allocates hundreds of small values on one thread, and some of them are
/// freed on another; it returns the memory of a burst to the system.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the command's output")]
async fn main() -> ExitCode {
    let command = Command::parse();
    match command.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// Joins the messages of an error and of all its sources.
fn chain(error: &(dyn Error + 'static)) -> String {
    let errors = std::iter::successors(Some(error), |&error| error.source());
    errors.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
