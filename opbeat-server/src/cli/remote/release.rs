//! The commands `opbeat release create` and `opbeat release list`.

use std::error::Error;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use super::client::{Client, Reader, ServerOption, segment};
use super::lists::show;
use super::table::{Column, ago, line, text};
use crate::cli::names::{Names, parse_names};
use crate::dashboard::format;
use crate::text::start_of;

/// The shown part of a revision.
const SHOWN_REVISION: usize = 12;

#[derive(Debug, Subcommand)]
pub(crate) enum Release {
    /// Reports that a release is running, from a deployment or from CI.
    ///
    /// It needs the variables of the app's agent: OPBEAT_ORGANIZATION_ID, OPBEAT_APP_ID and OPBEAT_SECRET_TOKEN.
    Create(Create),
    /// Lists the releases of an app, the newest first.
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The revision, such as `$(git rev-parse HEAD)`.
    #[arg(long)]
    rev: String,
    /// The branch.
    #[arg(long)]
    branch: Option<String>,
    /// The machine that runs the release now, if others follow. Report the release without it when all machines run it.
    #[arg(long)]
    machine: Option<String>,
    /// When the release was completed, such as 2026-11-28T14:00:00Z. Default: now.
    #[arg(long, value_name = "TIME")]
    completed_at: Option<Timestamp>,
    /// The organization's id.
    #[arg(long, env = "OPBEAT_ORGANIZATION_ID")]
    organization_id: String,
    /// The app's id.
    #[arg(long, env = "OPBEAT_APP_ID")]
    app_id: String,
    /// The app's secret token.
    #[arg(long, env = "OPBEAT_SECRET_TOKEN", hide_env_values = true)]
    secret_token: String,
    #[command(flatten)]
    server: ServerOption,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The names of the organization and the app, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    app: Names,
    /// The largest number of releases, at most 200.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    reader: Reader,
}

// Headings in lower case are those of numbers.
const RELEASES: [Column; 6] = [
    ("number", |row| format!("R#{}", row["number"])),
    ("completed", |row| ago(row, "last_completed_at")),
    ("machines", |row| format::count(row["machine_count"].as_u64().unwrap_or(0))),
    ("new errors", |row| format::count(row["new_errors"].as_u64().unwrap_or(0))),
    ("REVISION", |row| start_of(&text(row, "rev"), SHOWN_REVISION).to_owned()),
    ("BRANCH", |row| text(row, "branch")),
];

impl Release {
    pub(in crate::cli) async fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Create(create) => create.run().await,
            Self::List(list) => list.run().await,
        }
    }
}

impl Create {
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let mut body = json!({"rev": self.rev, "status": "completed"});
        if let Some(branch) = &self.branch {
            body["branch"] = json!(branch);
        }
        if let Some(machine) = &self.machine {
            body["status"] = json!("machine-completed");
            body["machine"] = json!(machine);
        }
        if let Some(completed_at) = &self.completed_at {
            body["timestamp"] = json!(completed_at.to_string());
        }
        let (organization, app) = (segment(&self.organization_id), segment(&self.app_id));
        let path = format!("/api/v1/organizations/{organization}/apps/{app}/releases/");
        Client::new(&self.server, &self.secret_token)?.post(&path, &body).await?;
        line(&format!("The release {} is accepted.", self.rev))
    }
}

impl List {
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let list = self.reader.get(&self.app.path(&format!("releases/?limit={}", self.limit))).await?;
        show(&self.reader, &list, "releases", &RELEASES, "No releases yet; `opbeat release create` reports one.")
    }
}
