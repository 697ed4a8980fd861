//! Rounds over the groups that are to be looked at.

use std::time::{Duration, Instant};

use super::look::Looks;
use crate::repositories::Repositories;
use crate::store::{Store, StoreError};

/// The number of groups that are read at once.
const PAGE: i64 = 200;

/// The time after which the results so far are stored.
const STORED_AFTER: Duration = Duration::from_secs(1);

/// Looks at all groups that are to be looked at, and stores the results. `now` is in microseconds since 1970.
///
/// # Errors
///
/// Returns an error if the database fails. Results that were stored until then stay.
pub(crate) async fn assign_due(store: &Store, repositories: &Repositories, now: i64) -> Result<(), StoreError> {
    let mut page = store.groups_to_assign(0, PAGE).await?;
    if page.is_empty() {
        return Ok(());
    }
    let mut looks = Looks::new(store, repositories, store.repositories().await?);
    while let Some(last) = page.last().map(|group| group.id) {
        let (mut looked_at, mut since) = (Vec::new(), Instant::now());
        for group in &page {
            looked_at.extend(looks.look(group).await?);
            if since.elapsed() >= STORED_AFTER {
                store.add_looks(std::mem::take(&mut looked_at), now).await?;
                since = Instant::now();
            }
        }
        if !looked_at.is_empty() {
            store.add_looks(looked_at, now).await?;
        }
        page = store.groups_to_assign(last, PAGE).await?;
    }
    Ok(())
}
