//! Readers of deployments.

use serde::de::MapAccess;

use super::context::At;
use super::errors::TakeMachine;
use super::notes::Oddity;
use super::scalars::{Text, copy_text};
use super::take::{Entries, List, Take};
use crate::deployments::{DeployedModule, DeploymentBody, Module, Vcs};

/// The body of `deployments/`.
#[derive(Clone, Copy)]
pub(super) struct TakeDeployment;

impl Take for TakeDeployment {
    type Out = DeploymentBody;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<DeploymentBody>, A::Error> {
        let max = at.limits().modules;
        let (mut machines, mut releases) = (None, None);
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "machines" => entries.field("machines", List::new(TakeMachine, max), &mut machines)?,
                "releases" => entries.field("releases", List::new(TakeDeployed, max), &mut releases)?,
                _ => entries.skip()?,
            }
        }
        Ok(Some(DeploymentBody { machines: machines.unwrap_or_default(), releases: releases.unwrap_or_default() }))
    }
}

/// An installed module. One without a name is left out.
#[derive(Clone, Copy)]
struct TakeDeployed;

impl Take for TakeDeployed {
    type Out = DeployedModule;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<DeployedModule>, A::Error> {
        let limits = at.limits();
        let (mut module, mut version, mut path, mut vcs) = (None, None, None, None);
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "module" => entries.field("module", TakeModule, &mut module)?,
                "version" => entries.field("version", Text(limits.word), &mut version)?,
                "path" => entries.field("path", Text(limits.path), &mut path)?,
                "vcs" => entries.field("vcs", TakeVcs, &mut vcs)?,
                _ => entries.skip()?,
            }
        }
        let Some(module) = module else {
            at.note(Oddity::Null);
            return Ok(None);
        };
        Ok(Some(DeployedModule { module, version, path, vcs }))
    }
}

/// A module: an object, or its name.
struct TakeModule;

impl Take for TakeModule {
    type Out = Module;

    fn text(self, at: At<'_>, text: &str) -> Option<Module> {
        at.note(Oddity::WrongType);
        Some(Module { name: copy_text(at, text, at.limits().name)?, kind: "other".to_owned() })
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Module>, A::Error> {
        let (mut name, mut kind) = (None, None);
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "name" => entries.field("name", Text(at.limits().name), &mut name)?,
                "type" => entries.field("type", Text(at.limits().word), &mut kind)?,
                _ => entries.skip()?,
            }
        }
        Ok(name.map(|name| Module { name, kind: kind.unwrap_or_else(|| "other".to_owned()) }))
    }
}

/// A location in version control. A text is the revision.
struct TakeVcs;

impl Take for TakeVcs {
    type Out = Vcs;

    fn text(self, at: At<'_>, text: &str) -> Option<Vcs> {
        at.note(Oddity::WrongType);
        let revision = copy_text(at, text, at.limits().word)?;
        Some(Vcs { revision: Some(revision), ..Vcs::default() })
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Vcs>, A::Error> {
        let (word, path) = (Text(at.limits().word), Text(at.limits().path));
        let mut vcs = Vcs::default();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "type" => entries.field("type", word, &mut vcs.kind)?,
                "revision" => entries.field("revision", word, &mut vcs.revision)?,
                "branch" => entries.field("branch", word, &mut vcs.branch)?,
                "repository" => entries.field("repository", path, &mut vcs.repository)?,
                _ => entries.skip()?,
            }
        }
        Ok(Some(vcs))
    }
}
