//! The positions of live spans, by the ids in their span contexts.
//!
//! A context of OpenTelemetry shows no more of its span than the ids. A child span finds its parent here, on any thread.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use foldhash::HashMap;
use opbeat_core::instrument::Position;
use opbeat_core::record::TraceParent;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};

/// The number of maps, each with its own lock. Threads that start spans rarely meet in one.
const SHARDS: usize = 16;

/// The largest number of spans in a map. Further spans are found only while they are current on the thread.
const MAX_SPANS: usize = 4_096;

/// The ids of a span: its trace's and its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SpanIds {
    trace: u128,
    span: u64,
}

impl SpanIds {
    /// Returns the ids of a valid span context.
    pub(super) fn of(context: &SpanContext) -> Option<Self> {
        let trace = u128::from_be_bytes(context.trace_id().to_bytes());
        let span = u64::from_be_bytes(context.span_id().to_bytes());
        (trace != 0 && span != 0).then_some(Self { trace, span })
    }
}

/// A position that a context carries, although its span is not one of OpenTelemetry.
pub(super) struct Carried {
    ids: Option<SpanIds>,
    position: Position,
}

struct LivePosition {
    position: Position,
    /// The number of spans with these ids. Spans that are not recorded have the ids of their parent.
    spans: usize,
}

type Shard = HashMap<SpanIds, LivePosition>;

static LIVE: LazyLock<[Mutex<Shard>; SHARDS]> = LazyLock::new(Default::default);

fn shard(ids: SpanIds) -> MutexGuard<'static, Shard> {
    // The lower bits of ids are random, and spans of one transaction differ in them.
    let shard = &LIVE[ids.span as usize % SHARDS];
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the ids of the span of a context, if it has a span.
pub(super) fn ids(context: &Context) -> Option<SpanIds> {
    if context.has_active_span() { SpanIds::of(context.span().span_context()) } else { None }
}

/// Returns the position of the span of a context, if it is one of ours.
pub(super) fn position(context: &Context) -> Option<Position> {
    let ids = ids(context)?;
    let live = shard(ids).get(&ids).map(|live| live.position.clone());
    let carried = || context.get::<Carried>().filter(|carried| carried.ids == Some(ids));
    live.or_else(|| carried().map(|carried| carried.position.clone()))
}

/// Returns a context with this position as its span.
pub(super) fn carry(context: &Context, position: Position) -> Context {
    let span = span_context(&position);
    let ids = SpanIds::of(&span);
    context.with_remote_span_context(span).with_value(Carried { ids, position })
}

/// Keeps the position of a span findable while the span lives.
pub(super) struct Live {
    ids: Option<SpanIds>,
}

impl Live {
    pub(super) fn new(ids: Option<SpanIds>, position: Position) -> Self {
        let is_kept = |ids: &SpanIds| {
            let mut shard = shard(*ids);
            if shard.len() >= MAX_SPANS && !shard.contains_key(ids) {
                return false;
            }
            shard.entry(*ids).or_insert(LivePosition { position, spans: 0 }).spans += 1;
            true
        };
        Self { ids: ids.filter(is_kept) }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let Some(ids) = self.ids else { return };
        let mut shard = shard(ids);
        let Some(live) = shard.get_mut(&ids) else { return };
        live.spans -= 1;
        let last = if live.spans == 0 { shard.remove(&ids) } else { None };
        // The position may be the last part of its transaction, which is freed without the lock.
        drop(shard);
        drop(last);
    }
}

/// Returns the span context of a position, with the ids that its `traceparent` header has.
pub(super) fn span_context(position: &Position) -> SpanContext {
    let TraceParent { trace_id, parent_id, sampled } = position.trace_parent();
    let state = position.transaction().trace_state().and_then(|state| state.parse().ok()).unwrap_or(TraceState::NONE);
    let flags = TraceFlags::default().with_sampled(sampled);
    SpanContext::new(trace_id.into(), parent_id.into(), flags, false, state)
}
