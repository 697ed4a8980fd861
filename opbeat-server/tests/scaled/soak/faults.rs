//! The faults, and their times.

use std::fmt;
use std::time::Duration;

use tokio::time::sleep;

use super::subject::Subject;
use super::tally::Tally;

/// Something that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    ServerKilled,
    IntakeKilled,
    WorkerKilled,
    WebKilled,
    DatabaseLocked,
    DatabaseMissing,
    PostgresKilled,
    PostgresAway,
    RabbitmqKilled,
    RabbitmqAway,
    DiskFull,
    ClockAhead,
    ClockBehind,
}

impl Fault {
    /// Returns whether a process of the server is killed, of which the memory is measured.
    fn is_restart(self) -> bool {
        matches!(
            self,
            Self::ServerKilled | Self::DatabaseLocked | Self::IntakeKilled | Self::WorkerKilled | Self::WebKilled
        )
    }

    /// Returns whether the fault is left out of runs that are short.
    fn is_slow(self) -> bool {
        matches!(self, Self::PostgresAway | Self::RabbitmqAway | Self::WebKilled)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ServerKilled => "server killed",
            Self::IntakeKilled => "intake killed",
            Self::WorkerKilled => "worker killed",
            Self::WebKilled => "web killed",
            Self::DatabaseLocked => "server killed, and SQLite locked",
            Self::DatabaseMissing => "SQLite missing",
            Self::PostgresKilled => "PostgreSQL killed",
            Self::PostgresAway => "PostgreSQL away",
            Self::RabbitmqKilled => "RabbitMQ killed",
            Self::RabbitmqAway => "RabbitMQ away",
            Self::DiskFull => "disk full",
            Self::ClockAhead => "clock 26 h ahead, and back",
            Self::ClockBehind => "clock 2 h behind, and back",
        })
    }
}

/// A fault with its times, in seconds since the start of the run.
#[derive(Debug)]
pub(crate) struct Injected {
    pub(crate) fault: Fault,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// The lengths of a run's parts.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// The time from the start of a fault to that of the next one, at least.
    gap: Duration,
    /// The time that a fault lasts, if it lasts.
    lasting: Duration,
    /// The time after a fault in which the servers may still be slow.
    recovery: Duration,
    rounds: u32,
}

/// The length of a round of faults in a long run.
const ROUND: Duration = Duration::from_secs(450);

/// The shortest run with all faults.
const LONG: Duration = Duration::from_secs(120);

impl Plan {
    fn new(length: Duration, faults: usize) -> Self {
        let rounds = u32::try_from(length.as_secs() / ROUND.as_secs()).unwrap().max(1);
        let gap = length / (rounds * u32::try_from(faults).unwrap() + 1);
        let lasting = gap.mul_f64(0.3).clamp(Duration::from_millis(1_500), Duration::from_secs(15));
        Self { gap, lasting, recovery: (gap / 4).min(Duration::from_secs(8)), rounds }
    }
}

/// Injects faults in rounds that fill the length of a run. Those that start a process of the server again are left out in
/// the second half, so that its memory can be compared.
pub(crate) async fn inject(subject: &mut Subject, tally: &Tally, length: Duration) -> Vec<Injected> {
    let faults: Vec<Fault> = subject.faults().into_iter().filter(|fault| length >= LONG || !fault.is_slow()).collect();
    let plan = Plan::new(length, faults.len());
    let mut injected = Vec::new();
    for round in 0..plan.rounds {
        for (index, fault) in faults.iter().enumerate() {
            let number = round * u32::try_from(faults.len()).unwrap() + u32::try_from(index).unwrap() + 1;
            sleep((plan.gap * number).saturating_sub(tally.elapsed())).await;
            // A short run lasts until each fault has happened.
            if round > 0 && tally.elapsed() > length {
                return injected;
            }
            if length >= LONG && tally.elapsed() * 2 > length && fault.is_restart() {
                continue;
            }
            let from = tally.elapsed().as_secs_f64();
            tally.set_calm(false);
            tally.allow_refusals(*fault == Fault::DiskFull);
            subject.inject(*fault, usize::try_from(round).unwrap(), plan.lasting).await;
            let to = tally.elapsed().as_secs_f64();
            injected.push(Injected { fault: *fault, from, to });
            sleep(plan.recovery).await;
            tally.allow_refusals(false);
            tally.set_calm(true);
        }
    }
    injected
}
