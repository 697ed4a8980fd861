//! `opbeat serve`

use std::error::Error;
use std::io::Write;
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
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        // Before anybody knows that the server runs, so that no signal comes too early.
        let stop = stop_signal()?;
        let config = ServerConfig::new(&self.data.data, self.listen);
        let server = Server::start(config).await?;
        // Whoever reads it may have closed the pipe after the first line, which must not stop the server.
        let _ = write!(
            std::io::stdout(),
            "Opbeat listens on {}\nState lies in {}\n\
             Next: `opbeat app create acme/shop` prints what an application needs to report here.\n",
            server.url(),
            self.data.data.display()
        );
        stop.await;
        tracing::info!("stops");
        server.shut_down().await;
        Ok(())
    }
}

/// Asks for SIGINT and SIGTERM, and returns what waits for one of them.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns what waits for Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
