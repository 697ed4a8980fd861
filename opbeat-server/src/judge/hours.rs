//! Looks at the last hours of apps, without a release: changes that are found, and whether those that were found are over.

use std::collections::BTreeMap;
use std::sync::Arc;

use opbeat_judgement::Look;

use super::due::{DELAY, Due, Subject, minutes_of};
use super::history::History;
use super::look::{judge, look_at};
use crate::repositories::Repositories;
use crate::store::{Cause, FindingRow, HourDue, OpenChange, Store, StoreError};

const MICROS: i64 = 1_000_000;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The look that is taken at the end of each hour.
const LOOK: Look = Look::ThreeHours;

/// The largest number of apps that are looked at before the releases are looked at again, a minute later.
const MAX_APPS: i64 = 100;

/// The time since the last release without which there is nothing to compare with. Looks at the release have this time.
const SINCE_RELEASE: i64 = 6 * HOUR;

/// The largest number of changes of an app that are followed.
const MAX_FOLLOWED: i64 = 50;

/// After this time a change is what is usual.
const LONGEST: i64 = 7 * DAY;

/// The result of a look at an hour: new changes, and the ids of those that are over.
type Found = (Vec<FindingRow>, Vec<i64>);

/// Looks at the last complete hour of apps at a time, in microseconds since 1970. Hours before it that were missed are left out.
pub(super) async fn take_hours(store: &Store, repositories: Option<&Repositories>, now: i64) -> Result<(), StoreError> {
    let hour = last_hour(now);
    for app in store.hours_due(hour, hour - length(), MAX_APPS).await? {
        let (found, over) = match take_hour(store, repositories, &app, hour, now).await {
            Ok(found) => found,
            Err(error) if error.cause() == Cause::Outage => return Err(error),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    app_id = app.app_id,
                    "the last hours of an app cannot be read; they are not judged"
                );
                Found::default()
            }
        };
        store.add_hour(&app.app_id, hour, found, over).await?;
    }
    Ok(())
}

/// Returns the end of the last hour whose data have arrived, in seconds since 1970.
const fn last_hour(now: i64) -> i64 {
    let now = now.div_euclid(MICROS) - DELAY;
    now - now.rem_euclid(HOUR)
}

/// Returns the seconds that are looked at.
fn length() -> i64 {
    minutes_of(LOOK) * 60
}

async fn take_hour(
    store: &Store,
    repositories: Option<&Repositories>,
    app: &HourDue,
    hour: i64,
    now: i64,
) -> Result<Found, StoreError> {
    let open = store.open_changes(&app.app_id, MAX_FOLLOWED).await?;
    let over = over(store, app, &open, hour).await?;
    let begin = hour - length();
    let due = due(app, (begin, begin));
    if app.last_release.is_some_and(|(_, at)| begin - at.div_euclid(MICROS) < SINCE_RELEASE) {
        return Ok((Vec::new(), over));
    }
    let history = Arc::new(History::read(store, &due).await?);
    // Without the day before, nothing is known about this hour of the day.
    if !history.reaches_back_to(begin - DAY) {
        return Ok((Vec::new(), over));
    }
    let is_new = |transaction: i64| open.iter().all(|change| change.transaction != transaction);
    Ok((look_at(store, repositories, &due, history, now, is_new).await?, over))
}

/// Returns a look at the time after a change.
fn due(app: &HourDue, change: (i64, i64)) -> Due {
    let released_at = app.last_release.map(|(_, at)| at.div_euclid(MICROS)).filter(|at| *at < change.0);
    let subject =
        Subject::Time { release: app.last_release.map(|(number, _)| number), since: released_at.unwrap_or(0) };
    Due { app_id: app.app_id.clone(), subject, change, look: LOOK, is_overtaken: false }
}

/// Returns the ids of the changes that are over: the last hours show less than half of the effect.
async fn over(store: &Store, app: &HourDue, open: &[OpenChange], hour: i64) -> Result<Vec<i64>, StoreError> {
    let begin = hour - length();
    let mut over = Vec::new();
    let mut by_time: BTreeMap<i64, Vec<&OpenChange>> = BTreeMap::new();
    for change in open {
        let began = change.began_at.div_euclid(MICROS);
        if hour - began > LONGEST {
            over.push(change.id);
        } else if began <= begin {
            by_time.entry(began).or_default().push(change);
        }
    }
    for (began, changes) in by_time {
        let due = due(app, (began, begin));
        let history = Arc::new(History::read(store, &due).await?);
        let place = |change: &&OpenChange| {
            history.transactions.iter().position(|transaction| transaction.id == change.transaction)
        };
        let places = changes.iter().filter_map(place).collect();
        for judged in judge(Arc::clone(&history), due, Some((places, Vec::new()))).await {
            let id = history.transactions[judged.place].id;
            let change = changes.iter().find(|change| change.transaction == id);
            over.extend(change.filter(|change| judged.finding.is_below(change.effect / 2.0)).map(|change| change.id));
        }
    }
    Ok(over)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_looked_at_when_its_data_have_arrived() {
        assert_eq!(last_hour((10 * HOUR + DELAY - 1) * MICROS), 9 * HOUR);
        assert_eq!(last_hour((10 * HOUR + DELAY) * MICROS), 10 * HOUR);
    }
}
