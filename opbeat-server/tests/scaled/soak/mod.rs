//! A soak: mixed traffic for a long time, while the servers and what they need fail in turns.
//!
//! At the end, everything that was accepted must be stored exactly once, and the memory must not grow. A report is
//! printed. `OPBEAT_SOAK_SECONDS`, `OPBEAT_SOAK_RATE` and `OPBEAT_BINARY` make it a long one.

mod bodies;
mod clients;
mod clock;
mod connection;
mod faults;
mod memory;
mod report;
mod subject;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use crate::case::number;
use bodies::Bodies;
use clients::Clients;
use memory::Memory;
use report::Machine;
use subject::Subject;
use tally::Tally;

/// The time in which everything must be stored after the last body.
const DRAIN: Duration = Duration::from_secs(600);

/// A rate that a build without optimisation reaches on a busy machine, in the errors a second that cost as much.
const DEFAULT_RATE: u64 = 60;

/// One process with SQLite.
pub(crate) async fn embedded() {
    run("embedded", Subject::embedded(), 8).await;
}

/// Two intakes and three workers with RabbitMQ and PostgreSQL.
pub(crate) async fn scaled() {
    run("scaled", Subject::scaled(), 12).await;
}

async fn run(form: &str, mut subject: Subject, seconds: u64) {
    let length = Duration::from_secs(number("OPBEAT_SOAK_SECONDS", seconds));
    let rate = number("OPBEAT_SOAK_RATE", DEFAULT_RATE) as f64;
    let bodies = Bodies::new();
    let tally = Arc::new(Tally::new());
    let machine = Machine::now();
    let clients = Clients::start(&subject, bodies, rate, &tally);
    let memory = Memory::start(subject.processes(), Arc::clone(&tally));

    let injected = faults::inject(&mut subject, &tally, length).await;
    tokio::time::sleep(length.saturating_sub(tally.elapsed())).await;

    let sent_for = tally.elapsed();
    clients.finish().await;
    let busy = machine.busy_since();
    let memory = memory.finish().await;

    // Rows that were stored while the clock was ahead are shown when their time has come.
    subject.show_all().await;
    let end_of_load = tally.elapsed();
    let mut problems = tally.differences(subject.api(), DRAIN).await;
    let drained_in = tally.elapsed() - end_of_load;
    if problems.is_empty() {
        // A second copy of a body could still wait behind those that were counted.
        subject.drained().await;
        problems = tally.differences(subject.api(), Duration::ZERO).await;
    }
    let (unexplained, first) = tally.failures();
    if unexplained > 0 {
        problems.push(format!("{unexplained} refusals that no fault explains, such as {first:?}"));
    }
    problems.extend(memory.problems(sent_for));

    let report = report::Report { form, rate, sent_for, busy, drained_in, injected: &injected };
    report.print(&tally, &memory, &subject, &problems);
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(tally.accepted() > 0, "nothing was accepted");
}
