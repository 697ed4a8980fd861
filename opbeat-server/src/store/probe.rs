//! The app to which the server itself sends data, to measure how long data takes until it can be read.

use super::apps::{App, NewApp};
use super::database::Store;
use super::engine::query;
use super::error::StoreError;

/// The short name of the probe's organization. No other organization can have it, since it has an underscore.
///
/// Its apps and tokens are in no list: they are the server's own.
pub(super) const ORGANIZATION: &str = "_opbeat";

/// The short name of the probe's app.
const APP: &str = "probe";

/// The largest number of tokens, one for each process that sends probes. A process that is killed leaves its token.
const MAX_TOKENS: i64 = 100;

/// A limit that no probe reaches, so that the limits of the server's apps do not stop it.
const NO_LIMIT: i64 = 1 << 40;

/// The days for which the data of probes is kept.
const DAYS: i64 = 1;

impl Store {
    /// Adds a token of the probe by its SHA-256, and creates the app if it is missing. `now` is in microseconds since 1970.
    pub(crate) async fn open_probe(&self, token_hash: &[u8; 32], now: i64) -> Result<App, StoreError> {
        let new = NewApp { organization: ORGANIZATION.to_owned(), app: APP.to_owned(), ..NewApp::default() };
        let app = self.create_app(&new, token_hash, now).await?;
        let app_id = app.app_id.clone();
        self.write(move |connection| {
            query(
                "INSERT INTO app_settings (app_id, events_per_second, bytes_per_second, quota_events, sample_days,
                                           error_days, rollup_days)
                 VALUES (?1, ?2, ?2, ?2, ?3, ?3, ?3) ON CONFLICT (app_id) DO NOTHING",
            )
            .bind(&app_id)
            .bind(NO_LIMIT)
            .bind(DAYS)
            .execute(connection)?;
            query(
                "DELETE FROM secret_tokens WHERE app_id = ?1 AND hash NOT IN (
                     SELECT hash FROM secret_tokens WHERE app_id = ?1 ORDER BY created_at DESC, hash LIMIT ?2)",
            )
            .bind(&app_id)
            .bind(MAX_TOKENS)
            .execute(connection)?;
            Ok(())
        })
        .await?;
        Ok(app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Scope;
    use crate::store::read::AppFilter;
    use crate::store::stores;

    #[tokio::test]
    async fn the_probe_is_in_no_list_and_has_a_bounded_number_of_tokens() {
        for store in stores().await {
            let mut app = None;
            for number in 0..=MAX_TOKENS + 5 {
                let mut hash = [7; 32];
                hash[..8].copy_from_slice(&number.to_be_bytes());
                app = Some(store.open_probe(&hash, number).await.unwrap());
            }
            let app = app.unwrap();
            let tokens = store.secret_tokens().await.unwrap();
            assert_eq!(tokens.len() as i64, MAX_TOKENS);
            assert!(
                tokens.iter().all(|token| token.app_id == app.app_id && token.token_hash[7] > 5),
                "the newest stay"
            );
            assert_eq!(store.tokens().await.unwrap(), []);
            assert!(store.apps(&Scope::Everything, AppFilter::default(), 0, (10, 0)).await.unwrap().0.is_empty());
            let found = store.find_app(&Scope::Everything, &app.organization_id, &app.app_id).await.unwrap();
            assert_eq!(found, None);
            let limits = store.limits_of_apps().await.unwrap();
            assert_eq!(limits[&app.app_id].quota_events, Some(1 << 40));
            store.close().await;
        }
    }
}
