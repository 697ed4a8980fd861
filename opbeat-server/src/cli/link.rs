//! The command `opbeat link`.

use std::error::Error;

use clap::Args;

use super::storage::DataOption;
use crate::config::Purpose;
use crate::data_folder::DataFolder;

/// Prints the link that signs in to the pages of the running server.
#[derive(Debug, Args)]
pub(super) struct Link {
    #[command(flatten)]
    data: DataOption,
}

impl Link {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let data = self.data.data.load(Purpose::Command)?.settings.server.data;
        let link = DataFolder::existing(&data).link().ok_or_else(|| {
            format!(
                "no server runs on the data folder {}; start one with `opbeat serve`, or choose the folder with --data",
                data.display()
            )
        })?;
        println!("{link}");
        Ok(())
    }
}
