//! From return addresses to named calls with source lines.

mod resolve;
mod source;

use std::collections::HashMap;
use std::sync::Arc;

use resolve::{Call, Resolver};
use source::Sources;

use crate::record::{ErrorRecord, Frame, Stack};

/// Addresses remembered. An application raises its errors at few places, and so this is seldom reached.
const MAX_CACHED: usize = 20_000;

/// Calls of one stack that are sent.
const MAX_FRAMES: usize = 100;

/// Names the calls of stacks, and remembers them.
#[derive(Default)]
pub(super) struct Symbols {
    /// The calls at an address, the innermost first: more than one where calls were inlined.
    cache: HashMap<usize, Arc<[Frame]>>,
    resolver: Resolver,
    sources: Sources,
}

impl Symbols {
    /// Names the calls of an error's stack, marks the application's own, and finds the culprit among them.
    pub(super) fn complete(&mut self, error: &mut ErrorRecord) {
        if let Stack::Addresses(addresses) = &error.stack {
            let frames = self.frames(addresses);
            error.stack = Stack::Frames(frames);
        }
        if error.culprit.is_none() {
            error.culprit = culprit(error);
        }
    }

    /// Returns the calls, the oldest first.
    fn frames(&mut self, addresses: &[usize]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for address in addresses {
            frames.extend(self.resolve(*address).iter().cloned());
        }
        trim(&mut frames);
        frames.retain(|frame| frame.in_app || !source::is_plumbing(&frame.function));
        frames.reverse();
        for frame in &mut frames {
            self.sources.add_context(frame);
        }
        frames
    }

    fn resolve(&mut self, address: usize) -> Arc<[Frame]> {
        if let Some(frames) = self.cache.get(&address) {
            return Arc::clone(frames);
        }
        let frames: Arc<[Frame]> = self.resolver.resolve(address).into_iter().map(frame).collect();
        if self.cache.len() < MAX_CACHED {
            self.cache.insert(address, Arc::clone(&frames));
        }
        frames
    }
}

/// Returns whether the program's own code has lines. It looks for this very function's.
pub(super) fn has_lines() -> bool {
    let address = has_lines as *const () as usize;
    Resolver::default().resolve(address + 1).iter().any(|call| call.line > 0)
}

fn frame(call: Call) -> Frame {
    let Call { function, path, line, column } = call;
    Frame {
        in_app: source::is_application(&function, &path),
        function: source::readable(&function),
        filename: source::shorten(&path).to_owned(),
        line,
        column,
        path,
        ..Frame::default()
    }
}

/// Cuts what led to the capture itself, and the start of the thread; then what is too deep.
fn trim(frames: &mut Vec<Frame>) {
    let is_ours = |frame: &Frame| source::is_capture(&frame.function);
    let first = frames.iter().rposition(is_ours).map_or(0, |last| last + 1);
    frames.drain(..first);
    let is_panic_machinery = |frame: &Frame| source::is_panic_machinery(&frame.function);
    let first = frames.iter().position(|frame| !is_panic_machinery(frame)).unwrap_or(0);
    frames.drain(..first);
    frames.truncate(MAX_FRAMES);
}

/// Returns the application's own function nearest to the failure, or else the transaction.
fn culprit(error: &ErrorRecord) -> Option<String> {
    let Stack::Frames(frames) = &error.stack else {
        return None;
    };
    let own = frames.iter().rev().find(|frame| frame.in_app).map(|frame| frame.function.clone());
    own.or_else(|| error.transaction.as_ref().map(|transaction| transaction.name.clone()))
}
