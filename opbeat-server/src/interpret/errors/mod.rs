//! Interprets the bodies of `errors/`: each is an error that is ready to be grouped and shown.

mod changes;
mod fingerprint;

pub(super) use changes::changes;
