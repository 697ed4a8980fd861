//! The ids of tokens, by which they are listed and revoked.

use std::fmt;

use jiff::Timestamp;

use crate::random::hex;
use crate::store::{Access, Store, StoreError, TokenRow};

/// The smallest number of hexadecimal digits of an id.
const MIN_DIGITS: usize = 8;

/// A token with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The first digits of its hash: at least eight, and more if other tokens have the same ones.
    pub(crate) id: String,
    /// Its hash and its owner.
    pub(crate) row: TokenRow,
}

/// A token cannot be revoked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RevokeError {
    /// The text is no id.
    #[error("{0:?} is no id of a token; `opbeat token list` prints the ids, which have at least 8 hexadecimal digits")]
    NoId(String),
    /// No token has the id.
    #[error("there is no token with the id {0}; `opbeat token list` prints all of them")]
    Unknown(String),
    /// Several tokens have the id.
    #[error("several tokens have ids that start with {id}; give more digits of one of them:{}", lines(.candidates))]
    Ambiguous {
        /// The digits.
        id: String,
        /// The tokens.
        candidates: Vec<Token>,
    },
    /// The database failed.
    #[error("cannot revoke the token")]
    Database(#[from] StoreError),
}

impl Token {
    /// Returns `secret` for the token of an agent, and `read`, `write` or `manage` for the token of a person or a program.
    pub(crate) fn kind(&self) -> &'static str {
        self.row.access.map_or("secret", Access::as_str)
    }
}

/// The kind, the id, the owner and the time of creation: `the secret token 1234abcd of acme/shop, created at …`.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TokenRow { organization, app, created_at, .. } = &self.row;
        write!(f, "the {} token {} of {organization}", self.kind(), self.id)?;
        app.iter().try_for_each(|app| write!(f, "/{app}"))?;
        write!(f, ", created at {:.0}", Timestamp::from_microsecond(*created_at).unwrap_or_default())
    }
}

/// Returns all tokens, in the order of their ids.
pub(crate) async fn list_tokens(store: &Store) -> Result<Vec<Token>, StoreError> {
    Ok(with_ids(store.tokens().await?))
}

/// Revokes the token with an id, and returns it.
///
/// Requests with a read token fail at once, and its sessions end. A running server refuses a secret token within five
/// seconds.
pub(crate) async fn revoke_token(store: &Store, id: &str) -> Result<Vec<Token>, RevokeError> {
    let digits = id.to_ascii_lowercase();
    if digits.len() < MIN_DIGITS || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(RevokeError::NoId(id.to_owned()));
    }
    let mut candidates = list_tokens(store).await?;
    candidates.retain(|token| hex(&token.row.hash).starts_with(&digits));
    let Some(hash) = candidates.first().map(|token| token.row.hash) else {
        return Err(RevokeError::Unknown(digits));
    };
    // The same text may be a secret token and a read token.
    if candidates.iter().any(|token| token.row.hash != hash) {
        return Err(RevokeError::Ambiguous { id: digits, candidates });
    }
    if store.remove_token(&hash).await? { Ok(candidates) } else { Err(RevokeError::Unknown(digits)) }
}

/// Gives tokens in the order of their hashes their ids.
fn with_ids(rows: Vec<TokenRow>) -> Vec<Token> {
    let hashes: Vec<String> = rows.iter().map(|row| hex(&row.hash)).collect();
    let shared = |a: Option<&String>, b: Option<&String>| {
        let pairs = a.into_iter().flat_map(|a| a.bytes()).zip(b.into_iter().flat_map(|b| b.bytes()));
        pairs.take_while(|(a, b)| a == b).count()
    };
    let id = |index: usize| {
        let hash = &hashes[index];
        let before = index.checked_sub(1).and_then(|before| hashes.get(before));
        let digits = shared(before, Some(hash)).max(shared(Some(hash), hashes.get(index + 1))) + 1;
        hash[..digits.clamp(MIN_DIGITS, hash.len())].to_owned()
    };
    rows.into_iter().enumerate().map(|(index, row)| Token { id: id(index), row }).collect()
}

/// Returns each token on a line of its own.
fn lines(tokens: &[Token]) -> String {
    tokens.iter().map(|token| format!("\n  {token}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewApp;

    async fn store_with(hashes: &[[u8; 32]]) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("opbeat.sqlite")).await;
        let new = NewApp { organization: "acme".to_owned(), app: "shop".to_owned(), ..NewApp::default() };
        for hash in hashes {
            store.create_app(&new, hash, 0).await.unwrap();
        }
        (folder, store)
    }

    /// Returns a hash that starts with some bytes.
    fn hash(start: &[u8]) -> [u8; 32] {
        let mut hash = [0; 32];
        hash[..start.len()].copy_from_slice(start);
        hash
    }

    #[tokio::test]
    async fn ids_are_as_long_as_needed_and_an_ambiguous_one_names_the_candidates() {
        let hashes = [hash(&[1, 2, 3, 4, 0x50]), hash(&[1, 2, 3, 4, 0x5f]), hash(&[9]), hash(&[1, 2, 3, 5])];
        let (_folder, store) = store_with(&hashes).await;
        let ids = async || list_tokens(&store).await.unwrap().into_iter().map(|token| token.id).collect::<Vec<_>>();
        assert_eq!(ids().await, ["0102030450", "010203045f", "01020305", "09000000"]);
        let error = revoke_token(&store, "01020304").await.unwrap_err().to_string();
        assert_eq!(
            error,
            "several tokens have ids that start with 01020304; give more digits of one of them:\n  \
             the secret token 0102030450 of acme/shop, created at 1970-01-01T00:00:00Z\n  \
             the secret token 010203045f of acme/shop, created at 1970-01-01T00:00:00Z"
        );
        let revoked = revoke_token(&store, "010203045F").await.unwrap();
        assert_eq!(revoked.iter().map(|token| &*token.id).collect::<Vec<_>>(), ["010203045f"]);
        assert_eq!(ids().await, ["01020304", "01020305", "09000000"]);
        assert!(matches!(revoke_token(&store, "010203045f").await, Err(RevokeError::Unknown(_))));
        for text in ["0102", "acme/shop", ""] {
            assert!(matches!(revoke_token(&store, text).await, Err(RevokeError::NoId(_))), "{text}");
        }
    }

    #[tokio::test]
    async fn one_text_that_is_two_tokens_is_revoked_as_both() {
        let (_folder, store) = store_with(&[hash(&[7])]).await;
        assert!(store.create_token("acme", &hash(&[7]), (Access::Read, ""), 0).await.unwrap());
        let tokens = list_tokens(&store).await.unwrap();
        assert!(tokens.len() == 2 && tokens.iter().all(|token| token.id.len() == 64), "{tokens:?}");
        assert_eq!(revoke_token(&store, "07000000").await.unwrap(), tokens);
        assert_eq!(list_tokens(&store).await.unwrap(), []);
    }
}
