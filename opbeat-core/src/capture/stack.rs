//! The calls that led here.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::record::Stack;

/// Deeper stacks are cut: each frame takes the request half a microsecond, and what lies further out is the runtime's.
const MAX_FRAMES: usize = 128;

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
    let mut addresses = Vec::with_capacity(MAX_FRAMES);
    backtrace::trace(|frame| {
        addresses.push(frame.ip() as usize);
        addresses.len() < MAX_FRAMES
    });
    Stack::Addresses(addresses)
}
