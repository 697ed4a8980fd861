//! The binary `opbeat`.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use opbeat_server::Command;

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
