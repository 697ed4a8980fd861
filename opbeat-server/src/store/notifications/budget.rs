//! The budget of messages in an hour: of each receiver, for each app.

use super::recipients::To;
use crate::notification::HOUR;
use crate::store::engine::{Connection, query};
use crate::store::error::StoreError;

/// The budget of a receiver for an app.
#[derive(Clone, Copy, Debug, Default)]
struct Budget {
    started_at: i64,
    sent: i64,
    suppressed: i64,
}

/// Counts a message. Returns the number of suppressed messages that it stands for too, or `None` if it is suppressed itself.
pub(super) fn spend(
    connection: &mut Connection,
    (app_id, to): (&str, &To),
    limit: i64,
    now: i64,
) -> Result<Option<i64>, StoreError> {
    let receiver = to.text();
    let row = query("SELECT started_at, sent, suppressed FROM notification_budgets WHERE app_id = ? AND receiver = ?")
        .bind(app_id)
        .bind(&receiver)
        .fetch_optional(connection)?;
    let before = match row {
        Some(row) => Some(Budget {
            started_at: row.try_get("started_at")?,
            sent: row.try_get("sent")?,
            suppressed: row.try_get("suppressed")?,
        }),
        None => None,
    };
    let current = before.filter(|budget| budget.started_at.saturating_add(HOUR) > now);
    let (after, suppressed) = match current {
        Some(budget) if budget.sent >= limit => {
            (Budget { suppressed: budget.suppressed.saturating_add(1), ..budget }, None)
        }
        Some(budget) => (Budget { sent: budget.sent + 1, ..budget }, Some(0)),
        None => {
            let suppressed = before.map_or(0, |before| before.suppressed);
            (Budget { started_at: now, sent: 1, suppressed: 0 }, Some(suppressed))
        }
    };
    query(
        "INSERT INTO notification_budgets (app_id, receiver, started_at, sent, suppressed) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (app_id, receiver) DO UPDATE SET
             started_at = excluded.started_at, sent = excluded.sent, suppressed = excluded.suppressed",
    )
    .bind(app_id)
    .bind(receiver)
    .bind(after.started_at)
    .bind(after.sent)
    .bind(after.suppressed)
    .execute(connection)?;
    Ok(suppressed)
}

/// Returns the apps and receivers whose hour is over, and who have had no message since some were suppressed.
pub(super) fn silent(connection: &mut Connection, now: i64, limit: i64) -> Result<Vec<(String, To)>, StoreError> {
    let rows = query(
        "SELECT app_id, receiver FROM notification_budgets WHERE suppressed > 0 AND started_at <= ?
         ORDER BY app_id, receiver LIMIT ?",
    );
    let rows = rows.bind(now.saturating_sub(HOUR)).bind(limit).fetch_all(connection)?;
    rows.iter().map(|row| Ok((row.try_get(0)?, To::of(row.try_get(1)?)))).collect()
}

/// Removes the budget of a receiver who gets no messages any more.
pub(super) fn remove(connection: &mut Connection, app_id: &str, to: &To) -> Result<(), StoreError> {
    let delete = query("DELETE FROM notification_budgets WHERE app_id = ? AND receiver = ?");
    delete.bind(app_id).bind(to.text()).execute(connection)?;
    Ok(())
}
