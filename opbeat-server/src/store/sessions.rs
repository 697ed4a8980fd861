//! Browsers that are signed in with a read token.

use super::database::Store;
use super::engine::query;
use super::error::StoreError;

/// The largest number of sessions of one read token. Older ones end.
const MAX_SESSIONS: i64 = 100;

impl Store {
    /// Adds a session by its SHA-256, which ends at a time in microseconds since 1970, and removes the browser's
    /// session before it. Returns false if there is no such read token.
    pub(crate) async fn open_session(
        &self,
        token_hash: &[u8; 32],
        session_hash: &[u8; 32],
        before_hash: Option<&[u8; 32]>,
        (now, expires_at): (i64, i64),
    ) -> Result<bool, StoreError> {
        let (token_hash, session_hash, before_hash) = (*token_hash, *session_hash, before_hash.copied());
        self.write(move |connection| {
            let inserted = query(
                "INSERT INTO sessions (hash, token_hash, created_at, expires_at)
                 SELECT ?, hash, ?, ? FROM read_tokens WHERE hash = ?",
            )
            .bind(&session_hash)
            .bind(now)
            .bind(expires_at)
            .bind(&token_hash)
            .execute(connection)?;
            let outdated = "DELETE FROM sessions WHERE token_hash = ?1 AND (expires_at <= ?2 OR hash NOT IN (
                     SELECT hash FROM sessions WHERE token_hash = ?1 ORDER BY created_at DESC, hash LIMIT ?3))";
            query(outdated).bind(&token_hash).bind(now).bind(MAX_SESSIONS).execute(connection)?;
            if let Some(before) = before_hash.filter(|_| inserted > 0) {
                query("DELETE FROM sessions WHERE hash = ?").bind(&before).execute(connection)?;
            }
            Ok(inserted > 0)
        })
        .await
    }

    /// Ends a session. The ids of unknown ones, which anybody can send, do not keep the writer busy.
    pub(crate) async fn close_session(&self, session_hash: &[u8; 32]) -> Result<(), StoreError> {
        let is_known = query("SELECT 1 FROM sessions WHERE hash = ?").bind(&session_hash[..]);
        if is_known.read_optional(&self.readers).await?.is_none() {
            return Ok(());
        }
        query("DELETE FROM sessions WHERE hash = ?").bind(&session_hash[..]).run(&self.writer).await?;
        Ok(())
    }
}
