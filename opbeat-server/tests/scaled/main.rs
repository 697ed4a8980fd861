//! Both forms of the server as real processes: one process, and roles in several processes with RabbitMQ and PostgreSQL.
//!
//! The processes and the servers that they need are killed, stopped and started again while clients send. Tests of the
//! scaled form are reported as ignored where RabbitMQ or PostgreSQL is not installed, with the missing package.

#![expect(clippy::unwrap_used, reason = "test code")]

mod answers;
mod api;
mod case;
mod deployment;
mod kills;
mod ledger;
mod load;
mod outages;
mod recordings;
mod small_disk;
mod soak;
mod tls;

use std::process::ExitCode;

use case::{Case, Need};
use libtest_mimic::Arguments;

const SCALED: &[Need] = &[Need::Postgres, Need::Rabbitmq];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each test runs a whole deployment and waits for it most of the time. More of them would wait for the processor.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let cases = [
        Case::new("embedded_kill", &[], || Box::pin(kills::embedded())),
        Case::new("embedded_same_answers", &[], || Box::pin(answers::embedded())),
        Case::new("backup_under_load", &[], || Box::pin(answers::backup())),
        Case::new("sqlite_locked", &[], || Box::pin(outages::sqlite_locked())),
        Case::new("sqlite_missing", &[], || Box::pin(outages::sqlite_missing())),
        Case::new("disk_full", &[Need::SmallDisk], || Box::pin(outages::disk_full())),
        Case::new("import", &[Need::Postgres], || Box::pin(answers::import())),
        Case::new("embedded_kill_postgres", &[Need::Postgres], || Box::pin(kills::embedded_with_postgres())),
        Case::new("scaled_kills", SCALED, || Box::pin(kills::scaled())),
        Case::new("postgres_away", SCALED, || Box::pin(outages::postgres_away())),
        Case::new("rabbitmq_away", SCALED, || Box::pin(outages::rabbitmq_away())),
        Case::new("encrypted_backends", SCALED, || Box::pin(tls::all())),
        Case::new("same_answers", SCALED, || Box::pin(answers::scaled())),
        Case::new("soak_embedded", &[], || Box::pin(soak::embedded())).alone(),
        Case::new("soak_scaled", SCALED, || Box::pin(soak::scaled())).alone(),
    ];
    libtest_mimic::run(&arguments, cases.map(Case::trial).into()).exit_code()
}
