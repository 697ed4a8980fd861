//! Processes are killed at random moments under load.

use std::time::Duration;

use crate::case::number;
use crate::deployment::{Deployment, Embedded, Scaled};
use crate::load::{Load, random_moment};

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

/// An intake, a worker, RabbitMQ or PostgreSQL is killed. `OPBEAT_KILLS` is the number of kills.
pub(crate) async fn scaled() {
    let mut deployment = Scaled::start();
    let load = Load::start(&deployment.intakes());
    let kills = number("OPBEAT_KILLS", 8);
    for kill in 0..kills {
        random_moment(Duration::from_millis(1_500)).await;
        // Each kind is killed equally often. RabbitMQ is the last one, because it writes the declaration of a queue to
        // the disk only half a second after its answer.
        match kill % 4 {
            0 => {
                let intake = fastrand::choice(&mut deployment.intakes).unwrap();
                intake.kill();
                intake.start_again();
            }
            1 => {
                let worker = fastrand::choice(&mut deployment.workers).unwrap();
                worker.kill();
                worker.start_again();
            }
            2 => {
                deployment.postgres.kill();
                deployment.postgres.start_again();
            }
            _ => {
                deployment.rabbitmq.kill();
                deployment.rabbitmq.start_again();
            }
        }
        load.accepted_more().await;
    }
    let ledger = load.finish().await;
    ledger.assert_none_refused();
    ledger.check(&deployment).await;
}
