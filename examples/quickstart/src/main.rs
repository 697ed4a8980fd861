//! A monitored bookshop: an axum application, an actix service, a server on hyper alone, and the Opbeat server.
//!
//! The shop has a simulated past of a day, and its code is in a Git repository that the program makes.
//!
//! `cargo run -p quickstart` runs it under a light load until Ctrl-C. `cargo run -p quickstart -- --check` runs it for
//! a few seconds, and fails unless every request is counted exactly once.

mod arguments;
mod check;
mod code;
mod covers;
mod ledger;
mod load;
mod monitor;
mod past;
mod prices;
mod shop;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use arguments::Arguments;
use ledger::Ledger;
use load::Load;
use monitor::Monitor;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// The error type of a program that only prints its errors.
type BoxError = Box<dyn Error + Send + Sync>;

/// The time for which `--check` sends requests.
const CHECK: Duration = Duration::from_secs(8);

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the program's output")]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, BoxError> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    log_to_terminal(&arguments);
    let ledger = Ledger::default();
    let monitor = Monitor::start(&arguments).await?;
    let prices = prices::start(monitor.agent("prices")).await?;
    let covers = covers::start(monitor.agent("covers")).await?;
    let shop = shop::start(monitor.agent("shop"), &ledger, prices, covers).await?;
    let newsletter = tokio::spawn(shop::newsletter(monitor.agent("shop").clone(), ledger.clone()));
    let load = Load::new(shop, ledger.clone(), arguments.pause());
    if arguments.check {
        load.run_for(CHECK).await;
        newsletter.abort();
        // The job counts each newsletter before it begins, so the ledger has those of the aborted job too.
        let _ = newsletter.await;
        return check::run(monitor, &ledger).await;
    }
    announce(&monitor, shop);
    tokio::select! {
        () = load.run_for(Duration::MAX) => {}
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    monitor.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Logs to the terminal. The panics that the shop causes on purpose are not printed.
fn log_to_terminal(arguments: &Arguments) {
    let filter = if arguments.check { "error,opbeat=warn" } else { "warn,opbeat=info" };
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let terminal = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(is_terminal);
    // The filter belongs to the terminal: the bridge shows the queries of sqlx whatever is logged.
    tracing_subscriber::registry()
        .with(terminal.with_filter(EnvFilter::new(filter)))
        .with(opbeat_instrument::tracing::layer())
        .init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        if !place.contains("recommendations.rs") {
            tracing::error!("{panic}");
        }
    }));
}

#[expect(clippy::print_stdout, reason = "the program's output")]
fn announce(monitor: &Monitor, shop: std::net::SocketAddr) {
    println!("\n  Opbeat shows the bookshop. This link signs you in:\n");
    println!("    {}\n", monitor.sign_in_url());
    println!("  The bookshop itself runs at http://{shop}/\n");
    println!(
        "  A light load calls it. Some requests are slow or fail on purpose, and the day before is simulated. Within a"
    );
    println!(
        "  minute, the errors are assigned to authors, and the search is found to be slower since the second release."
    );
    println!("  Stop with Ctrl-C.\n");
}
