//! The command `opbeat org services`.

use std::error::Error;

use clap::{Args, Subcommand};

use super::storage::{DataOption, open_store};
use crate::store::UnknownServices;

#[derive(Debug, Subcommand)]
pub(super) enum Organization {
    /// Sets what happens to telemetry of OpenTelemetry whose `service.name` is not the app of its token.
    ///
    /// A running server applies the setting within 2 seconds.
    Services(Services),
}

#[derive(Debug, Args)]
pub(super) struct Services {
    /// The organization's name.
    #[arg(value_name = "ORG")]
    organization: String,
    #[command(flatten)]
    data: DataOption,
    #[command(flatten)]
    setting: Setting,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Setting {
    /// Refuses it, and says so to the exporter. This is the default.
    #[arg(long)]
    refuse: bool,
    /// Stores it in the app with the service's name, which is created unless it exists. Every token of the organization
    /// can then write to every app of the organization.
    #[arg(long)]
    create: bool,
    /// Stores it in the token's app, whatever the service's name is.
    #[arg(long)]
    single: bool,
}

impl Organization {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let Self::Services(Services { organization, data, setting }) = self;
        let setting = match setting {
            Setting { create: true, .. } => UnknownServices::Create,
            Setting { single: true, .. } => UnknownServices::Single,
            Setting { .. } => UnknownServices::Refuse,
        };
        let (_, store) = open_store(&data.data).await?;
        let is_known = store.set_unknown_services(&organization, setting).await?;
        store.close().await;
        if is_known {
            Ok(())
        } else {
            let hint = format!("`opbeat app create {organization}/APP` creates it with its first app");
            Err(format!("there is no organization {organization:?}; {hint}").into())
        }
    }
}
