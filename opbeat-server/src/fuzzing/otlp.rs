//! The requests of OTLP.

use super::{checks, secrets};
use crate::changes::BodyChanges;
use crate::otlp::fuzzing::{frame, logs, metrics, traces};

/// The bytes that the changes of a request may take for each byte of it.
const BYTES_PER_BYTE: usize = 4;

/// The further bytes that the changes may take: 8 MiB for their content, and the keys of at most 20,000 of them.
const MIN_BYTES: usize = (8 << 20) + 20_000 * 200;

/// Decodes and interprets a request of `/v1/traces` in protobuf.
pub fn otlp_traces_protobuf(data: &[u8]) {
    check(&traces(data, false), data.len());
}

/// Decodes and interprets a request of `/v1/traces` in JSON.
pub fn otlp_traces_json(data: &[u8]) {
    check(&traces(data, true), data.len());
    check_secrets(data, traces);
}

/// Decodes and interprets a request of `/v1/logs` in protobuf.
pub fn otlp_logs_protobuf(data: &[u8]) {
    check(&logs(data, false), data.len());
}

/// Decodes and interprets a request of `/v1/logs` in JSON.
pub fn otlp_logs_json(data: &[u8]) {
    check(&logs(data, true), data.len());
    check_secrets(data, logs);
}

/// Decodes and interprets a request of `/v1/metrics` in protobuf and in JSON.
pub fn otlp_metrics(data: &[u8]) {
    check(&metrics(data, false), data.len());
    check(&metrics(data, true), data.len());
}

/// Reads the frame of a call of gRPC, and the message in it.
pub fn otlp_frame(data: &[u8]) {
    frame(data);
}

fn check(bodies: &[BodyChanges], size: usize) {
    checks::changes(bodies, size * BYTES_PER_BYTE + MIN_BYTES);
}

fn check_secrets(json: &[u8], accept: fn(&[u8], bool) -> Vec<BodyChanges>) {
    if let Some(planted) = secrets::planted(json) {
        checks::no_secret(&accept(&planted, true));
    }
}
