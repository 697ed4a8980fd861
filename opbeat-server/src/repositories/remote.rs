//! The addresses of repositories, and the tokens in files.

use std::io::Read;

use opbeat_repository::{Credentials, Remote};

use crate::store::NewRepository;

/// The largest file with a token, in bytes.
const MAX_TOKEN: u64 = 4_096;

/// The user beside a token. Forges accept any name.
const USER: &str = "token";

/// An address is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddressError {
    /// It contains a user or a password.
    #[error(
        "the address contains a user or a password; leave them out, put the token into a file that only the server can \
         read, and name the file with --token-file"
    )]
    HasCredentials,
    /// It contains parameters, which can be secrets: it is shown on pages and in messages.
    #[error(
        "the address contains parameters, which are shown with it; leave out what follows ? or #, and put a token into a \
         file with --token-file"
    )]
    HasParameters,
    /// It is empty or too long.
    #[error("give an address with https:// or http://, or an absolute path, of at most 2,000 characters")]
    NoAddress,
}

/// Returns the address as it is stored. The database must not contain credentials.
pub(crate) fn checked_url(url: &str) -> Result<String, AddressError> {
    let url = url.trim();
    if url.is_empty() || url.len() > 2_000 || url.contains(['\n', '\r', '\0']) {
        return Err(AddressError::NoAddress);
    }
    // A path may contain the character @.
    if url.split_once("://").is_some_and(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or("").contains('@')) {
        return Err(AddressError::HasCredentials);
    }
    if url.contains("://") && url.contains(['?', '#']) {
        return Err(AddressError::HasParameters);
    }
    Ok(url.to_owned())
}

/// Returns the remote of a repository as far as its clone needs it.
pub(super) fn without_token(repository: &NewRepository) -> Remote {
    Remote::new(&repository.url)
}

/// Returns the remote of a repository with the token of its file: `token`, or `user:token`.
pub(super) fn with_token(repository: &NewRepository) -> Result<Remote, String> {
    let remote = without_token(repository);
    if repository.token_file.is_empty() {
        return Ok(remote);
    }
    let path = &repository.token_file;
    let failed = |reason: &str| format!("the token cannot be read from {path}: {reason}");
    let file = std::fs::File::open(path).map_err(|error| failed(&error.to_string()))?;
    let mut text = String::new();
    file.take(MAX_TOKEN + 1).read_to_string(&mut text).map_err(|error| failed(&error.to_string()))?;
    let text = text.trim();
    if text.is_empty() || text.len() as u64 > MAX_TOKEN || text.contains(char::is_control) {
        return Err(failed("the file must contain one line, with `TOKEN` or `USER:TOKEN`"));
    }
    let (user, secret) = text.split_once(':').unwrap_or((USER, text));
    Ok(remote.with_credentials(Credentials { user: user.to_owned(), secret: secret.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(token_file: &str) -> NewRepository {
        NewRepository {
            url: "https://git.example/shop.git".to_owned(),
            token_file: token_file.to_owned(),
            branch: String::new(),
            prefix: String::new(),
            allows_private: false,
        }
    }

    #[test]
    fn addresses_with_secrets_are_refused_without_repeating_them() {
        for url in [
            "https://ana:hunter2@git.example/shop.git",
            "http://hunter2@git.example",
            "ssh://git@git.example/x",
            "https://git.example/shop.git?private_token=hunter2",
            "https://git.example/shop.git#hunter2",
        ] {
            let error = checked_url(url).unwrap_err().to_string();
            assert!(error.contains("--token-file") && !error.contains("hunter2"), "{error}");
        }
        for url in ["https://git.example/a@b.git", "/srv/git/a@b.git", "file:///srv/git/shop.git"] {
            assert_eq!(checked_url(url).unwrap(), url);
        }
        assert!(checked_url("").is_err() && checked_url(&"x".repeat(3_000)).is_err());
    }

    #[test]
    fn the_file_of_a_token_has_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let path = path.to_str().unwrap();
        for (text, is_ok) in [("hunter2\n", true), ("ana:hunter2", true), ("", false), ("one\ntwo", false)] {
            std::fs::write(path, text).unwrap();
            let remote = with_token(&repository(path));
            assert_eq!(remote.is_ok(), is_ok, "{text:?}");
            assert!(!format!("{remote:?}").contains("hunter2"), "{remote:?}");
        }
        std::fs::write(path, "x".repeat(5_000)).unwrap();
        assert!(with_token(&repository(path)).is_err());
        let missing = with_token(&repository("/nonexistent/token")).unwrap_err();
        assert!(missing.contains("/nonexistent/token"), "{missing}");
    }
}
