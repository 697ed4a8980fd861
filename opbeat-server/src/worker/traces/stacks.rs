//! The stack that a span was started from, which agents hide among the span's facts.

use opbeat_protocol::Frame;
use serde_json::{Map, Value};

use crate::queue::Envelope;
use crate::store::{Changes, NewSpanStack};
use crate::worker::scrub;

/// Takes a span's stack out of its facts. Returns the frames, the oldest call first.
pub(super) fn take(envelope: &Envelope, extra: &mut Map<String, Value>) -> Vec<Frame> {
    let Some(frames) = extra.remove("_frames") else { return Vec::new() };
    let mut frames: Vec<Frame> = serde_json::from_value(frames).unwrap_or_default();
    if envelope.platform.contains("lang=python") {
        // The agent's own calls come first, then the traced one.
        let is_agents = |frame: &Frame| frame.module.as_ref().is_some_and(|module| module.starts_with("opbeat."));
        let own = frames.iter().position(|frame| !is_agents(frame)).unwrap_or(0);
        frames.drain(..own);
        frames.reverse();
    }
    scrub::frames(&mut frames);
    frames
}

/// Remembers a stack for all spans of its kind and signature.
pub(super) fn remember(envelope: &Envelope, kind: &str, signature: &str, frames: Vec<Frame>, changes: &mut Changes) {
    if !frames.is_empty() {
        changes.span_stacks.push(NewSpanStack {
            app_id: envelope.app_id.clone(),
            kind: kind.to_owned(),
            signature: signature.to_owned(),
            frames,
        });
    }
}
