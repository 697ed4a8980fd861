//! The command `opbeat restore`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::HumanBytes;
use jiff::Timestamp;

use super::progress;
use super::storage::DataOption;
use crate::config::Purpose;
use crate::data_folder::DataFolder;
use crate::server::ServerConfig;
use crate::store::{Check, NewFile, is_database, remove_beside, set_aside};

/// Makes a backup of `opbeat backup` the database of a data folder.
///
/// No server may run on the folder. Data in the folder's queue that was stored after the backup was made is stored again
/// by the next server, as far as the queue still has it. The rest of the data since the backup is lost.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    data: DataOption,
    /// Replaces the folder's database, which is kept as `opbeat.sqlite.before-restore-` with the time.
    #[arg(long)]
    replace: bool,
}

impl Restore {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let shown = self.file.display();
        match is_database(&self.file) {
            Ok(true) => {}
            Ok(false) => return Err(format!("{shown} is no backup: it is not a database of SQLite").into()),
            Err(error) => return Err(format!("cannot read the backup {shown}: {error}").into()),
        }
        let ServerConfig { data, store, .. } = self.data.data.load(Purpose::Command)?.settings.server;
        if store.is_some() {
            return Err(
                "the data is in PostgreSQL: use pg_restore, or pass `--store none` to restore a data folder".into()
            );
        }
        let folder = DataFolder::open(&data)?;
        let _lock = folder.lock()?;
        let database = folder.database();
        if is_used(&database) && !self.replace {
            let hint = "with --replace, it is kept under another name and the backup replaces it";
            return Err(format!("there is a database already: {}; {hint}", database.display()).into());
        }

        let cannot = |error| format!("cannot restore {}: {error}", database.display());
        let new = NewFile::create(&database).map_err(cannot)?;
        let bar = progress::of_things("Copying pages");
        let shown = bar.clone();
        new.fill(&self.file, move |copied, all| {
            shown.set_length(all);
            shown.set_position(copied);
        })
        .await?;
        bar.set_message("Checking");
        new.check(Check::Everything).await?;
        if is_used(&database) {
            let time = Timestamp::now().strftime("%Y-%m-%dT%H%M%S");
            let kept = format!("{}.before-restore-{time}", database.display());
            set_aside(&database, Path::new(&kept)).await.map_err(cannot)?;
            println!("The database before is kept as {kept}");
        }
        // A log of another database must not be applied to this one.
        remove_beside(&database).map_err(cannot)?;
        let size = new.finish().map_err(cannot)?;
        bar.finish_and_clear();
        println!("Restored {} to {}. Start the server with `opbeat serve`.", HumanBytes(size), database.display());
        Ok(())
    }
}

/// Returns whether a database is there. An interrupted start of a server leaves an empty file.
fn is_used(database: &Path) -> bool {
    fs::metadata(database).is_ok_and(|file| file.len() > 0)
}
