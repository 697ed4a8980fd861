//! The commands `opbeat repository connect`, `list`, `remove` and `assign`.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::names::{Names, parse_names};
use super::progress;
use super::storage::DataOption;
use crate::config::Purpose;
use crate::random::random_hex;
use crate::repositories::{Repositories, checked_url};
use crate::server::ServerConfig;
use crate::store::{NewRepository, RepositoryRow, Store};

/// The time between two updates of the progress.
const STEP: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub(super) enum Repository {
    /// Connects a Git repository with an app, and fetches it once to see whether that works.
    ///
    /// New errors are then assigned to the member who changed the failing line last. Open errors without an author are looked
    /// at again. A repository that was connected before is replaced.
    Connect(Connect),
    /// Lists the repositories: app, address, last fetch, `on` or `off` for the assignment, and the last failure.
    List(List),
    /// Disconnects the repository of an app, and removes its clone. Errors that were assigned stay assigned.
    Remove(Remove),
    /// Sets whether new errors of an app are assigned to authors. At first, they are.
    Assign(Assign),
}

#[derive(Debug, Args)]
pub(super) struct Connect {
    /// The names of the organization and the app, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    names: Names,
    /// The address, with https:// or http://, or the path of a repository on this machine.
    #[arg(value_name = "URL")]
    url: String,
    /// The branch, tag or commit in which errors without a release are looked up. Without it, they are not assigned.
    #[arg(long, default_value = "")]
    branch: String,
    /// The folder of the app in the repository, if the repository has several apps.
    #[arg(long, default_value = "", value_name = "PATH")]
    prefix: String,
    /// A file with the token that may read the repository, as `TOKEN` or `USER:TOKEN`. The worker reads it at each fetch.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Allows a host with a private address, such as one in your own network.
    #[arg(long)]
    private_network: bool,
    /// Connects without fetching, for a repository that only the worker's machine can reach.
    #[arg(long)]
    no_fetch: bool,
    #[command(flatten)]
    data: DataOption,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    data: DataOption,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// The names of the organization and the app, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    names: Names,
    #[command(flatten)]
    data: DataOption,
}

#[derive(Debug, Args)]
pub(super) struct Assign {
    /// Whether errors are assigned.
    switch: Switch,
    /// The names of the organization and the app, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    names: Names,
    #[command(flatten)]
    data: DataOption,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Repository {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Connect(connect) => connect.run().await,
            Self::List(list) => list.run().await,
            Self::Remove(remove) => remove.run().await,
            Self::Assign(assign) => assign.run().await,
        }
    }
}

/// Opens the store, with the configuration of the server.
async fn open(data: &DataOption) -> Result<(ServerConfig, Store), Box<dyn Error>> {
    let config = data.data.load(Purpose::Command)?.settings.server;
    let (_, store) = super::storage::open_store(&data.data).await?;
    Ok((config, store))
}

fn no_app(Names { organization, app }: &Names) -> Box<dyn Error> {
    format!("there is no app \"{organization}/{app}\"; `opbeat app create {organization}/{app}` creates it").into()
}

impl Connect {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let token_file = match &self.token_file {
            Some(path) => {
                std::path::absolute(path)?.to_str().ok_or("the path of the token's file is no UTF-8")?.to_owned()
            }
            None => String::new(),
        };
        let is_path = !self.url.contains("://") && std::path::Path::new(&self.url).exists();
        let path = is_path.then(|| std::path::absolute(&self.url)).transpose()?;
        let new = NewRepository {
            url: checked_url(path.as_deref().and_then(std::path::Path::to_str).unwrap_or(&self.url))?,
            token_file,
            branch: self.branch.trim().to_owned(),
            prefix: self.prefix.trim_matches('/').to_owned(),
            allows_private: self.private_network,
        };
        let (config, store) = open(&self.data).await?;
        let names = (&*self.names.organization, &*self.names.app);
        let app_id = store.app_id(names).await?.ok_or_else(|| no_app(&self.names))?;
        if !self.no_fetch {
            fetch(&config, &app_id, &new).await?;
        }
        let now = Timestamp::now().as_microsecond();
        store.connect_repository(names, &new, now).await?.ok_or_else(|| no_app(&self.names))?;
        store.close().await;
        println!("Connected {} with {}/{}. New errors are assigned to authors.", new.url, names.0, names.1);
        Ok(())
    }
}

/// Fetches a repository, into the folder of the server's clones if it is on this machine, and shows the progress.
async fn fetch(config: &ServerConfig, app_id: &str, new: &NewRepository) -> Result<(), Box<dyn Error>> {
    // Without a database in the data folder, the worker may be on another machine, with clones of its own.
    let is_ours = config.store.is_none();
    let data =
        if is_ours { config.data.clone() } else { std::env::temp_dir().join(format!("opbeat-{}", random_hex::<8>())) };
    let repositories = Repositories::new(&data, config.repositories);
    // Ends the fetch when the command is interrupted.
    let _interrupt = repositories.interrupt();
    let (blocking, id, repository) = (repositories.clone(), app_id.to_owned(), new.clone());
    let mut fetching = tokio::task::spawn_blocking(move || blocking.fetch(&id, &repository));
    let bar = progress::of_any_bytes("Fetching");
    let mut steps = tokio::time::interval(STEP);
    let fetched = loop {
        tokio::select! {
            fetched = &mut fetching => break fetched,
            _ = steps.tick() => bar.set_position(repositories.received()),
        }
    };
    bar.finish_and_clear();
    if !is_ours {
        // If it fails, the operating system removes it later.
        let _ = std::fs::remove_dir_all(&data);
    }
    Ok(fetched??)
}

impl List {
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (_, store) = open(&self.data).await?;
        let repositories = store.repositories().await?;
        store.close().await;
        if repositories.is_empty() {
            eprintln!("No repository is connected. `opbeat repository connect ORG/APP URL` connects one.");
        }
        for RepositoryRow { app, repository, assigns_authors, last_fetched_at, last_error, .. } in repositories {
            let fetched = last_fetched_at.and_then(|at| Timestamp::from_microsecond(at).ok());
            let fetched = fetched.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
            let switch = if assigns_authors { "on" } else { "off" };
            let error = if last_error.is_empty() { "-" } else { &last_error };
            println!("{app}\t{}\t{fetched}\t{switch}\t{error}", repository.url);
        }
        Ok(())
    }
}

impl Remove {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (config, store) = open(&self.data).await?;
        let Names { organization, app } = &self.names;
        let removed = store.disconnect_repository((organization, app)).await?;
        store.close().await;
        let app_id = removed.ok_or_else(|| format!("{organization}/{app} has no repository"))?;
        Repositories::new(&config.data, config.repositories).remove(&app_id)?;
        println!("Disconnected the repository of {organization}/{app}.");
        Ok(())
    }
}

impl Assign {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (_, store) = open(&self.data).await?;
        let Names { organization, app } = &self.names;
        let is_on = matches!(self.switch, Switch::On);
        let is_known = store.set_assigns_authors((organization, app), is_on).await?;
        store.close().await;
        if !is_known {
            return Err(no_app(&self.names));
        }
        let not = if is_on { "" } else { "not " };
        println!("New errors of {organization}/{app} are {not}assigned to authors.");
        Ok(())
    }
}
