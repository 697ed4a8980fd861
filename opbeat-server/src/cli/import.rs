//! The command `opbeat import`.

use std::error::Error;
use std::time::Instant;

use clap::Args;
use indicatif::HumanCount;

use super::progress;
use super::storage::DataOption;
use crate::config::Purpose;
use crate::data_folder::{DataFolder, Import as State};
use crate::queue::{Queue, QueueId, QueueLimits};
use crate::server::ServerConfig;
use crate::store::{AppSettings, Store, StoreAddress, Sums, Table};
use crate::worker::Worker;

/// Copies the data of a data folder into an empty database of PostgreSQL.
///
/// No server may run on the folder, or on the database. Accepted data that waits in the folder's queue is stored in
/// PostgreSQL too. Nothing is removed from the folder. The file `imported` in it then keeps servers from using its
/// database: they would accept data that nobody sees.
///
/// An import that was interrupted is finished with `--continue`.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(flatten)]
    data: DataOption,
    /// Finishes an import into this database that was interrupted.
    #[arg(long = "continue")]
    is_continued: bool,
}

/// The result of a step. Its errors are messages for the user.
type Done = Result<(), Box<dyn Error>>;

impl Import {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    pub(super) async fn run(self) -> Done {
        let started = Instant::now();
        let ServerConfig { data: path, store, .. } = self.data.data.load(Purpose::Command)?.settings.server;
        let url = store.ok_or("name the database with --store, as in postgres://opbeat:password@host/opbeat")?;
        let data = path.display();
        if !DataFolder::existing(&path).database().exists() {
            return Err(format!("there is no database in the data folder {data}; choose the folder with --data").into());
        }
        let folder = DataFolder::open(&path)?;
        let _lock = folder.lock()?;
        self.check_state(&folder)?;
        let source = Store::open(StoreAddress::file(folder.database()), Store::TIME_LIMIT, Store::TIME_LIMIT).await?;
        let target = Store::open(StoreAddress::Postgres(url), Store::TIME_LIMIT, Store::TIME_LIMIT).await?;
        let tables = source.tables_to_copy().await?;
        self.check_target(&source, &target, &tables).await?;
        folder.set_import(State::Begun)?;

        if target.is_copied().await? {
            println!("All tables were copied before.");
        } else {
            copy(&source, &target, &tables).await?;
            compare(&source, &target, &tables).await?;
            let id = QueueId::of(&folder.queue())?;
            // From here on, the position in the queue is that of the target.
            target.finish_copy(&tables, id, source.queue_position(id).await?).await?;
        }
        let records = store_queue(&folder, &target).await?;
        target.analyze().await?;
        folder.set_import(State::Finished)?;
        source.close().await;
        target.close().await;
        let (rows, seconds) = (tables.iter().map(Table::rows).sum(), started.elapsed().as_secs_f64());
        println!(
            "Imported {} rows, and {} records that waited in the queue, in {seconds:.1} s.\n\
             Start the server with --store and the URL of the database. The folder {data} is no longer needed.",
            HumanCount(rows),
            HumanCount(records)
        );
        Ok(())
    }

    /// Refuses to begin a second import, or to continue none.
    fn check_state(&self, folder: &DataFolder) -> Done {
        match (folder.import(), self.is_continued) {
            (None, false) | (Some(State::Begun), true) => Ok(()),
            (None, true) => Err("no import of this folder was interrupted; run the command without --continue".into()),
            (Some(State::Begun), false) => {
                Err("an import of this folder was interrupted; finish it with --continue, or \
                 remove the file `imported` from the folder and begin again with an empty database"
                    .into())
            }
            (Some(State::Finished), _) => {
                Err("the data of this folder was imported already; to import it into another \
                 database, remove the file `imported` from the folder"
                    .into())
            }
        }
    }

    /// Refuses a database with data of others.
    async fn check_target(&self, source: &Store, target: &Store, tables: &[Table]) -> Done {
        if self.is_continued {
            let (ours, there) = (source.organization_ids().await?, target.organization_ids().await?);
            return match there.difference(&ours).next() {
                None => Ok(()),
                Some(id) => Err(format!("the database has the organization {id}, which the folder has not").into()),
            };
        }
        match target.prepare_copy(tables).await? {
            None => Ok(()),
            Some(table) => Err(format!(
                "the database is not empty: its table {table} has rows; name an empty database with --store"
            )
            .into()),
        }
    }
}

async fn copy(source: &Store, target: &Store, tables: &[Table]) -> Done {
    let bar = progress::of_things("Copying rows");
    bar.set_length(tables.iter().map(Table::rows).sum());
    for table in tables {
        source.copy_table(target, table, |rows| bar.inc(rows)).await?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// Prints the numbers of rows and the sums of both databases. Fails if they differ.
#[expect(clippy::print_stdout, reason = "the command's output")]
async fn compare(source: &Store, target: &Store, tables: &[Table]) -> Done {
    let bar = progress::of_things("Comparing tables");
    bar.set_length(tables.len() as u64);
    let (mut lines, mut different) = (Vec::new(), Vec::new());
    for table in tables {
        let (one, other) = tokio::join!(source.sums(table), target.sums(table));
        let (one, other) = (one?, other?);
        lines.push(line(table.name(), &one));
        if !one.agree(&other) {
            different.push(table.name());
            lines.push(line("  but in PostgreSQL", &other));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!("{:<21} {:>14} {:>20} {:>24}", "table", "rows", "sum of integers", "sum of numbers");
    lines.iter().for_each(|line| println!("{line}"));
    if different.is_empty() {
        println!("Both databases have the same numbers of rows, and the same sums.");
        return Ok(());
    }
    Err(format!(
        "these tables differ from the folder's: {}; was something else stored in the database meanwhile? Begin again with \
         an empty database, after removing the file `imported` from the folder",
        different.join(", ")
    )
    .into())
}

fn line(name: &str, Sums { rows, integers, reals }: &Sums) -> String {
    format!("{name:<21} {rows:>14} {integers:>20} {reals:>24.3}")
}

/// Stores the records that wait in the folder's queue, and leaves them there. Returns their number.
async fn store_queue(folder: &DataFolder, target: &Store) -> Result<u64, Box<dyn Error>> {
    let id = QueueId::of(&folder.queue())?;
    let position = target.queue_position(id).await?;
    let (_queue, queued) = Queue::open(&folder.queue(), id, QueueLimits::default(), Some(position))?;
    let mut records = 0;
    Worker::new(target.clone(), queued, AppSettings::new()).store_waiting(|stored| records += stored).await?;
    Ok(records)
}
