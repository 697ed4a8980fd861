//! Teams, and the apps that they are responsible for.

use std::net::IpAddr;

use super::handle::{People, Refused, admin, done};
use crate::names;
use crate::store::{Changed, Rights};

impl People {
    /// Adds a team to an organization.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no admin, the name is invalid or taken, or the database fails.
    pub(crate) async fn create_team(
        &self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &str,
        name: &str,
    ) -> Result<(), Refused> {
        let by = admin(rights, organization_id, address)?;
        let name = names::name_of_person(name)
            .ok_or(Refused::invalid("team", "A team needs a name of at most 100 characters."))?;
        match self.store.create_team(organization_id, &name, by).await? {
            Changed::Taken => Err(Refused::invalid("team", "There is a team with this name already.")),
            changed => done(changed, "organization"),
        }
    }

    /// Removes a team.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no admin, there is no such team, or the database fails.
    pub(crate) async fn remove_team(
        &self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &str,
        team_id: i64,
    ) -> Result<(), Refused> {
        let by = admin(rights, organization_id, address)?;
        done(self.store.remove_team(organization_id, team_id, by).await?, "team")
    }

    /// Adds a member, given the e-mail address, to a team.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no admin, there is no such team or member, or the database fails.
    pub(crate) async fn add_to_team(
        &self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &str,
        (team_id, email): (i64, &str),
    ) -> Result<(), Refused> {
        const NO_MEMBER: Refused = Refused::invalid("email", "No member of the organization has this address.");
        let by = admin(rights, organization_id, address)?;
        let email = names::email(email).ok_or(NO_MEMBER)?;
        let account = self.store.account(&email).await?.ok_or(NO_MEMBER)?;
        let member = self.store.member(organization_id, &account.id).await?.ok_or(NO_MEMBER)?;
        match self.store.change_team_member(organization_id, team_id, (&member.id, true), by).await? {
            Changed::TooMany => Err(Refused::invalid("email", "A team has at most 200 members.")),
            changed => done(changed, "team"),
        }
    }

    /// Removes a member from a team.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no admin, there is no such team or member, or the database fails.
    pub(crate) async fn remove_from_team(
        &self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &str,
        (team_id, person_id): (i64, &str),
    ) -> Result<(), Refused> {
        let by = admin(rights, organization_id, address)?;
        let changed = self.store.change_team_member(organization_id, team_id, (person_id, false), by).await?;
        done(changed, "person or team")
    }

    /// Makes a team responsible for an app of the organization, or no team.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no admin, there is no such team or app, or the database fails.
    pub(crate) async fn set_team_of_app(
        &self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &str,
        (app, team_id): (&str, Option<i64>),
    ) -> Result<(), Refused> {
        let by = admin(rights, organization_id, address)?;
        match self.store.set_team_of_app(organization_id, app, team_id, by).await? {
            Changed::Missing => Err(Refused::invalid("app", "The organization has no app with this name.")),
            changed => done(changed, "app"),
        }
    }
}
