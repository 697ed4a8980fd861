//! The log on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts to write the lines that a filter selects. `rmcp` would add several lines to each call of an assistant.
pub(super) fn start(filter: &str) {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("lapin=off,rmcp=error,{filter}")))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
