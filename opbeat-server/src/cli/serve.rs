//! The command `opbeat serve`.

use std::error::Error;
use std::io::Write;

use clap::Args;
use tokio::signal;

use super::listen::ListenOptions;
use super::storage::DataOption;
use crate::server::{Server, ServerConfig};

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    data: DataOption,
    #[command(flatten)]
    listen: ListenOptions,
    /// The number of requests that the browsers of one app may send in a second, without a token. Twice as many may
    /// arrive at once.
    #[arg(long, value_name = "N", env = "OPBEAT_CLIENT_SIDE_RATE", default_value_t = 100)]
    client_side_rate: u32,
    /// Begins with an empty database if its file is missing, although the data folder was used before.
    ///
    /// Without this option, such a server accepts data with the tokens that it knows, and keeps the data in the queue
    /// until the file is restored.
    #[arg(long)]
    create_database: bool,
}

impl Serve {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        // The handlers are installed before the server announces itself, so that no signal is missed.
        let stop = stop_signal()?;
        let mut config = ServerConfig::new(&self.data.data, self.listen.first());
        self.listen.apply(&mut config);
        config.intake.client_side_rate = self.client_side_rate;
        config.intake.client_side_burst = self.client_side_rate.saturating_mul(2);
        config.create_database = self.create_database;
        let server = Server::start(config).await?;
        // An error is ignored: a reader that closes the pipe after the first line must not stop the server.
        let _ = write!(
            std::io::stdout(),
            "Opbeat listens on {}\nData folder: {}\n\
             Sign in: {}\n\
             The link is valid while this server runs; `opbeat link` prints it again.\n\
             Next: run `opbeat app create acme/shop`, which prints the environment variables that an application \
             needs to report here.\n",
            server.url(),
            self.data.data.display(),
            server.sign_in_url()
        );
        stop.await;
        tracing::info!("stopping: running requests are finished, and queued data is stored for at most 10 s");
        server.shut_down().await;
        Ok(())
    }
}

/// Installs handlers for SIGINT and SIGTERM, and returns a future that waits for either.
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

/// Returns a future that waits for Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
