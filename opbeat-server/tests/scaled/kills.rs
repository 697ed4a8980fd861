//! Processes are killed at random moments under load.

use std::env;
use std::time::{Duration, Instant};

use test_backends::{Opbeat, Postgres};

use crate::case::number;
use crate::deployment::{Deployment, Embedded, Scaled};
use crate::load::{Load, outage, random_moment};

/// One process is killed. `OPBEAT_KILLS` is the number of kills.
pub(crate) async fn embedded() {
    let mut deployment = Embedded::start();
    let load = Load::start(&deployment.intakes());
    for _ in 0..number("OPBEAT_KILLS", 8) {
        random_moment(Duration::from_millis(800)).await;
        deployment.server.kill();
        deployment.server.start_again();
        load.accepted_more().await;
    }
    let ledger = load.finish().await;
    ledger.assert_none_refused();
    ledger.check(&deployment).await;
}

/// One process with a queue of its own and PostgreSQL, of which each is killed `OPBEAT_KILLS` times.
pub(crate) async fn embedded_with_postgres() {
    let mut postgres = Postgres::start();
    let mut deployment = Embedded::start_on(&postgres);
    let load = Load::start(&deployment.intakes());
    for _ in 0..number("OPBEAT_KILLS", 2) {
        random_moment(Duration::from_millis(1_500)).await;
        deployment.server.kill();
        deployment.server.start_again();
        load.accepted_more().await;
        random_moment(Duration::from_millis(1_500)).await;
        postgres.kill();
        postgres.start_again();
        load.accepted_more().await;
    }
    let ledger = load.finish().await;
    ledger.assert_none_refused();
    ledger.check(&deployment).await;
}

/// The processes that are killed in the scaled form, by their names in `OPBEAT_VICTIMS`. RabbitMQ is the last one,
/// because it writes the declaration of a queue to the disk only half a second after its answer.
const VICTIMS: [(&str, Victim); 4] = [
    ("intake", Victim::Intake),
    ("worker", Victim::Worker),
    ("postgres", Victim::Postgres),
    ("rabbitmq", Victim::Rabbitmq),
];

/// The time after which the queues that RabbitMQ declared are on its disk. If it is killed earlier, they may need a repair,
/// whoever uses them.
const UNTIL_DECLARED: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug)]
enum Victim {
    Intake,
    Worker,
    Postgres,
    Rabbitmq,
}

/// An intake, a worker, PostgreSQL and RabbitMQ are killed, each `OPBEAT_KILLS` times, or fewer times if
/// `OPBEAT_KILL_SECONDS` have passed. RabbitMQ takes long to start.
#[expect(clippy::print_stdout, reason = "the number of kills is the result of a run with a limit of time")]
pub(crate) async fn scaled() {
    let chosen = env::var("OPBEAT_VICTIMS").unwrap_or_else(|_| "intake worker postgres rabbitmq".to_owned());
    let victims: Vec<Victim> = chosen.split_whitespace().map(victim).collect();
    let end = Instant::now() + Duration::from_secs(number("OPBEAT_KILL_SECONDS", 24 * 3_600));
    let mut deployment = Scaled::start();
    let load = Load::start(&deployment.intakes());
    load.accepted_more().await;
    outage(UNTIL_DECLARED).await;
    let mut kills = 0;
    while kills < number("OPBEAT_KILLS", 2) && Instant::now() < end {
        for victim in &victims {
            random_moment(Duration::from_millis(1_500)).await;
            kill(&mut deployment, *victim);
            load.accepted_more().await;
        }
        kills += 1;
    }
    println!("killed {kills} times each: {chosen}; {} bodies were accepted", load.ledger().accepted());
    let ledger = load.finish().await;
    ledger.assert_none_refused();
    ledger.check(&deployment).await;
}

fn victim(name: &str) -> Victim {
    let found = VICTIMS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("OPBEAT_VICTIMS: there is no {name}: {VICTIMS:?}")).1
}

/// Kills a process, and starts it again.
fn kill(deployment: &mut Scaled, victim: Victim) {
    match victim {
        Victim::Intake => kill_one(&mut deployment.intakes),
        Victim::Worker => kill_one(&mut deployment.workers),
        Victim::Postgres => {
            deployment.postgres.kill();
            deployment.postgres.start_again();
        }
        Victim::Rabbitmq => {
            deployment.rabbitmq.kill();
            deployment.rabbitmq.start_again();
        }
    }
}

fn kill_one(processes: &mut [Opbeat]) {
    let process = fastrand::choice(processes).unwrap();
    process.kill();
    process.start_again();
}
