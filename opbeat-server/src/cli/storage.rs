//! The flags of commands that open the store, and the store that they choose.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;

use super::log;
use super::settings::StoreFlags;
use crate::config::Purpose;
use crate::data_folder::DataFolder;
use crate::server::{self, ServerConfig};
use crate::store::Store;

/// The flags of a command that opens the store.
#[derive(Debug, Args)]
pub(super) struct DataOption {
    #[command(flatten)]
    pub(super) data: StoreFlags,
}

/// The place of a server's state, for commands that use it.
#[derive(Debug)]
pub(super) struct Storage {
    /// The data folder, which a server with its own queue has beside PostgreSQL too.
    folder: DataFolder,
    public_url: Option<String>,
}

impl Storage {
    /// Returns the URL at which applications reach the server: the configured one, or the one of the last start.
    pub(super) fn url(&self) -> Option<String> {
        self.public_url.clone().or_else(|| self.folder.url())
    }

    /// Returns the files of unfinished records that were cut off the queue.
    pub(super) fn cut_files(&self) -> Vec<PathBuf> {
        self.folder.cut_files()
    }
}

/// Opens the store, and starts the log. A server may run on the same folder.
pub(super) async fn open_store(flags: &StoreFlags) -> Result<(Storage, Store), Box<dyn Error>> {
    let settings = flags.load(Purpose::Command)?.settings;
    log::start(&settings.log);
    let ServerConfig { data, store, public_url, page_timeout, .. } = settings.server;
    let folder = DataFolder::existing(&data);
    let store = server::open_store(store.as_deref(), &data, page_timeout).await?;
    Ok((Storage { folder, public_url: public_url.map(|url| url.to_string()) }, store))
}
