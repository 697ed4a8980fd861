//! Turns the return addresses of a stack into named frames with source lines.

mod culprit;
mod noise;
mod owner;
mod resolve;
mod source;

use std::collections::HashMap;
use std::sync::Arc;

use resolve::{Call, Resolver};
use source::Sources;

use crate::record::{ErrorRecord, Frame, Location, Stack, TransactionRecord};

/// The largest number of addresses that are remembered. An application has few lines that raise errors, so this is
/// rarely reached.
const MAX_CACHED: usize = 20_000;

/// Names the calls of stacks, and remembers the names.
#[derive(Default)]
pub(super) struct Symbols {
    /// The calls at an address, the innermost first. There are several if calls were inlined.
    cache: HashMap<usize, Arc<[Frame]>>,
    resolver: Resolver,
    sources: Sources,
}

impl Symbols {
    /// Names the calls of an error's stack, marks those of the application, and sets the culprit.
    pub(super) fn complete(&mut self, error: &mut ErrorRecord) {
        if let Stack::Addresses(addresses) = &error.stack {
            let frames = self.frames(addresses, error.location.as_ref());
            error.stack = Stack::Frames(frames);
        }
        if error.culprit.is_none() {
            error.culprit = culprit::culprit(error);
        }
    }

    /// Names the application's calls that led to the spans of a sample. Returns the stacks that have none.
    pub(super) fn complete_spans(&mut self, sample: &mut TransactionRecord) -> Vec<Arc<[usize]>> {
        let mut foreign = Vec::new();
        for span in &mut sample.spans {
            let Some(stack) = span.call_stack.take() else { continue };
            span.frames = self.named(&stack, None);
            span.frames.retain(|frame| frame.in_app);
            for frame in &mut span.frames {
                self.sources.add_context(frame);
                // The line itself is enough for a query, and samples stay small.
                (frame.pre_context, frame.post_context) = (Vec::new(), Vec::new());
            }
            if span.frames.is_empty() {
                foreign.push(stack);
            }
        }
        foreign
    }

    /// Returns the frames with their source lines, the outermost call first.
    fn frames(&mut self, addresses: &[usize], location: Option<&Location>) -> Vec<Frame> {
        let mut frames = self.named(addresses, location);
        for frame in &mut frames {
            self.sources.add_context(frame);
        }
        frames
    }

    /// Returns the frames, the outermost call first.
    fn named(&mut self, addresses: &[usize], location: Option<&Location>) -> Vec<Frame> {
        let mut frames = Vec::new();
        for address in addresses {
            frames.extend(self.resolve(*address).iter().cloned());
        }
        noise::trim(&mut frames, location.is_some());
        frames.reverse();
        culprit::add_location(&mut frames, location);
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

/// Returns whether the running program has debug information with lines. It looks up the lines of this function.
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
