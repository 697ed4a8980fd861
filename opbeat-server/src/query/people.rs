//! People, invitations, teams and the audit log of an organization.

use jiff::Timestamp;

use super::{Query, QueryError, Scope};
use crate::intake::hash_token;
use crate::notification::Preferences;
use crate::store::read::OrganizationName;
use crate::store::{Account, AuditRow, Invitation, LinkedIdentity, Member, PersonSession, Team, TeamDetail};

/// The largest number of organizations in a list.
const MAX_ORGANIZATIONS: i64 = 100;

/// Some members of an organization.
#[derive(Clone, Debug)]
pub(crate) struct MemberList {
    /// The number of all members.
    pub(crate) total: i64,
    /// The requested part of the list, in the order of the names.
    pub(crate) members: Vec<Member>,
}

impl Query {
    /// Finds an organization by its id or short name, if the reader may see it.
    pub(crate) async fn find_organization(
        &self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<OrganizationName>, QueryError> {
        self.store.find_organization(scope, name).await
    }

    /// Returns the organizations that the reader may see, at most 100.
    pub(crate) async fn organizations(&self, scope: &Scope) -> Result<Vec<OrganizationName>, QueryError> {
        self.store.organizations(scope, MAX_ORGANIZATIONS).await
    }

    /// Returns some members of an organization: at most a number, after an offset.
    pub(crate) async fn members(
        &self,
        organization: &OrganizationName,
        part: (i64, i64),
    ) -> Result<MemberList, QueryError> {
        let members = self.store.some_members(&organization.id, part).await?;
        Ok(MemberList { total: self.store.count_members(&organization.id).await?, members })
    }

    /// Returns a member of an organization.
    pub(crate) async fn member(
        &self,
        organization: &OrganizationName,
        person_id: &str,
    ) -> Result<Option<Member>, QueryError> {
        self.store.member(&organization.id, person_id).await
    }

    /// Returns the invitations of an organization, with those that expired lately.
    pub(crate) async fn invitations(&self, organization: &OrganizationName) -> Result<Vec<Invitation>, QueryError> {
        self.store.invitations(&organization.id).await
    }

    /// Returns the invitation with a secret, unless it was used or has expired.
    pub(crate) async fn invitation(&self, secret: &str) -> Result<Option<Invitation>, QueryError> {
        self.store.invitation(&hash_token(secret), Timestamp::now().as_microsecond()).await
    }

    /// Returns the teams of an organization.
    pub(crate) async fn teams(&self, organization: &OrganizationName) -> Result<Vec<Team>, QueryError> {
        self.store.teams(&organization.id).await
    }

    /// Returns a team of an organization.
    pub(crate) async fn team(
        &self,
        organization: &OrganizationName,
        team_id: i64,
    ) -> Result<Option<TeamDetail>, QueryError> {
        self.store.team(&organization.id, team_id).await
    }

    /// Returns the newest entries of the audit log of an organization before a number, the newest first.
    pub(crate) async fn audit_log(
        &self,
        organization: &OrganizationName,
        with_server: bool,
        (before, limit): (i64, i64),
    ) -> Result<Vec<AuditRow>, QueryError> {
        self.store.audit_log(&organization.id, with_server, before, limit).await
    }

    /// Returns the account of a person.
    pub(crate) async fn account(&self, person_id: &str) -> Result<Option<Account>, QueryError> {
        self.store.account_of(person_id).await
    }

    /// Returns the accounts of a person at providers of OpenID Connect.
    pub(crate) async fn identities(&self, person_id: &str) -> Result<Vec<LinkedIdentity>, QueryError> {
        self.store.identities(person_id).await
    }

    /// Returns how a person gets mails.
    pub(crate) async fn preferences(&self, person_id: &str) -> Result<Preferences, QueryError> {
        self.store.preferences(person_id).await
    }

    /// Returns the e-mail address of the person to whose mails the secret of a link belongs.
    pub(crate) async fn reader_of_mails(&self, secret: &str) -> Result<Option<String>, QueryError> {
        self.store.reader_of_mails(secret.as_bytes()).await
    }

    /// Returns the browsers in which a person is signed in, the newest first.
    pub(crate) async fn sessions(&self, person_id: &str) -> Result<Vec<PersonSession>, QueryError> {
        self.store.person_sessions(person_id, Timestamp::now().as_microsecond()).await
    }
}
