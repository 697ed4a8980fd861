//! A short job. With the argument `exit`, it ends by `std::process::exit`, without `shutdown`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use opbeat_core::Agent;

fn main() -> ExitCode {
    let agent = Agent::from_env();
    let transaction = agent.begin_transaction("task.report");
    transaction.run(|| { /* … */ });
    transaction.end("shop.report", "ok");
    if std::env::args().nth(1).as_deref() == Some("exit") {
        std::process::exit(0);
    }

    let started = Instant::now();
    match agent.shutdown(Duration::from_secs(2)) {
        Ok(()) => {
            println!("delivered in {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
