//! The distributed trace that a transaction belongs to.

use super::Active;
use super::state::State;
use crate::record::{RequestRecord, TraceParent};

impl Active {
    /// Notes which transaction started this one, and takes over whom and what that is for.
    pub(crate) fn set_parent(&mut self, parent: &Self) {
        let trace = parent.trace_parent(None);
        let state = self.state_mut();
        (state.record.parent, state.record.trace) = (Some(parent.id), Some(trace));
        let parent = parent.state();
        state.trace_state = parent.trace_state();
        state.record.user.clone_from(&parent.record.user);
        state.record.tags.clone_from(&parent.record.tags);
    }

    /// Returns what a call to another service has to say of the trace.
    pub(crate) fn trace_parent(&self, span: Option<u32>) -> TraceParent {
        let remote = self.state().remote_trace();
        // The ids are random, and so are their parts; each span's differs from the transaction's own.
        let own = u64::try_from(self.id.0 & u128::from(u64::MAX)).unwrap_or(1);
        let parent_id = own.wrapping_add(span.map_or(0, |span| u64::from(span) + 1)).max(1);
        let (trace_id, sampled) = remote.map_or((self.id.0, true), |remote| (remote.trace_id, remote.sampled));
        TraceParent { trace_id, parent_id, sampled }
    }

    pub(crate) fn trace_state(&self) -> Option<String> {
        self.state().trace_state()
    }

    pub(crate) fn set_remote_trace(&self, parent: TraceParent) {
        self.change(|state| state.record.trace = Some(parent));
    }

    pub(crate) fn set_trace_state(&self, trace_state: String) {
        self.change(|state| state.trace_state = Some(trace_state).filter(|state| !state.is_empty()));
    }
}

impl State {
    /// Returns the trace that the transaction's caller began.
    pub(super) fn remote_trace(&self) -> Option<TraceParent> {
        self.record.trace.or_else(|| self.record.request.as_ref().and_then(remote_trace))
    }

    /// Returns what the trace's other participants want to be passed on.
    pub(super) fn trace_state(&self) -> Option<String> {
        self.trace_state.clone().or_else(|| self.record.request.as_ref().and_then(remote_trace_state))
    }
}

/// Returns the trace that a request brought along. Whoever sends several has sent none.
pub(super) fn remote_trace(request: &RequestRecord) -> Option<TraceParent> {
    let mut headers = request.header_values("traceparent");
    let parent = TraceParent::parse(headers.next()?);
    parent.filter(|_| headers.next().is_none())
}

/// Returns the `tracestate` of the trace that a request brought along: one list, whatever it was split into.
fn remote_trace_state(request: &RequestRecord) -> Option<String> {
    remote_trace(request)?;
    let parts: Vec<&str> = request.header_values("tracestate").map(str::trim).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(","))
}
