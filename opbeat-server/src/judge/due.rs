//! The looks that are due.

use opbeat_judgement::Look;

use crate::store::RecentRelease;

const MICROS: i64 = 1_000_000;

/// The seconds from the end of a look's time until it is taken. Data of that time arrives until then.
pub(super) const DELAY: i64 = 360;

/// The longest deployment in seconds. A revision that is completed again much later was deployed again.
const MAX_DEPLOYMENT: i64 = 2 * 3_600;

/// The release or the time that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// A release, by its number.
    Release(i64),
    /// A time without a release.
    Time {
        /// The number of the release that runs, if there is one.
        release: Option<i64>,
        /// The begin of the time that is compared with, at the earliest, in seconds since 1970.
        since: i64,
    },
}

impl Subject {
    /// Returns the number of the release whose code runs.
    pub(super) const fn release(self) -> Option<i64> {
        match self {
            Self::Release(number) => Some(number),
            Self::Time { release, .. } => release,
        }
    }
}

/// A look at a release, or at a time without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// The app's id.
    pub(super) app_id: String,
    /// The release or the time that is looked at.
    pub(super) subject: Subject,
    /// When the deployment, or the change without one, began, and when the time after it begins, in seconds since 1970.
    pub(super) change: (i64, i64),
    /// The look.
    pub(super) look: Look,
    /// Whether another release was completed before the look's time was over, so that there is nothing to see.
    pub(super) is_overtaken: bool,
}

/// Returns the looks that are due, in the order in which they are to be taken. The releases of an app are in the order of
/// their last completion, the newest first. `now` is in microseconds since 1970.
pub(super) fn due(releases: &[RecentRelease], now: i64) -> Vec<Due> {
    let now = now.div_euclid(MICROS);
    let mut due = Vec::new();
    for of_app in releases.chunk_by(|a, b| a.app_id == b.app_id) {
        for (index, release) in of_app.iter().enumerate().rev() {
            let next = index.checked_sub(1).map(|newer| deployment(&of_app[newer]).0);
            let deployment = deployment(release);
            for look in Look::ALL {
                let minutes = minutes_of(look);
                let end = deployment.1 + minutes * 60;
                if now >= end + DELAY && !release.looks.contains(&minutes) {
                    let is_overtaken = next.is_some_and(|next| next < end);
                    let (app_id, subject) = (release.app_id.clone(), Subject::Release(release.number));
                    due.push(Due { app_id, subject, change: deployment, look, is_overtaken });
                }
            }
        }
    }
    due
}

/// Returns the minutes from a release to a look, as they are stored.
pub(super) fn minutes_of(look: Look) -> i64 {
    i64::try_from(look.minutes()).unwrap_or(i64::MAX)
}

/// Returns when a deployment began and ended, in seconds since 1970.
fn deployment(release: &RecentRelease) -> (i64, i64) {
    let (first, last) = (release.first_completed_at.div_euclid(MICROS), release.last_completed_at.div_euclid(MICROS));
    if last - first > MAX_DEPLOYMENT { (last, last) } else { (first, last) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(number: i64, minutes: (i64, i64), looks: &[i64]) -> RecentRelease {
        let (first_completed_at, last_completed_at) = (minutes.0 * 60 * MICROS, minutes.1 * 60 * MICROS);
        RecentRelease {
            app_id: "shop".to_owned(),
            number,
            first_completed_at,
            last_completed_at,
            looks: looks.to_vec(),
        }
    }

    fn due_at(releases: &[RecentRelease], minute: i64) -> Vec<(i64, i64, bool)> {
        let due = due(releases, minute * 60 * MICROS);
        due.iter().map(|due| (due.subject.release().unwrap(), minutes_of(due.look), due.is_overtaken)).collect()
    }

    #[test]
    fn looks_are_taken_once_when_their_time_is_over() {
        let one = |looks: &[i64]| [release(1, (1_000, 1_010), looks)];
        assert_eq!(due_at(&one(&[]), 1_045), []);
        assert_eq!(due_at(&one(&[]), 1_046), [(1, 30, false)]);
        assert_eq!(due_at(&one(&[30]), 1_076), [(1, 60, false)]);
        assert_eq!(due_at(&one(&[30, 60]), 9_000), [(1, 180, false), (1, 1_440, false)], "after a stop of the server");
    }

    #[test]
    fn the_next_release_ends_the_time_of_a_release() {
        let releases = [release(2, (1_100, 1_100), &[]), release(1, (1_000, 1_000), &[30])];
        assert_eq!(due_at(&releases, 1_140), [(1, 60, false), (2, 30, false)]);
        assert_eq!(due_at(&releases, 1_190), [(1, 60, false), (1, 180, true), (2, 30, false), (2, 60, false)]);
    }

    #[test]
    fn a_revision_that_is_deployed_again_is_judged_from_then_on() {
        let again = release(1, (1_000, 9_000), &[]);
        assert_eq!(deployment(&again), (9_000 * 60, 9_000 * 60));
        assert_eq!(deployment(&release(1, (1_000, 1_030), &[])), (60_000, 61_800));
    }
}
