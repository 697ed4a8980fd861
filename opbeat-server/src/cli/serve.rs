//! `opbeat serve`

use std::error::Error;
use std::net::SocketAddr;

use clap::Args;
use tokio::signal;

use super::Data;
use crate::server::{Server, ServerConfig};

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    data: Data,
    /// The address to listen on.
    ///
    /// Pages are open to whoever sits at this machine while it is a loopback address; else they ask for a read token.
    #[arg(long, value_name = "ADDR", env = "OPBEAT_LISTEN", default_value = "127.0.0.1:8200")]
    listen: SocketAddr,
}

impl Serve {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let config = ServerConfig::new(&self.data.data, self.listen);
        let server = Server::start(config).await?;
        println!("Opbeat listens on {}", server.url());
        println!("State lies in {}", self.data.data.display());
        println!("Next: `opbeat app create acme/shop` prints what an application needs to report here.");
        stop_signal().await?;
        tracing::info!("stops");
        server.shut_down().await;
        Ok(())
    }
}

/// Waits for SIGINT or SIGTERM.
#[cfg(unix)]
async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
async fn stop_signal() -> std::io::Result<()> {
    signal::ctrl_c().await
}
