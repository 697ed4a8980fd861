//! The changes as earlier versions encoded them. A server that is updated has some of them in its queue.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Changes, DropKey, ErrorSpan, Grouping, NewCheckIn, NewDeployment, NewError, NewRelease, NewSample, NewSpan,
    NewSpanStack, NoteKey, Rollup, SelfTime, TransactionKey,
};

/// The changes of one body before errors had users.
#[derive(Deserialize)]
pub(super) struct ChangesWithoutUsers {
    earlier: EarlierChanges,
    check_ins: Vec<NewCheckIn>,
}

impl From<ChangesWithoutUsers> for Changes {
    fn from(ChangesWithoutUsers { earlier, check_ins }: ChangesWithoutUsers) -> Self {
        Self { check_ins, ..Self::from(earlier) }
    }
}

/// The changes of one body, without check-ins.
#[derive(Deserialize)]
pub(super) struct EarlierChanges {
    rollups: BTreeMap<(TransactionKey, i64, String), Rollup>,
    breakdowns: BTreeMap<(TransactionKey, i64, String), SelfTime>,
    samples: Vec<NewSample>,
    span_stacks: Vec<NewSpanStack>,
    spans: Vec<NewSpan>,
    errors: Vec<EarlierError>,
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
            errors: errors.into_iter().map(Into::into).collect(),
            drops,
            notes,
            releases,
            deployments,
            check_ins: Vec::new(),
        }
    }
}

/// An error without its user.
#[derive(Deserialize)]
struct EarlierError {
    app_id: String,
    #[serde(with = "serde_bytes")]
    fingerprint: Vec<u8>,
    grouping: Grouping,
    happened_at: i64,
    type_name: String,
    message: String,
    culprit: String,
    occurrences: i64,
    level: String,
    transaction_name: String,
    transaction_external_id: String,
    external_id: String,
    span: Option<ErrorSpan>,
    #[serde(with = "serde_bytes")]
    notes: Vec<u8>,
    #[serde(with = "serde_bytes")]
    document: Vec<u8>,
}

impl From<EarlierError> for NewError {
    fn from(earlier: EarlierError) -> Self {
        let EarlierError {
            app_id,
            fingerprint,
            grouping,
            happened_at,
            type_name,
            message,
            culprit,
            occurrences,
            level,
            transaction_name,
            transaction_external_id,
            external_id,
            span,
            notes,
            document,
        } = earlier;
        Self {
            app_id,
            fingerprint,
            grouping,
            happened_at,
            type_name,
            message,
            culprit,
            occurrences,
            level,
            transaction_name,
            transaction_external_id,
            external_id,
            span,
            notes,
            document,
            user: None,
            json_size: 0,
        }
    }
}
