//! A million requests while the server is unreachable, and their delivery when it is back.

use std::time::Duration;

use load::bound::Bound;
use load::sink::{Manner, Sink, closed_port};

use crate::application::{Application, Server};

const REQUESTS: u64 = 1_000_000;
const STEPS: u64 = 10;

/// The maximum growth after the first step. Each duration is kept, in four bytes plus spare capacity, so that no
/// count is dropped.
const GROWTH: f64 = 8.0;

/// A flush fails if an earlier delivery attempt fails during it.
const FLUSHES: usize = 5;

pub fn measure() -> Vec<Bound> {
    measure_with(Server::Absent)
}

/// Measures an application that reports to the given absent server.
pub fn measure_with(server: Server) -> Vec<Bound> {
    let port = closed_port();
    let mut application = Application::start_before(server, port);
    let start = application.memory();
    println!("Memory with {}, which is {start:.1} MB at the start:\n", server.name());
    println!("| requests | memory |\n|---:|---:|");
    let memory: Vec<f64> = (1..=STEPS).map(|step| run_step(&mut application, step)).collect();
    let mut sink = Sink::start(Manner::Healthy, port);
    let has_flushed = (0..FLUSHES).any(|_| {
        let flushed = application.flush(Duration::from_secs(30));
        flushed.is_some_and(|(_, flushed)| flushed)
    });
    let arrived = sink.delivered().transactions;
    println!("\nWhen it is back, {arrived} transactions arrive.\n");
    let grown = memory[memory.len() - 1] - memory[0];
    let name = server.name();
    let flat = format!("{name}: after the first step, memory grows by at most {GROWTH} MB: {grown:.1} MB");
    let exact = format!("{name}: each of {REQUESTS} requests was counted once: {arrived}");
    vec![Bound::new(flat, grown <= GROWTH), Bound::new(exact, has_flushed && arrived == REQUESTS)]
}

fn run_step(application: &mut Application, step: u64) -> f64 {
    application.call(REQUESTS / STEPS);
    let memory = application.memory();
    println!("| {} | {memory:.1} MB |", step * REQUESTS / STEPS);
    memory
}
