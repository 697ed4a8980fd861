//! Receivers of OpenTelemetry in the same states as Opbeat servers, alone and beside a healthy server.

use std::time::Duration;

use load::bound::Bound;
use load::sink::Manner;

use crate::application::{Application, Server};
use crate::effort::Effort;
use crate::{latency, memory};

const SERVERS: [Server; 7] = [
    Server::Nobody,
    Server::Receiver(Manner::Healthy),
    Server::Receiver(Manner::Silent),
    Server::Receiver(Manner::Failing),
    Server::Receiver(Manner::Closing),
    Server::AbsentReceiver,
    Server::Beside(Manner::Silent),
];

const CALLS: u64 = 10_000;

/// The time after which all data must be at the healthy server. The hanging receiver takes ten seconds for each attempt.
const TIMEOUT: Duration = Duration::from_secs(5);

pub fn measure(effort: Effort) -> Vec<Bound> {
    let mut bounds = latency::measure_with(&SERVERS, effort);
    bounds.push(beside_a_hanging_receiver());
    bounds.extend(memory::measure_with(Server::AbsentReceiver));
    bounds
}

/// Checks that a receiver that never responds delays nothing on its way to the Opbeat server.
fn beside_a_hanging_receiver() -> Bound {
    let mut application = Application::start(Server::Beside(Manner::Silent));
    application.call(CALLS);
    let flushed = application.flush(TIMEOUT);
    let arrived = application.arrived();
    println!("{CALLS} requests beside a receiver that never responds: {arrived} have arrived at the server.\n");
    let sentence = format!("a hanging receiver delays no data for the server: {arrived} of {CALLS} requests arrived");
    Bound::new(sentence, arrived == CALLS && flushed.is_some_and(|(_, is_complete)| !is_complete))
}
