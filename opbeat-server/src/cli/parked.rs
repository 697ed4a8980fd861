//! The commands `opbeat parked list` and `opbeat parked replay`.

use std::error::Error;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::storage::{DataOption, open_store};
use crate::store::Store;
use crate::worker::decode_parked;

#[derive(Debug, Subcommand)]
pub(super) enum Parked {
    /// Lists the data that was accepted and could not be stored, with the reasons.
    List(List),
    /// Tries again to store parked data. Data that can be stored now leaves the list.
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    data: DataOption,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The numbers of the messages in the list. Without any, all are replayed.
    #[arg(value_name = "NUMBER")]
    ids: Vec<i64>,
    #[command(flatten)]
    data: DataOption,
}

impl Parked {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::List(list) => list.run().await,
            Self::Replay(replay) => replay.run().await,
        }
    }
}

impl List {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (folder, store) = open_store(&self.data.data).await?;
        let (rows, total) = store.parked().await?;
        for row in &rows {
            let at = Timestamp::from_microsecond(row.parked_at).unwrap_or_default();
            println!("{}\t{at:.0}\t{} bytes\t{}", row.id, row.bytes, row.reason);
        }
        println!("{total} parked. `opbeat parked replay` tries to store them again.");
        for cut in folder.cut_files() {
            println!("An unfinished record, which was never acknowledged, is kept in {}", cut.display());
        }
        store.close().await;
        Ok(())
    }
}

impl Replay {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (_, store) = open_store(&self.data.data).await?;
        let ids = if self.ids.is_empty() { all_ids(&store).await? } else { self.ids };
        let mut failed = 0;
        for id in &ids {
            if let Err(reason) = replay(&store, *id).await {
                failed += 1;
                println!("{id}\t{reason}");
            }
        }
        println!("{} stored, {failed} still parked.", ids.len() - failed);
        store.close().await;
        Ok(())
    }
}

async fn all_ids(store: &Store) -> Result<Vec<i64>, Box<dyn Error>> {
    Ok(store.parked().await?.0.into_iter().map(|row| row.id).collect())
}

async fn replay(store: &Store, id: i64) -> Result<(), Box<dyn Error>> {
    let message = store.parked_message(id).await?.ok_or("there is no such message")?;
    Ok(store.replay(id, &decode_parked(&message)?).await?)
}
