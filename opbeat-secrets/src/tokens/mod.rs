//! Tokens that are recognised by their form, whatever their name.

mod forms;
mod marks;
mod mask;

pub(super) use mask::{Window, begins, mask};
