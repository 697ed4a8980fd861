//! The bodies of agents.

use opbeat_protocol::Timestamp;

use super::{checks, secrets};
use crate::changes::BodyChanges;
use crate::decode::{Endpoint, decode};
use crate::interpret::{Origin, interpret};

/// The largest inflated body, in bytes. It is smaller than that of a server, so that an input takes no second.
const MAX_INFLATED: usize = 1 << 20;

/// The bytes that the changes of a body may take for each byte of the inflated body.
const BYTES_PER_BYTE: usize = 16;

/// The further bytes that the changes of a body may take: those that the documents of all samples may take, and more.
const MIN_BYTES: usize = 9 << 20;

/// The platform and the user agent of known agents.
const AGENTS: [(&str, &str); 6] = [
    ("lang=python/3.11.7 platform=CPython framework=flask/2.2.5", "opbeat-python/3.5.2"),
    ("lang=node/20.20.2 platform=node os=linux framework=express/4.22.3", "opbeat-nodejs/4.17.0"),
    ("platform=rust", "opbeat-rust/0.1.0"),
    ("", "opbeat-ruby/3.0.0"),
    ("", "Go-http-client/1.1"),
    ("", "Mozilla/5.0"),
];

/// Decodes and interprets a body of `errors/`.
pub fn intake_errors(data: &[u8]) {
    accept_with_secrets(Endpoint::Errors, data);
}

/// Decodes and interprets a body of `transactions/`.
pub fn intake_transactions(data: &[u8]) {
    accept_with_secrets(Endpoint::Transactions, data);
}

/// Decodes and interprets a body of `releases/` and of `deployments/`.
pub fn intake_releases_deployments(data: &[u8]) {
    accept_with_secrets(Endpoint::Releases, data);
    accept_with_secrets(Endpoint::Deployments, data);
}

/// Accepts a body, and once more with secrets in it.
fn accept_with_secrets(endpoint: Endpoint, body: &[u8]) {
    accept(endpoint, body, body.len());
    if let Some(planted) = secrets::planted(body) {
        let bodies = accept(endpoint, &planted, body.len());
        checks::no_secret(&bodies);
    }
}

/// Returns the changes of a body, or none if it is refused. A number chooses the agent that sends it.
fn accept(endpoint: Endpoint, body: &[u8], number: usize) -> Vec<BodyChanges> {
    let Ok(decoded) = decode(endpoint, body, MAX_INFLATED) else { return Vec::new() };
    let (platform, user_agent) = AGENTS[number % AGENTS.len()];
    let origin = Origin {
        app_id: "shop".to_owned(),
        received: Timestamp::from_seconds(1_780_000_000),
        platform: platform.to_owned(),
        user_agent: user_agent.to_owned(),
        browser_agent: user_agent.starts_with("Mozilla").then(|| "opbeat-react/v3.4.0".to_owned()),
    };
    let changes = interpret(&origin, decoded);
    let (app_id, received_at) = (origin.app_id, origin.received.micros());
    let bodies = vec![BodyChanges::new(app_id, String::new(), received_at, changes)];
    // A compressed body has at most the size that is accepted.
    let inflated = if body.first() == Some(&b'{') { body.len() } else { MAX_INFLATED };
    checks::changes(&bodies, inflated * BYTES_PER_BYTE + MIN_BYTES);
    bodies
}
