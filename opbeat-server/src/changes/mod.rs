//! Changes: what one or more bodies change in the store, as plain values that can be added up.
//!
//! Intake makes them from a body, the queue holds them on disk, and the store applies them.

mod check_in;
mod document;
mod earlier;
mod encoding;
mod error;
mod packed;
mod release;
mod rollup;
mod sample;
mod span;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use check_in::NewCheckIn;
pub(crate) use document::{SampleDocument, SampleSpan, SpanGroup, issuing_frame};
pub(crate) use encoding::{BodyChanges, Usage, decode, encode, size, to_json};
pub(crate) use error::{ErrorUser, Grouping, GroupingRule, NewError, UserKey, UserNames};
pub(crate) use packed::{pack, pack_json, packed, unpack};
pub(crate) use release::{DeploymentDocument, InstalledModule, ModuleVcs, NewDeployment, NewRelease};
pub(crate) use rollup::{MAX_COUNT, MINUTES_KEPT, RESOLUTIONS, Rollup, SelfTime, TransactionKey};
pub(crate) use sample::{NewSample, NewSpanStack};
pub(crate) use span::{ErrorSpan, NewSpan, SpanId, TraceId, id_text};

/// The changes of one or more bodies.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// Durations by transaction, minute (seconds since 1970) and result.
    pub(crate) rollups: BTreeMap<(TransactionKey, i64, String), Rollup>,
    /// Self time by transaction, minute and kind of span.
    pub(crate) breakdowns: BTreeMap<(TransactionKey, i64, String), SelfTime>,
    /// Sampled transactions.
    pub(crate) samples: Vec<NewSample>,
    /// Stacks that spans were started from.
    pub(crate) span_stacks: Vec<NewSpanStack>,
    /// Spans that are joined to transactions in the store.
    pub(crate) spans: Vec<NewSpan>,
    /// Errors.
    pub(crate) errors: Vec<NewError>,
    /// How much data agents dropped.
    pub(crate) drops: BTreeMap<DropKey, u64>,
    /// The number of values that intake changed, of bodies that it refused, and of values that share a name.
    pub(crate) notes: BTreeMap<NoteKey, u64>,
    /// Completed releases.
    pub(crate) releases: Vec<NewRelease>,
    /// The modules that are installed on machines.
    pub(crate) deployments: Vec<NewDeployment>,
    /// Starts and ends of scheduled jobs.
    pub(crate) check_ins: Vec<NewCheckIn>,
}

/// The key under which an app's notes are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct NoteKey {
    /// The app's id.
    pub(crate) app_id: String,
    /// The minute of the receipt, in seconds since 1970.
    pub(crate) minute: i64,
    /// The action of intake.
    pub(crate) action: NoteAction,
    /// The reason, such as `too_long` or `not_json`.
    pub(crate) reason: String,
}

/// The action of intake that a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum NoteAction {
    /// It replaced, clamped, cut or left out a value, and accepted the rest of the body.
    Changed,
    /// It refused the body.
    Refused,
    /// The store counted it under a name that many share, since the app has too many names.
    Folded,
}

impl NoteAction {
    /// Returns the name of the action in the database and in the API.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Refused => "refused",
            Self::Folded => "folded",
        }
    }
}

/// The key under which an app's drops are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct DropKey {
    /// The app's id.
    pub(crate) app_id: String,
    /// The minute in which the server received the report, in seconds since 1970.
    pub(crate) minute: i64,
    /// The reason, one of [`DROP_REASONS`](opbeat_protocol::DROP_REASONS).
    pub(crate) reason: String,
}

impl Changes {
    /// Returns the number of events, by which limits and quotas of apps count.
    ///
    /// An event is an error, a sampled transaction, a count of transactions with one name, minute and result, a span
    /// that arrived by itself, a check-in, a release or a deployment.
    pub(crate) fn events(&self) -> u64 {
        // A span that arrived by itself can stand for a transaction, which is counted with it.
        let transactions = if self.spans.is_empty() { self.rollups.len() + self.samples.len() } else { 0 };
        let others = self.check_ins.len() + self.releases.len() + self.deployments.len();
        (self.errors.len() + self.spans.len() + transactions + others) as u64
    }

    /// Adds the changes of other bodies.
    pub(crate) fn merge(&mut self, other: Self) {
        for (key, rollup) in other.rollups {
            self.rollups.entry(key).or_default().merge(&rollup);
        }
        for (key, self_time) in other.breakdowns {
            self.breakdowns.entry(key).or_default().merge(self_time);
        }
        self.samples.extend(other.samples);
        self.span_stacks.extend(other.span_stacks);
        self.spans.extend(other.spans);
        self.errors.extend(other.errors);
        self.releases.extend(other.releases);
        self.deployments.extend(other.deployments);
        self.check_ins.extend(other.check_ins);
        add(&mut self.drops, other.drops);
        add(&mut self.notes, other.notes);
    }
}

fn add<K: Ord>(totals: &mut BTreeMap<K, u64>, counts: BTreeMap<K, u64>) {
    for (key, count) in counts {
        let total = totals.entry(key).or_default();
        *total = total.saturating_add(count);
    }
}
