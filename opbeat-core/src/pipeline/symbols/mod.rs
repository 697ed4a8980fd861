//! From return addresses to named calls with source lines.

mod culprit;
mod noise;
mod owner;
mod resolve;
mod source;

use std::collections::HashMap;
use std::sync::Arc;

use resolve::{Call, Resolver};
use source::Sources;

use crate::record::{ErrorRecord, Frame, Location, Stack};

/// Addresses remembered. An application raises its errors at few places, and so this is seldom reached.
const MAX_CACHED: usize = 20_000;

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
            let frames = self.frames(addresses, error.location.as_ref());
            error.stack = Stack::Frames(frames);
        }
        if error.culprit.is_none() {
            error.culprit = culprit::culprit(error);
        }
    }

    /// Returns the calls, the oldest first.
    fn frames(&mut self, addresses: &[usize], place: Option<&Location>) -> Vec<Frame> {
        let mut frames = Vec::new();
        for address in addresses {
            frames.extend(self.resolve(*address).iter().cloned());
        }
        noise::trim(&mut frames, place.is_some());
        frames.reverse();
        culprit::add_place(&mut frames, place);
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
        in_app: owner::is_application(&function, &path),
        function: source::readable(&function),
        filename: source::shorten(&path).to_owned(),
        line,
        column,
        path,
        ..Frame::default()
    }
}
