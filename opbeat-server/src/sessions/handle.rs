//! The handle that opens, finds and closes sessions.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::attempts::Attempts;
use crate::intake::hash_token;
use crate::random::random_hex;
use crate::store::read::Scope;
use crate::store::{Store, StoreError};

/// The time after which a browser has to sign in again.
const MAX_AGE: Duration = Duration::from_secs(30 * 86_400);

/// The largest number of sessions in memory. The oldest one ends first.
const MAX_IN_MEMORY: usize = 1_000;

/// The sessions. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    /// The SHA-256 of the token in this run's sign-in link.
    link: [u8; 32],
    /// The sessions of the link: their SHA-256, and when they end in microseconds since 1970.
    linked: Mutex<VecDeque<([u8; 32], i64)>>,
    attempts: Attempts,
}

/// A sign-in without a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// The token is unknown.
    Unknown,
    /// The address has tried too often, and has to wait.
    TooMany(Duration),
}

impl Sessions {
    /// The time for which a browser stays signed in.
    pub(crate) const MAX_AGE: Duration = MAX_AGE;

    /// Makes a handle without sessions in memory.
    pub(crate) fn new(store: Store, link_token: &str) -> Self {
        let link = hash_token(link_token);
        let inner = Inner { store, link, linked: Mutex::default(), attempts: Attempts::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Opens a session with the token of the sign-in link, and returns its id.
    ///
    /// Attempts are not limited: the token has 160 random bits, and the owner of the server must never be locked out.
    pub(crate) fn open_by_link(&self, token: &str) -> Option<String> {
        if !bool::from(hash_token(token).ct_eq(&self.inner.link)) {
            return None;
        }
        let id = random_hex::<32>();
        let mut linked = self.linked();
        if linked.len() >= MAX_IN_MEMORY {
            linked.pop_front();
        }
        linked.push_back((hash_token(&id), expiry()));
        Some(id)
    }

    /// Opens a session with a read token or with the token of the sign-in link, and returns its id.
    pub(crate) async fn open(&self, from: IpAddr, token: &str) -> Result<Result<String, Rejected>, StoreError> {
        if let Some(id) = self.open_by_link(token) {
            return Ok(Ok(id));
        }
        if let Err(wait) = self.inner.attempts.begin(from) {
            return Ok(Err(Rejected::TooMany(wait)));
        }
        let id = random_hex::<32>();
        let token = hash_token(token);
        // The hash is looked up first, by a reader: failed attempts do not wait for the writer.
        let is_known = self.inner.store.organization_of(&token).await?.is_some()
            && self.inner.store.open_session(&token, &hash_token(&id), now(), expiry()).await?;
        if !is_known {
            return Ok(Err(Rejected::Unknown));
        }
        self.inner.attempts.succeed(from);
        Ok(Ok(id))
    }

    /// Returns the data that a session may read, or `None` if the session is unknown or has ended.
    pub(crate) async fn scope_of(&self, id: &str) -> Result<Option<Scope>, StoreError> {
        let hash = hash_token(id);
        let now = now();
        if self.linked().iter().any(|(linked, ends_at)| *linked == hash && *ends_at > now) {
            return Ok(Some(Scope::Everything));
        }
        let organization = self.inner.store.organization_of_session(&hash, now).await?;
        Ok(organization.map(Scope::Organization))
    }

    /// Ends a session.
    pub(crate) async fn close(&self, id: &str) -> Result<(), StoreError> {
        let hash = hash_token(id);
        let is_linked = {
            let mut linked = self.linked();
            let before = linked.len();
            linked.retain(|(linked, _)| *linked != hash);
            linked.len() < before
        };
        if is_linked { Ok(()) } else { self.inner.store.close_session(&hash).await }
    }

    fn linked(&self) -> MutexGuard<'_, VecDeque<([u8; 32], i64)>> {
        self.inner.linked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a token for a form and its cookie.
pub(crate) fn random_form_token() -> String {
    random_hex::<16>()
}

fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Returns the time at which a session that is opened now ends, in microseconds since 1970.
fn expiry() -> i64 {
    now().saturating_add_unsigned(u64::try_from(MAX_AGE.as_micros()).unwrap_or(u64::MAX))
}
