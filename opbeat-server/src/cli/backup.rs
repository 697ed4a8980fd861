//! The command `opbeat backup`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use indicatif::HumanBytes;
use jiff::Timestamp;

use super::progress;
use super::storage::DataOption;
use crate::config::Purpose;
use crate::data_folder::DataFolder;
use crate::server::ServerConfig;
use crate::store::{Check, NewFile};

/// The size of a page of the database, in bytes, which is SQLite's default.
const PAGE: u64 = 4_096;

/// Saves the database to one file, also while a server runs.
///
/// The file has everything that is stored when the command begins. Data that was accepted and not stored yet is not in
/// the file: it is in the queue of the data folder, and the running server stores it. `opbeat restore` puts the file
/// back. With `--store`, the command prints how to save a database of PostgreSQL.
#[derive(Debug, Args)]
pub(super) struct Backup {
    #[command(flatten)]
    data: DataOption,
    /// The file to write, or an existing folder for it. Default: `opbeat-YYYY-MM-DDTHHMMSS.sqlite` in the current folder,
    /// with the time in UTC.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

impl Backup {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let name = format!("opbeat-{}", Timestamp::now().strftime("%Y-%m-%dT%H%M%S"));
        let ServerConfig { data, store, .. } = self.data.data.load(Purpose::Command)?.settings.server;
        if let Some(url) = &store {
            refuse(&name, url);
        }
        let name = format!("{name}.sqlite");
        let target = match self.to {
            Some(folder) if folder.is_dir() => folder.join(name),
            Some(file) => file,
            None => name.into(),
        };
        refuse_existing(&target)?;
        let database = DataFolder::existing(&data).database();
        if !database.exists() {
            let data = data.display();
            return Err(format!("there is no database in the data folder {data}; choose the folder with --data").into());
        }

        let started = Instant::now();
        let cannot = |error| format!("cannot write the backup {}: {error}", target.display());
        let file = NewFile::create(&target).map_err(cannot)?;
        let bar = progress::of_bytes("Saving");
        let shown = bar.clone();
        file.fill(&database, move |copied, all| {
            shown.set_length(all * PAGE);
            shown.set_position(copied * PAGE);
        })
        .await?;
        bar.set_message("Checking");
        file.check(Check::Pages).await?;
        refuse_existing(&target)?;
        let size = file.finish().map_err(cannot)?;
        bar.finish_and_clear();
        let seconds = started.elapsed().as_secs_f64();
        println!("Saved {} to {} in {seconds:.1} s.", HumanBytes(size), target.display());
        Ok(())
    }
}

/// A backup never takes the place of a file: a wrong path could be that of the database.
fn refuse_existing(target: &Path) -> Result<(), Box<dyn Error>> {
    if target.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(format!("{} exists already; choose another file with --to", target.display()).into())
}

/// Ends the process with the command that saves a database of PostgreSQL.
fn refuse(name: &str, url: &str) -> ! {
    let message = format!(
        "the data is in PostgreSQL, which has a command of its own for this; run:\n\n  \
         pg_dump --format=custom --file={name}.dump '{}'\n\n\
         If the database needs a password, put it into the variable PGPASSWORD or the file ~/.pgpass.\n",
        without_password(url)
    );
    clap::Error::raw(clap::error::ErrorKind::ArgumentConflict, message).exit()
}

/// Returns a URL without its password and its parameters, which can contain one.
fn without_password(url: &str) -> String {
    let url = url.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return "the URL of --store".to_owned() };
    let Some((user, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_printed() {
        let printed = [
            ("postgres://opbeat:secret@db:5432/opbeat", "postgres://opbeat@db:5432/opbeat"),
            ("postgres://opbeat:se@cr/et@db/opbeat", "postgres://opbeat@db/opbeat"),
            ("postgres://db/opbeat?user=opbeat&password=secret", "postgres://db/opbeat"),
            ("host=db password=secret", "the URL of --store"),
        ];
        for (url, expected) in printed {
            assert_eq!(without_password(url), expected);
        }
    }
}
