//! Occurrences of errors, which the server stores as it stores those of agents.

use std::thread;

use serde_json::{Value, json};

use crate::Result;
use crate::http::Client;
use crate::load::{Kind, deflate};
use crate::server::{App, Server};

/// The number of connections, each of which waits for the answers to its bodies.
const CONNECTIONS: usize = 16;

/// The error groups of an app, and the users that they affect.
const GROUPS: usize = 500;
const USERS: usize = 10_000;

/// The time over which the occurrences are spread, in seconds.
const TIME: usize = 29 * 86_400;

/// Posts a number of occurrences: every second one to the first app, the others to the other apps in turns.
pub(crate) fn post(server: &Server, apps: &[App], count: usize) -> Result<()> {
    let template: Value =
        serde_json::from_str(include_str!("../../../opbeat-server/tests/fixtures/agents/python-flask/01-errors.json"))?;
    let now = jiff::Timestamp::now();
    let some = |first: usize| -> Result<()> {
        let mut client = Client::connect(&server.address)?;
        for number in (first..count).step_by(CONNECTIONS) {
            let app = if number % 2 == 0 { 0 } else { 1 + number / 2 % (apps.len() - 1) };
            let at = now - jiff::SignedDuration::from_secs((TIME - number * TIME / count) as i64);
            let path = format!("{}errors/", apps[app].path);
            client.post(&path, &apps[app].token, Kind::Errors.content_type(), &body(&template, number, at))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS).map(|first| scope.spawn(move || some(first))).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| "a client panicked")?)
    })
}

/// Returns an occurrence of an error, with its user and time. Few groups have many occurrences, and many have few.
fn body(template: &Value, number: usize, at: jiff::Timestamp) -> Vec<u8> {
    let mixed = number.wrapping_mul(0x9e37_79b9) >> 8;
    let share = (mixed % 1_000) as f64 / 1_000.0;
    let group = (share * share * GROUPS as f64) as usize;
    let mut body = template.clone();
    body["exception"]["type"] = json!(format!("Error{group}"));
    body["client_supplied_id"] = json!(format!("{number:032x}"));
    body["timestamp"] = json!(at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string());
    let user = mixed / 1_000 % USERS;
    body["user"] = json!({"is_authenticated": true, "id": user, "username": format!("user-{user}")});
    deflate(&body)
}
