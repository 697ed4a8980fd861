//! The option `--data`, and the store in that folder.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::data_folder::DataFolder;
use crate::store::{Store, StoreAddress};

#[derive(Debug, Args)]
pub(super) struct DataOption {
    /// The folder that holds the database, the queue and all other state.
    #[arg(long, value_name = "DIR", env = "OPBEAT_DATA", default_value = "opbeat-data")]
    pub(super) data: PathBuf,
}

/// Opens the store. A server may run on the same folder.
pub(super) async fn open_store(data: &Path) -> Result<(DataFolder, Store), Box<dyn Error>> {
    let folder = DataFolder::open(data)?;
    let database = match std::env::var("OPBEAT_STORE") {
        Ok(url) => StoreAddress::Postgres(url),
        Err(_) => {
            folder.prepare_database(false)?;
            StoreAddress::file(folder.database())
        }
    };
    let store = Store::open(database, Store::TIME_LIMIT).await?;
    Ok((folder, store))
}
