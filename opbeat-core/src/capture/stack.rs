//! The calls that led here.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::record::Stack;

/// Deeper stacks are cut: what recurses that deep repeats itself.
const MAX_FRAMES: usize = 256;

/// Room for the depth of most stacks of a web application, so that they grow once at the most.
const USUAL_FRAMES: usize = 96;

/// Whether anybody wants stacks: an application that is not monitored does not pay for them.
static WANTED: AtomicBool = AtomicBool::new(false);

/// Lets stacks be captured from now on, since there is an agent to report them.
pub(crate) fn allow() {
    WANTED.store(true, Ordering::Relaxed);
}

/// Takes the return addresses of the calls that led here, without looking up their names.
pub(super) fn capture() -> Stack {
    if !WANTED.load(Ordering::Relaxed) {
        return Stack::default();
    }
    let mut addresses = Vec::with_capacity(USUAL_FRAMES);
    backtrace::trace(|frame| {
        addresses.push(frame.ip() as usize);
        addresses.len() < MAX_FRAMES
    });
    Stack::Addresses(addresses)
}
