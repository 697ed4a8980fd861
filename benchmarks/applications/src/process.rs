//! A running copy of an application.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failed;
use crate::application::Application;
use crate::files;
use crate::folders::{Copy, Folders};
use crate::names;

/// The time in which an application must start.
const STARTUP: Duration = Duration::from_secs(20);

/// A process of an application, which is stopped when this value is dropped.
pub struct Running {
    process: Child,
    address: SocketAddr,
}

impl Running {
    /// Starts a copy of an application and waits until it accepts connections.
    pub fn start(application: &Application, copy: Copy, folders: &Folders, server: &str) -> Result<Self, Failed> {
        let package = folders.package(application, copy);
        let folder = folders.run(application, copy);
        prepare(&package, &folder)?;
        let address = free_address()?;
        let log_path = folders.log(application, copy);
        log_path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let log = File::create(&log_path)?;
        let mut command = Command::new(folders.target().join("debug").join(names::binary(&package)?));
        command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.env("LISTEN", address.to_string()).envs(settings(server));
        let mut running = Self { process: command.spawn()?, address };
        running.wait().map_err(|failed| format!("{failed}; its output is in {}", log_path.display()))?;
        Ok(running)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn wait(&mut self) -> Result<(), Failed> {
        let deadline = Instant::now() + STARTUP;
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("the application stopped at its start, with {status}").into());
            }
            if Instant::now() > deadline {
                return Err(format!("the application does not listen on {} after {STARTUP:?}", self.address).into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An application that has already stopped cannot be killed.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Copies the application's files into an empty folder: some applications write files or do not start twice.
fn prepare(package: &Path, folder: &Path) -> io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    files::copy_folder(package, folder, &[])
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Returns the environment of the agent, and of the examples that need one.
fn settings(server: &str) -> [(&'static str, &str); 6] {
    [
        ("OPBEAT_ORGANIZATION_ID", "organization"),
        ("OPBEAT_APP_ID", "app"),
        ("OPBEAT_SECRET_TOKEN", "token"),
        ("OPBEAT_SERVER_URL", server),
        ("OPBEAT_FLUSH_INTERVAL", "0.05"),
        ("JWT_SECRET", "secret"),
    ]
}
