//! The command line.

use std::path::PathBuf;

use crate::Failed;
use crate::application::Application;
use crate::framework::Framework;

const USAGE: &str = "\
Usage: applications [OPTIONS] [NAME…]

Names are frameworks (axum), paths (hello-world) or both (axum/hello-world). Without a name, all applications are run.

  --axum SOURCE    a clone of https://github.com/tokio-rs/axum, or another URL
  --actix SOURCE   a clone of https://github.com/actix/examples, or another URL
  --work FOLDER    the folder for sources, copies and builds; benchmarks/target/applications without this option";

/// The options and names of the command line.
#[derive(Default)]
pub struct Options {
    axum: Option<String>,
    actix: Option<String>,
    pub work: Option<PathBuf>,
    names: Vec<String>,
}

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failed> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--axum" => options.axum = Some(value(&argument, arguments.next())?),
                "--actix" => options.actix = Some(value(&argument, arguments.next())?),
                "--work" => options.work = Some(value(&argument, arguments.next())?.into()),
                _ if argument.starts_with('-') => return Err(USAGE.into()),
                _ => options.names.push(argument),
            }
        }
        Ok(options)
    }

    /// Returns the repository that a framework's examples are fetched from.
    pub fn source(&self, framework: Framework) -> &str {
        let source = match framework {
            Framework::Axum => &self.axum,
            Framework::Actix => &self.actix,
        };
        source.as_deref().unwrap_or(framework.repository())
    }

    /// Returns the applications with the names of the command line, or all of them.
    pub fn choose<'a>(&self, all: impl Iterator<Item = &'a Application>) -> Result<Vec<&'a Application>, Failed> {
        let all: Vec<&Application> = all.collect();
        if let Some(unknown) = self.names.iter().find(|name| !all.iter().any(|known| known.is_named(name))) {
            return Err(format!("no application is named {unknown}\n\n{USAGE}").into());
        }
        let is_chosen = |app: &&Application| self.names.is_empty() || self.names.iter().any(|name| app.is_named(name));
        Ok(all.into_iter().filter(is_chosen).collect())
    }
}

fn value(option: &str, value: Option<String>) -> Result<String, Failed> {
    value.ok_or_else(|| format!("{option} needs a value\n\n{USAGE}").into())
}
