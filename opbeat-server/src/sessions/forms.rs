//! Tokens that prove that a form is from this server's page.

use std::fmt;
use std::net::IpAddr;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::attempts::network;
use crate::intake::hash_token;
use crate::random::{hex, random_hex};

/// The browser that a form is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormSource<'a> {
    /// The random value in the cookie of forms.
    pub(crate) cookie: &'a str,
    /// The session's id, if the browser sent one.
    pub(crate) session: Option<&'a str>,
    /// The address of the browser.
    pub(crate) address: IpAddr,
}

/// The key of this run's form tokens.
pub(super) struct FormKey(String);

/// The key is omitted, so that logs do not contain it.
impl fmt::Debug for FormKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormKey").finish_non_exhaustive()
    }
}

impl FormKey {
    pub(super) fn random() -> Self {
        Self(random_hex::<32>())
    }

    /// Returns the token of a browser's forms: the SHA-256 of the key and of all that identifies the browser.
    ///
    /// Another host of the same domain can set the cookie, and can get a token for a cookie of its choice. The token is
    /// for its own address then, and not for the address of the browser that it deceives.
    pub(super) fn token(&self, source: &FormSource<'_>) -> String {
        let address = match network(source.address) {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        // All parts have a fixed length: no two browsers share a message, and none is the start of another one.
        let hash = Sha256::new()
            .chain_update(&self.0)
            .chain_update(hash_token(source.cookie))
            .chain_update(hash_token(source.session.unwrap_or_default()))
            .chain_update(address.octets());
        hex(&hash.finalize())
    }

    /// Returns whether a form contains the token of its browser.
    pub(super) fn is_token(&self, source: &FormSource<'_>, token: &str) -> bool {
        bool::from(self.token(source).as_bytes().ct_eq(token.as_bytes()))
    }
}
