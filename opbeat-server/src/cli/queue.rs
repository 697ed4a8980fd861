//! The commands `opbeat queue parked` and `opbeat queue replay`.

use std::error::Error;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::storage::{DataOption, open_store};
use crate::store::{Replayed, Store};
use crate::worker::decode_parked;

#[derive(Debug, Subcommand)]
pub(super) enum Queue {
    /// Lists the data that was accepted and could not be stored, with the reasons.
    // The alias is for the command's earlier name, `opbeat parked list`.
    #[command(alias = "list")]
    Parked(List),
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

impl Queue {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Parked(list) => list.run().await,
            Self::Replay(replay) => replay.run().await,
        }
    }
}

impl List {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (storage, store) = open_store(&self.data.data).await?;
        let (mut total, mut last) = (0, i64::MIN);
        loop {
            let rows = store.parked(last).await?;
            let Some(end) = rows.last() else { break };
            last = end.id;
            total += rows.len();
            for row in &rows {
                let at = Timestamp::from_microsecond(row.parked_at).unwrap_or_default();
                println!("{}\t{at:.0}\t{} bytes\t{}", row.id, row.bytes, row.reason);
            }
        }
        println!("{total} parked. `opbeat queue replay` tries to store them again.");
        for cut in storage.cut_files() {
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

/// Returns the ids of the messages that are parked now. Parts of them that are parked again get other ids.
async fn all_ids(store: &Store) -> Result<Vec<i64>, Box<dyn Error>> {
    let mut ids = Vec::new();
    loop {
        let page = store.parked(ids.last().copied().unwrap_or(i64::MIN)).await?;
        if page.is_empty() {
            return Ok(ids);
        }
        ids.extend(page.into_iter().map(|row| row.id));
    }
}

async fn replay(store: &Store, id: i64) -> Result<(), Box<dyn Error>> {
    let now = Timestamp::now().as_microsecond();
    match store.replay(id, decode_parked, now).await? {
        Replayed::Stored => Ok(()),
        Replayed::Partly(reasons) => {
            let (count, first) = (reasons.len(), reasons.first().map(String::as_str).unwrap_or_default());
            Err(format!("stored in part; {count} of its records are parked again: {first}").into())
        }
        Replayed::Rejected(reason) => Err(reason.into()),
        Replayed::Missing => Err("there is no such message".into()),
    }
}
