//! Checks of the changes that a body becomes.

use opbeat_protocol::read::Notes;
use opbeat_protocol::{ErrorBody, Frame};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::secrets;
use crate::changes::{BodyChanges, Changes, DeploymentDocument, InstalledModule, NewSample, SampleDocument};
use crate::changes::{decode, encode, unpack};

/// Checks the changes of a body: they can be decoded as they were encoded, and their documents can be read. They take at
/// most `limit` bytes.
pub(super) fn changes(bodies: &[BodyChanges], limit: usize) {
    let bytes = encode(bodies);
    assert!(bytes.len() <= limit, "the changes take {} bytes, more than {limit}", bytes.len());
    let decoded = decode(&bytes).expect("encoded changes are decoded");
    assert!(encode(&decoded) == bytes, "changes are decoded as they were encoded");
    bodies.iter().for_each(|body| documents(&body.changes));
}

/// Checks that changes contain no planted secret.
pub(super) fn no_secret(bodies: &[BodyChanges]) {
    no_secret_in(&encode(bodies));
    for error in bodies.iter().flat_map(|body| &body.changes.errors) {
        let document: Value = unpack(&error.document).expect("a page can read an error");
        no_secret_in(document.to_string().as_bytes());
    }
}

fn no_secret_in(bytes: &[u8]) {
    let found = memchr::memmem::find(bytes, secrets::MARK.as_bytes());
    let around = found.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(200)..at + secrets::MARK.len()]));
    assert!(around.is_none(), "a secret is kept: {around:?}");
}

fn documents(changes: &Changes) {
    for error in &changes.errors {
        unpack::<ErrorBody>(&error.document).expect("a page can read an error");
        if !error.notes.is_empty() {
            read::<Notes>(&error.notes);
        }
    }
    changes.samples.iter().for_each(sample);
    changes.span_stacks.iter().for_each(|stack| read::<Vec<Frame>>(&stack.frames));
    for span in &changes.spans {
        read::<Map<String, Value>>(&span.extra);
        span.transaction.iter().for_each(|transaction| sample(transaction));
    }
    for deployment in &changes.deployments {
        read::<DeploymentDocument>(&deployment.document);
        read::<Vec<InstalledModule>>(&deployment.first_components);
    }
    for sketches in changes.rollups.values() {
        assert_eq!(sketches.sketch.count(), sketches.count, "a rollup counts each duration");
    }
}

fn sample(sample: &NewSample) {
    let document: SampleDocument = serde_json::from_slice(&sample.document).expect("a page can read a sample");
    assert!(document.spans.iter().all(|span| span.group < document.groups.len()), "a span refers to a group");
}

fn read<T: DeserializeOwned>(document: &[u8]) {
    if let Err(error) = serde_json::from_slice::<T>(document) {
        panic!("a page cannot read a document: {error}: {}", String::from_utf8_lossy(document));
    }
}
