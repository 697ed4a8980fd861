//! The changes as the version before check-ins encoded them. A server that is updated has some of them in its queue.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    BodyChanges, Changes, DropKey, NewDeployment, NewError, NewRelease, NewSample, NewSpan, NewSpanStack, NoteKey,
    Rollup, SelfTime, TransactionKey,
};

/// The changes of one body.
#[derive(Deserialize)]
pub(super) struct EarlierBody {
    app_id: String,
    idempotency_key: String,
    received_at: i64,
    changes: EarlierChanges,
}

#[derive(Deserialize)]
struct EarlierChanges {
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

impl From<EarlierBody> for BodyChanges {
    fn from(body: EarlierBody) -> Self {
        let EarlierBody { app_id, idempotency_key, received_at, changes } = body;
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
        } = changes;
        let check_ins = Vec::new();
        let changes = Changes {
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
            check_ins,
        };
        Self { app_id, idempotency_key, received_at, changes }
    }
}
