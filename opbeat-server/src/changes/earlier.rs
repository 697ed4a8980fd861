//! The changes as the version before check-ins encoded them. A server that is updated has some of them in its queue.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Changes, DropKey, NewDeployment, NewError, NewRelease, NewSample, NewSpan, NewSpanStack, NoteKey, Rollup, SelfTime,
    TransactionKey,
};

/// The changes of one body, without check-ins.
#[derive(Deserialize)]
pub(super) struct EarlierChanges {
    rollups: BTreeMap<(TransactionKey, i64, String), Rollup>,
    breakdowns: BTreeMap<(TransactionKey, i64, String), SelfTime>,
    samples: Vec<NewSample>,
    span_stacks: Vec<NewSpanStack>,
    spans: Vec<NewSpan>,
    errors: Vec<NewError>,
    drops: BTreeMap<DropKey, u64>,
    notes: BTreeMap<NoteKey, u64>,
    releases: Vec<NewRelease>,
    deployments: Vec<NewDeployment>,
}

impl From<EarlierChanges> for Changes {
    fn from(earlier: EarlierChanges) -> Self {
        let EarlierChanges {
            rollups,
            breakdowns,
            samples,
            span_stacks,
            spans,
            errors,
            drops,
            notes,
            releases,
            deployments,
        } = earlier;
        Self {
            rollups,
            breakdowns,
            samples,
            span_stacks,
            spans,
            errors,
            drops,
            notes,
            releases,
            deployments,
            check_ins: Vec::new(),
        }
    }
}
