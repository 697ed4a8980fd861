//! Requests with spans, of a size that receivers accept.

use prost::Message;

use super::messages::{ExportTraces, ResourceSpans, ScopeSpans};
use super::source::{SCHEMA_URL, Source};
use super::spans::spans;
use crate::pipeline::Batch;
use crate::record::{Drops, ErrorRecord, TransactionId};

/// The size in bytes at which a request takes no further transaction.
const FULL: usize = 1 << 20;

/// One request, and the number of the batch's first samples that it contains.
pub(super) struct TraceChunk {
    pub(super) message: ExportTraces,
    samples: usize,
}

/// Makes the next request. Returns `None` if no samples are left.
pub(super) fn next(batch: &Batch, source: &Source) -> Option<TraceChunk> {
    let (mut all, mut size, mut samples) = (Vec::new(), 0, 0);
    for sample in &batch.samples {
        let errors: Vec<&ErrorRecord> = batch.errors.iter().filter(|error| is_event_of(error, sample.id)).collect();
        let spans = spans(sample, &errors);
        size += spans.iter().map(Message::encoded_len).sum::<usize>();
        if size > FULL && samples > 0 {
            break;
        }
        all.extend(spans);
        samples += 1;
    }
    let scope = ScopeSpans { scope: Some(source.scope.clone()), spans: all };
    let resource = ResourceSpans {
        resource: Some(source.resource.clone()),
        scope_spans: vec![scope],
        schema_url: SCHEMA_URL.to_owned(),
    };
    (samples > 0).then(|| TraceChunk { message: ExportTraces { resource_spans: vec![resource] }, samples })
}

/// Returns whether an error is sent as an event of the span of a transaction. Reports below `Level::Error` are no
/// exceptions.
fn is_event_of(error: &ErrorRecord, id: TransactionId) -> bool {
    error.level.is_failure() && error.transaction.as_ref().is_some_and(|transaction| transaction.id == id)
}

/// Returns whether an error waits for the request with the sample of its transaction.
pub(super) fn is_event(error: &ErrorRecord, batch: &Batch) -> bool {
    batch.samples.iter().any(|sample| is_event_of(error, sample.id))
}

impl TraceChunk {
    /// Removes the samples from the batch, with the errors that are events of their spans. Returns their numbers.
    pub(super) fn remove_from(&self, batch: &mut Batch) -> Drops {
        let removed: Vec<TransactionId> = batch.samples.drain(..self.samples).map(|sample| sample.id).collect();
        let mut errors = 0;
        batch.errors.retain(|error| {
            let is_removed = removed.iter().any(|id| is_event_of(error, *id));
            errors += if is_removed { error.occurrences } else { 0 };
            !is_removed
        });
        Drops { samples: self.samples as u64, errors, rejected: 1, ..Drops::default() }
    }
}
