//! The exceptions of a trace: one that several spans and a log record report counts once.

use std::collections::{HashMap, HashSet};

use super::rows::Written;
use super::trace::Trace;
use crate::changes::{ErrorSpan, SpanId, TraceId};
use crate::store::engine::{Connection, query};
use crate::store::error::StoreError;

/// The largest number of exceptions that are kept of a trace: those that can still be paired, and the newest.
const MAX_KEPT: usize = 500;

/// The largest number of spans around exceptions that are remembered.
const MAX_AROUND: usize = 100_000;

/// A hash of an exception's type and message.
type Hash = [u8; 8];

/// An exception that was reported.
#[derive(Clone, Copy, Debug)]
struct Exception {
    /// The id of its row, if it is stored.
    id: Option<i64>,
    hash: Hash,
    span_id: SpanId,
    is_log: bool,
    /// Whether both a log record and a span reported it.
    is_paired: bool,
    received_at: i64,
    /// Whether its row differs.
    is_changed: bool,
}

/// The exceptions of a trace.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    all: Vec<Exception>,
    /// The indices of those that are not paired, by their hash and whether a log record reported them.
    unpaired: HashMap<(Hash, bool), Vec<usize>>,
    /// The spans that reported them.
    spans: HashSet<(Hash, SpanId)>,
    /// These spans and the ones around them.
    around: HashSet<(Hash, SpanId)>,
}

impl Exceptions {
    /// Reads the exceptions of a trace.
    pub(super) fn load(
        connection: &mut Connection,
        app_id: &str,
        trace_id: TraceId,
        trace: &Trace,
    ) -> Result<Self, StoreError> {
        let rows = query(
            "SELECT id, exception, span_id, is_log, is_paired, received_at FROM trace_exceptions
             WHERE app_id = ? AND trace_id = ? ORDER BY is_paired, id DESC LIMIT ?",
        )
        .bind(app_id)
        .bind(&trace_id[..])
        .bind(MAX_KEPT as i64)
        .fetch_all(connection)?;
        let mut exceptions = Self::default();
        // The newest is paired first, and so is the last one.
        for row in rows.iter().rev() {
            let (hash, span_id): (&[u8], &[u8]) = (row.try_get("exception")?, row.try_get("span_id")?);
            let (Ok(hash), Ok(span_id)) = (hash.try_into(), span_id.try_into()) else { continue };
            let exception = Exception {
                id: Some(row.try_get("id")?),
                hash,
                span_id,
                is_log: row.try_get("is_log")?,
                is_paired: row.try_get("is_paired")?,
                received_at: row.try_get("received_at")?,
                is_changed: false,
            };
            exceptions.add(exception, trace);
        }
        Ok(exceptions)
    }

    /// Returns whether another span or a log record has reported an exception, and remembers the exception.
    ///
    /// An exception passes through nested spans, each of which can record it, and a logger can report it too. Equal
    /// exceptions of spans beside each other are failures of their own, as are repeated log records.
    pub(super) fn is_known(&mut self, span: &ErrorSpan, trace: &Trace) -> bool {
        let Some(hash) = span.exception else { return false };
        if !span.is_log && self.is_nested(hash, span.span_id, trace) {
            return true;
        }
        let other = self.unpaired.get_mut(&(hash, !span.is_log)).and_then(Vec::pop);
        if let Some(exception) = other.and_then(|index| self.all.get_mut(index)) {
            (exception.is_paired, exception.is_changed) = (true, true);
            let span_id = exception.span_id;
            // A log record that is paired stands for the exception in the spans around it too.
            self.add_span(hash, span_id, trace);
            return true;
        }
        let ErrorSpan { span_id, is_log, received_at, .. } = *span;
        let exception = Exception { id: None, hash, span_id, is_log, is_paired: false, received_at, is_changed: true };
        self.add(exception, trace);
        false
    }

    /// Stores the exceptions that are new or changed, and removes those that are too many.
    pub(super) fn write(
        self,
        connection: &mut Connection,
        app_id: &str,
        trace_id: TraceId,
        written: &mut Written,
    ) -> Result<(), StoreError> {
        for exception in self.all.iter().filter(|exception| exception.is_changed) {
            if let Some(id) = exception.id {
                let update = query("UPDATE trace_exceptions SET is_paired = 1 WHERE id = ?").bind(id);
                update.execute(&mut *connection)?;
                continue;
            }
            let row = query(
                "INSERT INTO trace_exceptions (app_id, trace_id, exception, span_id, is_log, is_paired, received_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            )
            .bind(app_id)
            .bind(&trace_id[..])
            .bind(&exception.hash[..])
            .bind(&exception.span_id[..])
            .bind(exception.is_log)
            .bind(exception.is_paired)
            .bind(exception.received_at)
            .fetch_one(&mut *connection)?;
            written.add(0, row.try_get(0)?);
        }
        if self.all.len() > MAX_KEPT {
            query(
                "DELETE FROM trace_exceptions WHERE id IN (
                     SELECT id FROM trace_exceptions WHERE app_id = ? AND trace_id = ?
                     ORDER BY is_paired, id DESC LIMIT 1000000000 OFFSET ?)",
            )
            .bind(app_id)
            .bind(&trace_id[..])
            .bind(MAX_KEPT as i64)
            .execute(connection)?;
        }
        Ok(())
    }

    /// Returns whether a span around a span, or within it, has reported an exception.
    fn is_nested(&self, hash: Hash, span: SpanId, trace: &Trace) -> bool {
        self.around.contains(&(hash, span))
            || trace.with_ancestors(span).any(|ancestor| self.spans.contains(&(hash, ancestor)))
    }

    fn add(&mut self, exception: Exception, trace: &Trace) {
        let Exception { hash, span_id, is_log, is_paired, .. } = exception;
        if !is_paired {
            self.unpaired.entry((hash, is_log)).or_default().push(self.all.len());
        }
        if !is_log || is_paired {
            self.add_span(hash, span_id, trace);
        }
        self.all.push(exception);
    }

    fn add_span(&mut self, hash: Hash, span: SpanId, trace: &Trace) {
        self.spans.insert((hash, span));
        for span in trace.with_ancestors(span) {
            if self.around.len() >= MAX_AROUND || !self.around.insert((hash, span)) {
                return;
            }
        }
    }
}
