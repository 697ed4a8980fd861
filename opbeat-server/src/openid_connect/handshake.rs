//! The handshake: random values that bind the provider's answer to the browser that asked.

use std::time::Duration;

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::random::{hex, parse_hex, random};

/// The time in which a person signs in at the provider.
pub(super) const MAX_AGE: Duration = Duration::from_secs(600);

/// The longest path to continue at, in bytes. A browser stores cookies of 4 KiB.
const MAX_NEXT: usize = 3_000;

/// A handshake. Its cookie contains a random secret, from which the state, the nonce and the PKCE verifier derive: the
/// server keeps nothing, so that any of its processes can read the answer. Only the browser and the server know the cookie.
#[derive(Clone)]
pub(super) struct Handshake {
    secret: [u8; 32],
    /// The time of its start, in seconds since 1970.
    started_at: i64,
    /// The path to continue at after signing in.
    pub(super) next: String,
}

impl Handshake {
    /// Starts a handshake.
    pub(super) fn start(next: &str) -> Self {
        let next = if next.len() > MAX_NEXT || !next.bytes().all(is_of_cookie) { "" } else { next };
        Self { secret: random(), started_at: Timestamp::now().as_second(), next: next.to_owned() }
    }

    /// Returns the value of the cookie.
    pub(super) fn cookie(&self) -> String {
        format!("{}.{}.{}", hex(&self.secret), self.started_at, self.next)
    }

    /// Reads the value of a cookie. Returns `None` if it is something else or too old.
    pub(super) fn read(cookie: &str) -> Option<Self> {
        let mut parts = cookie.splitn(3, '.');
        let secret = parse_hex(parts.next()?)?;
        let started_at: i64 = parts.next()?.parse().ok()?;
        let next = parts.next().filter(|next| next.len() <= MAX_NEXT)?.to_owned();
        let age = Timestamp::now().as_second().checked_sub(started_at)?;
        let is_fresh = u64::try_from(age).is_ok_and(|age| age <= MAX_AGE.as_secs());
        is_fresh.then_some(Self { secret, started_at, next })
    }

    /// Returns the value that the provider sends back in the address.
    pub(super) fn state(&self) -> CsrfToken {
        CsrfToken::new(self.derive("state"))
    }

    /// Returns whether an address contains the state of this handshake.
    pub(super) fn is_state(&self, state: &str) -> bool {
        bool::from(self.state().secret().as_bytes().ct_eq(state.as_bytes()))
    }

    /// Returns the value that the id token contains.
    pub(super) fn nonce(&self) -> Nonce {
        Nonce::new(self.derive("nonce"))
    }

    /// Returns the secret that proves to the provider that the code comes from the same handshake (RFC 7636).
    pub(super) fn verifier(&self) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.derive("verifier"))
    }

    /// Returns 64 hexadecimal digits that show nothing of the secret. The time and the path are a part of them, so that
    /// a changed cookie fits no answer.
    fn derive(&self, label: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(format!("{label}.{}.{}", self.started_at, self.next).as_bytes());
        hex(&mac.finalize().into_bytes())
    }
}

/// Returns whether a byte can be in the value of a cookie (RFC 6265, section 4.1.1).
const fn is_of_cookie(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_fits_its_own_answer_only() {
        let handshake = Handshake::start("/acme/shop/?range=6h");
        let (cookie, state) = (handshake.cookie(), handshake.state());
        let read = Handshake::read(&cookie).unwrap();
        assert!(read.is_state(state.secret()) && read.next == "/acme/shop/?range=6h");
        assert_eq!(read.verifier().secret(), handshake.verifier().secret());
        assert_ne!(read.nonce().secret(), state.secret());
        let changed = Handshake::read(&cookie.replace("shop", "shed")).unwrap();
        assert!(!changed.is_state(state.secret()));
        assert!(!Handshake::start("/").is_state(state.secret()), "another browser");
    }

    #[test]
    fn old_and_broken_cookies_are_none() {
        let secret = hex(&[7; 32]);
        let now = Timestamp::now().as_second();
        assert!(Handshake::read(&format!("{secret}.{}./", now - 590)).is_some());
        let broken = ["", "a.b.c", &secret, &format!("{secret}.{}./", now - 601), &format!("{secret}.{}./", now + 60)];
        assert!(broken.into_iter().all(|cookie| Handshake::read(cookie).is_none()));
        assert!(Handshake::read(&format!("{secret}.{}./", i64::MIN)).is_none());
        assert_eq!(Handshake::start(&"/a".repeat(5_000)).next, "");
        assert_eq!(Handshake::start("/a;b").next, "");
    }
}
