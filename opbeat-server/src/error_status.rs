//! The status of error groups: open, resolved or muted; and the rule by which a group opens again.
//!
//! ```text
//!            resolve                       mute
//! resolved ◄───────── open ─────────────────────────► muted
//!     │                 ▲ ▲                             │
//!     └─────────────────┘ └─────────────────────────────┘
//!   an error afterwards:   an error after the time, the number of errors
//!   the group regressed    or the release that it was muted until
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::assignment::AssignedBy;

/// The status of an error group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Somebody has to look at it.
    Open,
    /// It is mended. The next error opens it again.
    Resolved,
    /// The list of open errors does not show it, for ever or until one of its ends.
    Muted,
}

impl Status {
    /// Returns the status as text, as it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Muted => "muted",
        }
    }

    /// Returns the status of a stored text. One that a newer version of the server wrote counts as open.
    pub(crate) fn of(text: &str) -> Self {
        [Self::Resolved, Self::Muted].into_iter().find(|status| status.as_str() == text).unwrap_or(Self::Open)
    }
}

/// A status that a list is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusFilter {
    /// Open groups, with those that regressed.
    Open,
    /// Open groups that were resolved before.
    Regressed,
    /// Resolved groups.
    Resolved,
    /// Muted groups.
    Muted,
}

impl StatusFilter {
    /// All filters.
    pub(crate) const ALL: [Self; 4] = [Self::Open, Self::Regressed, Self::Resolved, Self::Muted];

    /// Returns the filter as text, as addresses have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Regressed => "regressed",
            Self::Resolved => "resolved",
            Self::Muted => "muted",
        }
    }

    /// Returns the filter of a text.
    pub(crate) fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.as_str() == text)
    }
}

/// The numbers of an app's groups by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct StatusCounts {
    /// Open groups, with those that regressed.
    pub(crate) open: i64,
    /// Open groups that were resolved before.
    pub(crate) regressed: i64,
    /// Resolved groups.
    pub(crate) resolved: i64,
    /// Muted groups.
    pub(crate) muted: i64,
}

/// A change of the status by a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusChange {
    /// Opens the group.
    Open,
    /// Resolves the group.
    Resolve {
        /// Whether it is mended only in the next release: errors of the current one do not open it.
        in_next_release: bool,
    },
    /// Mutes the group, until one of its ends.
    Mute(MuteEnds),
}

/// The ends of a mute. Without any, it does not end by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MuteEnds {
    /// A time, in microseconds since 1970.
    pub(crate) time: Option<i64>,
    /// A number of further errors.
    pub(crate) further_errors: Option<i64>,
    /// Whether it ends with the first error of the next release.
    pub(crate) next_release: bool,
}

/// The conditions under which a group that is not open opens again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// The status until then.
    pub(crate) status: Status,
    /// When it got this status, in microseconds since 1970.
    pub(crate) since: i64,
    /// The number of a release. Resolved groups open with errors of later releases only; muted ones open with them.
    pub(crate) after_release: Option<i64>,
    /// A time, in microseconds since 1970.
    pub(crate) until_time: Option<i64>,
    /// The number of errors of the group, with all before.
    pub(crate) until_count: Option<i64>,
}

/// An error of a group, as far as it decides about the group's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// When it happened, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// The number of the release in which it happened, or 0 if the app had none.
    pub(crate) release: i64,
}

impl Conditions {
    /// Returns the event by which an error opens the group, if it does. `times_seen` is the number of the group's errors
    /// with this one.
    ///
    /// Errors that happened before, and were received late, open no group.
    pub(crate) fn opened_by(&self, error: Seen, times_seen: i64) -> Option<Event> {
        if error.happened_at <= self.since {
            return None;
        }
        let is_later_release = self.after_release.is_some_and(|release| error.release > release);
        match self.status {
            Status::Open => None,
            Status::Resolved if self.after_release.is_some() && !is_later_release => None,
            Status::Resolved => Some(Event::Regressed { release: error.release }),
            Status::Muted => {
                let reason = if self.until_time.is_some_and(|end| error.happened_at >= end) {
                    MuteEnd::Time
                } else if self.until_count.is_some_and(|end| times_seen >= end) {
                    MuteEnd::Count
                } else if is_later_release {
                    MuteEnd::Release
                } else {
                    return None;
                };
                Some(Event::Unmuted { reason })
            }
        }
    }
}

/// The end of a mute that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MuteEnd {
    /// Its time.
    Time,
    /// The number of errors.
    Count,
    /// The next release.
    Release,
}

/// An event of an error group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Event {
    /// Its first error happened.
    Created {
        /// The number of the release in which it happened, or 0 if the app had none.
        release: i64,
    },
    /// Somebody resolved it.
    Resolved {
        /// The number of the newest release then, if errors of later ones only open it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_release: Option<i64>,
    },
    /// Somebody muted it.
    Muted {
        /// The time at which it ends, RFC 3339 in UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        until: Option<Timestamp>,
        /// The number of further errors after which it ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        further_errors: Option<i64>,
        /// The number of the newest release then, if it ends with the next one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_release: Option<i64>,
    },
    /// Somebody opened it again.
    Opened,
    /// An error opened it after it was resolved.
    Regressed {
        /// The number of the release in which the error happened, or 0 if the app had none.
        release: i64,
    },
    /// An error opened it, because the mute was over.
    Unmuted {
        /// The end that came.
        reason: MuteEnd,
    },
    /// It was assigned.
    Assigned {
        /// The name of the person or the team; `null` if somebody assigned it to nobody.
        assignee: Option<String>,
        /// The cause.
        by: AssignedBy,
        /// The reason in a sentence.
        reason: String,
    },
    /// Somebody wrote a comment.
    Commented {
        /// The text.
        text: String,
    },
    /// It happens much more often than before.
    Spiked {
        /// The number of errors in the last hour.
        in_hour: i64,
        /// The number of errors of an average day before.
        per_day: i64,
        /// The number of days before.
        days: i64,
    },
    /// Somebody merged another error into it.
    Merged {
        /// The number of the other one.
        error: i64,
    },
    /// Somebody merged it into another error.
    MergedInto {
        /// The number of the other one.
        error: i64,
    },
    /// Somebody split a merged error from it.
    Split {
        /// The number of the other one.
        error: i64,
    },
    /// Somebody split it from the error that it was merged into.
    SplitFrom {
        /// The number of the other one.
        error: i64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESOLVED: Conditions =
        Conditions { status: Status::Resolved, since: 10, after_release: None, until_time: None, until_count: None };

    fn seen(happened_at: i64, release: i64) -> Seen {
        Seen { happened_at, release }
    }

    #[test]
    fn the_first_error_afterwards_is_a_regression() {
        assert_eq!(RESOLVED.opened_by(seen(10, 0), 5), None, "it happened before");
        assert_eq!(RESOLVED.opened_by(seen(11, 3), 5), Some(Event::Regressed { release: 3 }));
        let in_next = Conditions { after_release: Some(3), ..RESOLVED };
        assert_eq!(in_next.opened_by(seen(11, 3), 5), None, "the release before");
        assert_eq!(in_next.opened_by(seen(11, 4), 5), Some(Event::Regressed { release: 4 }));
    }

    #[test]
    fn a_mute_ends_with_the_first_of_its_ends() {
        let muted = Conditions { status: Status::Muted, ..RESOLVED };
        assert_eq!(muted.opened_by(seen(1_000, 9), 1_000), None, "it has no end");
        let muted = Conditions { until_time: Some(20), until_count: Some(7), after_release: Some(3), ..muted };
        assert_eq!(muted.opened_by(seen(19, 3), 6), None);
        let reasons =
            [(20, 3, 6), (19, 3, 7), (19, 4, 6)].map(|(at, release, times)| muted.opened_by(seen(at, release), times));
        let expected = [MuteEnd::Time, MuteEnd::Count, MuteEnd::Release].map(|reason| Some(Event::Unmuted { reason }));
        assert_eq!(reasons, expected);
    }
}
