//! Teams, and the apps that they are responsible for.

use super::handle::{Admin, Refused, done};
use crate::names;
use crate::store::Changed;

impl Admin<'_> {
    /// Adds a team to the organization.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the name is invalid or taken, there are too many teams, or the database fails.
    pub(crate) async fn create_team(self, name: &str) -> Result<(), Refused> {
        let name = names::name_of_person(name)
            .ok_or(Refused::invalid("team", "A team needs a name of at most 100 characters."))?;
        match self.store.create_team(self.organization_id, &name, self.by).await? {
            Changed::Taken => Err(Refused::invalid("team", "There is a team with this name already.")),
            Changed::TooMany => Err(Refused::invalid("team", "An organization has at most 100 teams.")),
            changed => done(changed, "organization"),
        }
    }

    /// Removes a team.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such team or the database fails.
    pub(crate) async fn remove_team(self, team_id: i64) -> Result<(), Refused> {
        done(self.store.remove_team(self.organization_id, team_id, self.by).await?, "team")
    }

    /// Adds a member, given the e-mail address, to a team.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such team or member, the team is full, or the database fails.
    pub(crate) async fn add_to_team(self, team_id: i64, email: &str) -> Result<(), Refused> {
        const NO_MEMBER: Refused = Refused::invalid("email", "No member of the organization has this address.");
        let email = names::email(email).ok_or(NO_MEMBER)?;
        let account = self.store.account(&email).await?.ok_or(NO_MEMBER)?;
        let member = self.store.member(self.organization_id, &account.id).await?.ok_or(NO_MEMBER)?;
        match self.store.change_team_member(self.organization_id, team_id, (&member.id, true), self.by).await? {
            Changed::TooMany => Err(Refused::invalid("email", "A team has at most 200 members.")),
            changed => done(changed, "team"),
        }
    }

    /// Removes a member from a team.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such team or member, or the database fails.
    pub(crate) async fn remove_from_team(self, team_id: i64, person_id: &str) -> Result<(), Refused> {
        let changed = self.store.change_team_member(self.organization_id, team_id, (person_id, false), self.by).await?;
        done(changed, "person or team")
    }

    /// Makes a team responsible for an app of the organization, or ends that.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such team or app, the team has too many apps, or the database fails.
    pub(crate) async fn change_app_of_team(self, team_id: i64, app: &str, joins: bool) -> Result<(), Refused> {
        match self.store.change_app_of_team(self.organization_id, team_id, (app, joins), self.by).await? {
            Changed::Missing => Err(Refused::invalid("app", "The organization has no app with this name.")),
            Changed::TooMany => Err(Refused::invalid("app", "A team is responsible for at most 200 apps.")),
            changed => done(changed, "app"),
        }
    }
}
