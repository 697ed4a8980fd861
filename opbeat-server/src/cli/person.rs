//! The commands `opbeat person create`, `list`, `reset-password` and `remove-owner`.

use std::error::Error;

use clap::{Args, Subcommand};

use super::storage::{DataOption, open_store};
use crate::names::MAX_NAME;
use crate::passwords::Passwords;
use crate::people::{People, Refused};
use crate::role::Role;
use crate::store::Store;
use crate::text::start_of;

#[derive(Debug, Subcommand)]
pub(super) enum Person {
    /// Creates a person as a member of an organization, and prints a new password. The person changes it on the page You.
    ///
    /// A person with this e-mail address keeps the name and the password.
    Create(Create),
    /// Lists the members of an organization: e-mail address, role, name and further e-mail addresses.
    List(List),
    /// Gives a member of an organization, or an owner of the server, a new password, and prints it. All browsers of the
    /// person are signed out.
    ResetPassword(ResetPassword),
    /// Takes the ownership of the server from a person, who keeps the roles in organizations.
    RemoveOwner(RemoveOwner),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The organization's name.
    #[arg(value_name = "ORG")]
    organization: String,
    /// The e-mail address, with which the person signs in.
    #[arg(value_name = "EMAIL")]
    email: String,
    /// The person's name. Default: the e-mail address.
    #[arg(long)]
    name: Option<String>,
    /// The role: `reader`, `member` or `admin`. Default: `member`, or the role that the person has.
    #[arg(long, value_parser = parse_role)]
    role: Option<Role>,
    /// Makes the person an owner of the server, who may do everything in all organizations.
    #[arg(long)]
    owner: bool,
    #[command(flatten)]
    data: DataOption,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// The organization's name.
    #[arg(value_name = "ORG")]
    organization: String,
    #[command(flatten)]
    data: DataOption,
}

#[derive(Debug, Args)]
pub(super) struct ResetPassword {
    /// The organization's name.
    #[arg(value_name = "ORG")]
    organization: String,
    /// The e-mail address of the person.
    #[arg(value_name = "EMAIL")]
    email: String,
    #[command(flatten)]
    data: DataOption,
}

#[derive(Debug, Args)]
pub(super) struct RemoveOwner {
    /// The e-mail address of the person.
    #[arg(value_name = "EMAIL")]
    email: String,
    #[command(flatten)]
    data: DataOption,
}

impl Person {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Create(create) => create.run().await,
            Self::List(list) => list.run().await,
            Self::ResetPassword(reset) => reset.run().await,
            Self::RemoveOwner(remove) => remove.run().await,
        }
    }
}

impl Create {
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (people, store) = open_people(&self.data).await?;
        let name = self.name.as_deref().unwrap_or_else(|| start_of(&self.email, MAX_NAME));
        let created = people.create(&self.organization, (name, &self.email), (self.role, self.owner)).await;
        store.close().await;
        match created.map_err(|refused| explain(refused, &self.organization))? {
            Some(password) => println!("{password}"),
            None => eprintln!("There is an account with this address already, which keeps its password."),
        }
        Ok(())
    }
}

impl List {
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (people, store) = open_people(&self.data).await?;
        let members = people.list(&self.organization).await;
        store.close().await;
        let members = members.map_err(|refused| explain(refused, &self.organization))?;
        if members.is_empty() {
            eprintln!(
                "The organization has no members. `opbeat person create {} EMAIL` creates one.",
                self.organization
            );
        }
        for member in members {
            let aliases = if member.aliases.is_empty() { "-".to_owned() } else { member.aliases.join(",") };
            println!("{}\t{}\t{}\t{aliases}", member.email, member.role.as_str(), member.name);
        }
        Ok(())
    }
}

impl ResetPassword {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (people, store) = open_people(&self.data).await?;
        let password = people.reset_password(&self.organization, &self.email).await;
        store.close().await;
        println!("{}", password.map_err(|refused| explain(refused, &self.organization))?);
        Ok(())
    }
}

impl RemoveOwner {
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (people, store) = open_people(&self.data).await?;
        let removed = people.remove_owner(&self.email).await;
        store.close().await;
        removed.map_err(|refused| match refused {
            Refused::Missing(_) => {
                "no person has this e-mail address; `opbeat person list ORG` prints those of an organization".into()
            }
            refused => refused.into(),
        })
    }
}

async fn open_people(data: &DataOption) -> Result<(People, Store), Box<dyn Error>> {
    let (_, store) = open_store(&data.data).await?;
    Ok((People::new(store.clone(), Passwords::new()), store))
}

fn parse_role(text: &str) -> Result<Role, &'static str> {
    Role::parse(text).ok_or("choose reader, member or admin")
}

/// Returns the error of a command, with its remedy.
fn explain(refused: Refused, organization: &str) -> Box<dyn Error> {
    match refused {
        Refused::Missing("organization") => format!(
            "there is no organization {organization:?}; `opbeat app create {organization}/APP` creates it with its first app"
        )
        .into(),
        Refused::Missing(_) => {
            let list = format!("`opbeat person list {organization}` prints all of them");
            format!("no member of the organization has this e-mail address; {list}").into()
        }
        refused => refused.into(),
    }
}
