//! Takes the looks that are due.

use super::due::{Due, Subject, due, minutes_of};
use super::hours::take_hours;
use super::look::look;
use crate::repositories::Repositories;
use crate::store::{Cause, Store, StoreError};

const MICROS: i64 = 1_000_000;

/// The seconds before a deployment from which on it explains a change: machines can have it before they report it, and the
/// begin of a change is not exact.
const EXPLAINS: i64 = 2 * 3_600;

/// Takes all looks that are due at a time, in microseconds since 1970, and stores the findings.
///
/// A release whose data cannot be read is not looked at, and costs the others nothing. Without repositories, sentences do not
/// say who changed a line.
///
/// # Errors
///
/// Returns an error if the database is away. Looks that were taken until then are stored.
pub(crate) async fn take_looks(store: &Store, repositories: Option<&Repositories>, now: i64) -> Result<(), StoreError> {
    for due in due(&store.recent_releases(now).await?, now) {
        let found = if due.is_overtaken { Ok(Vec::new()) } else { look(store, repositories, &due, now).await };
        let findings = match found {
            Ok(findings) => findings,
            Err(error) if error.cause() == Cause::Outage => return Err(error),
            Err(error) => {
                let Due { app_id, subject, look, .. } = &due;
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    app_id,
                    ?subject,
                    ?look,
                    "the data around a release cannot be read; it is not judged"
                );
                Vec::new()
            }
        };
        if let Subject::Release(number) = due.subject {
            let explains_since = (due.change.0 - EXPLAINS).saturating_mul(MICROS);
            store.add_look(&due.app_id, number, minutes_of(due.look), findings, explains_since).await?;
        }
    }
    take_hours(store, repositories, now).await
}
