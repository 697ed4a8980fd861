//! Passwords of people: their hashes by argon2id.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::random::random;

/// The memory of a hash in KiB, its passes and its lanes: the first choice of OWASP's Password Storage Cheat Sheet.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The shortest and the longest password, in characters.
const MIN: usize = 10;
const MAX: usize = 200;

/// The characters of generated passwords: none that looks like another one.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A hash of no password, with which the work for an unknown address equals that for a known one.
const OF_NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and verifies passwords. Clones share the limit of hashes at the same time.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    /// A hash takes a core and 19 MiB for about 30 ms, and anybody can ask for one.
    permits: Arc<Semaphore>,
}

impl Passwords {
    /// Makes a handle that computes at most as many hashes at the same time as there are cores.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { permits: Arc::new(Semaphore::new(cores)) }
    }

    /// Returns the reason why a text cannot be a password, or `None` if it can.
    pub(crate) fn refuse(password: &str, email: &str) -> Option<&'static str> {
        let length = password.chars().count();
        if length < MIN {
            Some("The password is too short: use at least 10 characters.")
        } else if length > MAX {
            Some("The password is too long: use at most 200 characters.")
        } else if password.to_lowercase() == email {
            Some("The password is the e-mail address. Choose another one.")
        } else {
            None
        }
    }

    /// Returns a random password of 100 bits.
    pub(crate) fn generate() -> String {
        let characters = random::<20>().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        let groups: Vec<String> = characters.chunks(5).map(|group| group.iter().collect()).collect();
        groups.join("-")
    }

    /// Returns the hash of a password, in the PHC string format.
    ///
    /// # Panics
    ///
    /// Panics if the task of the hash panics.
    pub(crate) async fn hash(&self, password: String) -> String {
        self.run(move || {
            let hash = argon2().hash_password_with_salt(password.as_bytes(), &random::<16>());
            hash.expect("a salt may have 16 bytes, and the parameters are valid").to_string()
        })
        .await
    }

    /// Returns whether a password has a hash. Without a hash it does the same work, and returns false.
    ///
    /// # Panics
    ///
    /// Panics if the task of the hash panics.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> bool {
        // A longer one is nobody's. It is not hashed, so that nobody can keep a core busy with it.
        let is_possible = password.chars().count() <= MAX;
        self.run(move || {
            let hash = hash.filter(|_| is_possible);
            let stored = hash.as_deref().unwrap_or(OF_NOBODY);
            let password = if is_possible { password.as_bytes() } else { b"" };
            argon2().verify_password(password, stored).is_ok() && hash.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let task = tokio::task::spawn_blocking(move || {
            // Held by the task: a client that disconnects does not start another hash before this one ends.
            let _permit = permit;
            work()
        });
        task.await.expect("a hash does not panic")
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY, PASSES, LANES, None).expect("the parameters are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::phc::PasswordHash;

    use super::*;

    #[tokio::test]
    async fn only_the_password_of_a_hash_is_accepted() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse".to_owned()).await;
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse".to_owned()).await, "the salt is random");
        let verify = async |password: &str, hash: Option<&str>| {
            passwords.verify(password.to_owned(), hash.map(str::to_owned)).await
        };
        assert!(verify("correct horse", Some(&hash)).await);
        assert!(!verify("Correct horse", Some(&hash)).await);
        assert!(!verify(&"x".repeat(201), Some(&hash)).await);
        assert!(!verify("correct horse", None).await);
        assert!(!verify("correct horse", Some("damaged")).await);
    }

    #[test]
    fn the_hash_of_nobody_has_the_parameters_of_all_others() {
        let nobody = PasswordHash::new(OF_NOBODY).unwrap();
        assert_eq!(Params::try_from(&nobody).unwrap(), Params::new(MEMORY, PASSES, LANES, Some(32)).unwrap());
    }

    #[test]
    fn generated_passwords_are_valid_and_differ() {
        let generated = Passwords::generate();
        assert!(generated.len() == 23 && generated != Passwords::generate(), "{generated}");
        assert_eq!(Passwords::refuse(&generated, "ana@acme.example"), None);
        assert!(Passwords::refuse("short", "").is_some() && Passwords::refuse("Ana@acme.ex", "ana@acme.ex").is_some());
    }
}
