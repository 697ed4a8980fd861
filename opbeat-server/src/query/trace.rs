//! The other sampled transactions of a trace, placed in the time of one of them.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::spans::SampleSpanView;
use super::{AppIdentity, Query, QueryError};
use crate::store::read::{SampleRow, TraceSampleRow};

/// The largest number of samples of a trace that are shown together.
const MAX_SAMPLES: i64 = 24;

/// The largest number of spans of the other samples together. A sample's own page shows all of its spans.
const MAX_SPANS: usize = 500;

/// The ids that a sample is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SampleReference {
    /// The transaction's id.
    pub(crate) transaction_id: i64,
    /// The sample's id.
    pub(crate) sample_id: i64,
}

/// A sampled transaction of the same trace, in any app of the organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TraceSample {
    /// Its app.
    pub(crate) app: AppIdentity,
    /// The name of the transaction.
    pub(crate) name: String,
    /// The kind of the transaction.
    pub(crate) kind: String,
    /// The result.
    pub(crate) result: String,
    /// The outcome.
    pub(crate) outcome: String,
    /// Its ids.
    pub(crate) sample: SampleReference,
    /// The caller among the sample itself and the samples of this list: 0 is the sample itself, 1 the first one of the
    /// list. `null` if the caller was not sampled, as for the caller of the sample itself.
    pub(crate) caller: Option<usize>,
    /// The index of the span that called it, among the caller's spans; `null` if the call was outside of all spans.
    pub(crate) caller_span: Option<usize>,
    /// Whether it called the sample itself.
    pub(crate) is_caller: bool,
    /// The start in milliseconds after the start of the sample itself. It is moved into the time of the span that called
    /// it, because the clocks of two machines differ.
    pub(crate) start_ms: f64,
    /// Its duration in milliseconds.
    pub(crate) duration_ms: f64,
    /// Its spans; their start is relative to its own start.
    pub(crate) spans: Vec<SampleSpanView>,
}

/// The facts about a sample that decide where it is shown.
struct Member {
    id: Option<u64>,
    caller: Option<u64>,
    happened_at: i64,
    duration_ms: f64,
    /// The id, the start and the duration of each span.
    spans: Vec<(Option<u64>, f64, f64)>,
}

/// The position of a member in the time of the first one.
struct Placed {
    member: usize,
    caller: Option<usize>,
    caller_span: Option<usize>,
    is_caller: bool,
    start_ms: f64,
}

impl Query {
    /// Returns the other samples of a sample's trace.
    pub(super) async fn trace(&self, app: &AppIdentity, own: &SampleRow) -> Result<Vec<TraceSample>, QueryError> {
        let Some(trace_id) = own.document.context.trace_id.as_deref() else { return Ok(Vec::new()) };
        let trace_id = trace_id.to_ascii_lowercase();
        let position = (own.summary.id, own.summary.happened_at);
        let rows = self.store.trace_samples(&app.organization_id, &trace_id, position, MAX_SAMPLES).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let own_id = own.document.context.id.as_deref().and_then(root_id);
        let mut members = vec![member(own, own_id)];
        members.extend(rows.iter().map(|row| member(&row.sample, root_id(&row.external_id))));
        let mut rows: Vec<Option<TraceSampleRow>> = rows.into_iter().map(Some).collect();
        let mut samples = Vec::with_capacity(rows.len());
        // The number of spans of the sample itself and of each listed one.
        let (mut left, mut shown) = (MAX_SPANS, vec![own.document.spans.len()]);
        for Placed { member, caller, caller_span, is_caller, start_ms } in place(&members) {
            let Some(row) = member.checked_sub(1).and_then(|index| rows.get_mut(index)?.take()) else { continue };
            let TraceSampleRow { app, transaction, name, kind, sample, .. } = row;
            let mut document = sample.document;
            document.spans.truncate(left);
            left -= document.spans.len();
            // A call from a span that is not shown is listed after the other spans of its caller.
            let shown_of_caller = caller.and_then(|caller| shown.get(caller)).copied().unwrap_or(0);
            let caller_span = caller_span.filter(|span| *span < shown_of_caller);
            shown.push(document.spans.len());
            let spans = self.span_views(&app.id, document.groups, document.spans, document.average_of).await?;
            samples.push(TraceSample {
                app: app.into(),
                name,
                kind,
                result: sample.summary.result,
                outcome: sample.summary.outcome,
                sample: SampleReference { transaction_id: transaction, sample_id: sample.summary.id },
                caller,
                caller_span,
                is_caller,
                start_ms,
                duration_ms: sample.summary.duration_ms,
                spans,
            });
        }
        Ok(samples)
    }
}

fn member(row: &SampleRow, id: Option<u64>) -> Member {
    let document = &row.document;
    Member {
        id,
        caller: document.context.parent_span.as_deref().and_then(span_id),
        happened_at: row.summary.happened_at,
        duration_ms: row.summary.duration_ms,
        spans: document.spans.iter().map(|span| (span.id, span.start_ms, span.duration_ms)).collect(),
    }
}

/// Returns the id that a transaction sends as the parent of calls outside of all spans: the lower half of its own id, or
/// the whole id of a span of OpenTelemetry.
fn root_id(external_id: &str) -> Option<u64> {
    span_id(external_id.get(external_id.len().checked_sub(16)?..)?)
}

fn span_id(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok().filter(|id| *id != 0 && text.len() == 16)
}

/// Places all members but the first one: callers before the transactions that they call. Members that the first one does
/// not call, directly or indirectly, follow in the order of their start.
fn place(members: &[Member]) -> Vec<Placed> {
    let mut callers: HashMap<u64, (usize, Option<usize>)> = HashMap::new();
    for (index, member) in members.iter().enumerate() {
        if let Some(id) = member.id {
            callers.entry(id).or_insert((index, None));
        }
        for (span, (id, _, _)) in member.spans.iter().enumerate() {
            if let Some(id) = id {
                callers.entry(*id).or_insert((index, Some(span)));
            }
        }
    }
    let caller = |member: usize| {
        let (caller, span) = *callers.get(&members[member].caller?)?;
        (caller != member).then_some((caller, span))
    };
    let caller_of_first = caller(0).map(|(caller, _)| caller);
    let mut called: Vec<Vec<usize>> = vec![Vec::new(); members.len()];
    let mut starts: Vec<usize> = vec![0];
    for member in 1..members.len() {
        match caller(member) {
            Some((caller, _)) => called[caller].push(member),
            None => starts.push(member),
        }
    }
    // The first member can itself be called by one of the others. A circle of callers is damage, and is left out.
    let mut placed: Vec<Placed> = Vec::with_capacity(members.len());
    let mut position: Vec<Option<usize>> = vec![None; members.len()];
    let mut open: Vec<usize> = starts.into_iter().rev().collect();
    while let Some(member) = open.pop() {
        if position[member].is_some() {
            continue;
        }
        position[member] = Some(placed.len());
        let by = caller(member).filter(|_| member != 0);
        let by = by.and_then(|(caller, span)| Some((position[caller]?, caller, span)));
        let clock_ms = (members[member].happened_at - members[0].happened_at) as f64 / 1_000.0;
        let start_ms = match by {
            Some((at, caller, span)) => within(&members[caller], placed[at].start_ms, span, &members[member], clock_ms),
            None if member == 0 => 0.0,
            None => clock_ms,
        };
        let (caller, caller_span) = by.map_or((None, None), |(at, _, span)| (Some(at), span));
        let is_caller = member != 0 && caller_of_first == Some(member);
        placed.push(Placed { member, caller, caller_span, is_caller, start_ms });
        open.extend(called[member].iter().rev().copied());
    }
    placed.remove(0);
    placed
}

/// Returns the start of a called transaction: by its clock, but inside the span or the transaction that called it.
fn within(caller: &Member, caller_start: f64, span: Option<usize>, called: &Member, clock_ms: f64) -> f64 {
    let (start, length) = match span.and_then(|span| caller.spans.get(span)) {
        Some((_, start, length)) => (caller_start + start, *length),
        None => (caller_start, caller.duration_ms),
    };
    clock_ms.min(start + length - called.duration_ms).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u64, caller: Option<u64>, at: i64, duration_ms: f64, spans: &[(u64, f64, f64)]) -> Member {
        let spans = spans.iter().map(|(id, start, length)| (Some(*id), *start, *length)).collect();
        Member { id: Some(id), caller, happened_at: at * 1_000, duration_ms, spans }
    }

    fn placed(members: &[Member]) -> Vec<(usize, Option<usize>, Option<usize>, f64)> {
        place(members).iter().map(|at| (at.member, at.caller, at.caller_span, at.start_ms)).collect()
    }

    #[test]
    fn a_called_transaction_is_inside_the_span_that_called_it() {
        let members = [
            member(1, None, 1_000, 100.0, &[(11, 10.0, 50.0)]),
            member(2, Some(11), 1_500, 20.0, &[(21, 5.0, 10.0)]),
            member(3, Some(21), 400, 4.0, &[]),
            member(4, Some(1), 1_070, 5.0, &[]),
            member(5, Some(99), 1_020, 5.0, &[]),
        ];
        let expected =
            [(1, Some(0), Some(0), 40.0), (2, Some(1), Some(0), 45.0), (3, Some(0), None, 70.0), (4, None, None, 20.0)];
        assert_eq!(placed(&members), expected);
    }

    #[test]
    fn callers_in_a_circle_are_left_out() {
        let circle = [member(1, None, 0, 9.0, &[]), member(2, Some(3), 0, 1.0, &[]), member(3, Some(2), 0, 1.0, &[])];
        assert!(placed(&circle).is_empty());
        let own = [member(1, Some(1), 0, 9.0, &[])];
        assert!(placed(&own).is_empty());
    }

    #[test]
    fn the_caller_of_the_sample_itself_is_listed() {
        let members = [member(1, Some(2), 50, 9.0, &[]), member(2, None, 0, 100.0, &[])];
        assert_eq!(placed(&members), [(1, None, None, -50.0)]);
        assert!(place(&members)[0].is_caller);
    }
}
