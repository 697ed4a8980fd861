//! The stack of the caller, as return addresses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::record::Stack;

/// The largest number of frames of a stack. Each frame takes the request half a microsecond, and the frames further out
/// are the runtime's.
const MAX_FRAMES: usize = 128;

/// Whether an agent was started. Without one, no stacks are captured.
static ALLOWED: AtomicBool = AtomicBool::new(false);

/// Allows stacks from now on, because there is an agent that reports them.
pub(crate) fn allow() {
    ALLOWED.store(true, Ordering::Relaxed);
}

/// Returns the return addresses of the current stack, without their names.
pub(super) fn capture() -> Stack {
    if !ALLOWED.load(Ordering::Relaxed) {
        return Stack::default();
    }
    let mut addresses = Vec::with_capacity(MAX_FRAMES);
    backtrace::trace(|frame| {
        addresses.push(frame.ip() as usize);
        addresses.len() < MAX_FRAMES
    });
    Stack::Addresses(addresses)
}

/// Returns the return addresses of the current stack in a form that several spans can share. `None` if no stacks are
/// captured.
#[cold]
pub(crate) fn call_stack() -> Option<Arc<[usize]>> {
    match capture() {
        Stack::Addresses(addresses) => Some(addresses.into()),
        Stack::Frames(_) => None,
    }
}
