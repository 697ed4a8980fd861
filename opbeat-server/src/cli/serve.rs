//! The commands that run a server: `opbeat serve`, `opbeat intake`, `opbeat worker` and `opbeat web`.

use std::error::Error;
use std::io::Write;

use clap::Args;
use tokio::signal;

use super::log;
use super::settings::ServerFlags;
use crate::config::Purpose;
use crate::server::{Roles, Server, ServerConfig};

/// The flags of a server.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    flags: ServerFlags,
    /// Begins with an empty database if its file is missing, although the data folder was used before.
    ///
    /// Without this option, such a server accepts data with the tokens that it knows, and keeps the data in the queue
    /// until the file is restored.
    #[arg(long)]
    create_database: bool,
}

impl Serve {
    /// Runs a server until a signal stops it.
    pub(super) async fn run(self, purpose: Purpose) -> Result<(), Box<dyn Error>> {
        let mut settings = self.flags.load(purpose)?.settings;
        settings.server.create_database = self.create_database;
        log::start(&settings.log);
        // The handlers are installed before the server announces itself, so that no signal is missed.
        let stop = stop_signal()?;
        let server = Server::start(settings.server.clone()).await?;
        // An error is ignored: a reader that closes the pipe after the first line must not stop the server.
        let _ = std::io::stdout().write_all(announcement(&server, &settings.server).as_bytes());
        stop.await;
        tracing::info!("stopping: running requests are finished, and queued data is stored for at most 10 s");
        server.shut_down().await;
        Ok(())
    }
}

/// Returns the lines that a server prints after its start.
fn announcement(server: &Server, config: &ServerConfig) -> String {
    let mut lines = vec![format!("Opbeat listens on {}", server.local_urls().join(", "))];
    if config.needs_data_folder() {
        lines.push(format!("Data folder: {}", config.data.display()));
    }
    if config.roles.web {
        lines.push(format!("Sign in: {}", server.sign_in_url()));
        let again = if config.needs_data_folder() { "; `opbeat link` prints it again" } else { "" };
        lines.push(format!("The link is valid while this server runs{again}."));
    }
    if config.roles == Roles::ALL {
        lines.push(
            "Next: run `opbeat app create acme/shop`, which prints the environment variables that an application \
             needs to report here."
                .to_owned(),
        );
    }
    lines.join("\n") + "\n"
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
