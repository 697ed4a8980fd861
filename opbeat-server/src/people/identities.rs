//! People who sign in by a provider of OpenID Connect.

use std::net::IpAddr;

use jiff::Timestamp;

use super::handle::{Admin, People, Refused, author, done};
use crate::identity::{Admission, Identity, NotAdmitted};
use crate::store::{Rights, StoreError};

impl People {
    /// Returns the id of the person whom an identity belongs to, or the reason why the person does not come in.
    ///
    /// The domain is checked at each sign-in, so that a shorter list of domains counts for known people too.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails.
    pub(crate) async fn admit(
        &self,
        identity: Identity,
        admission: &Admission,
        address: IpAddr,
    ) -> Result<Result<String, NotAdmitted>, StoreError> {
        let is_allowed = match &identity.email {
            Some(email) => admission.allows(email),
            None => admission.domains.is_empty(),
        };
        if !is_allowed {
            return Ok(Err(if identity.email.is_some() { NotAdmitted::Domain } else { NotAdmitted::NoAddress }));
        }
        let now = Timestamp::now().as_microsecond();
        self.store.admit(identity, admission.clone(), (address.to_string(), now)).await
    }

    /// Removes the link between the person who is signed in and an account at a provider.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no person or the database fails.
    pub(crate) async fn unlink(&self, rights: &Rights, address: IpAddr, issuer: &str) -> Result<(), Refused> {
        let person_id = rights.person().ok_or(Refused::Missing("person"))?;
        done(self.store.unlink(None, (person_id, issuer), author(rights, address)).await?, "account")
    }
}

impl Admin<'_> {
    /// Removes the link between a member and an account at a provider.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such member or the database fails.
    pub(crate) async fn unlink(self, person_id: &str, issuer: &str) -> Result<(), Refused> {
        done(self.store.unlink(Some(self.organization_id), (person_id, issuer), self.by).await?, "person")
    }
}
