//! The deployment that is soaked, and how it fails.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;
use test_backends::Opbeat;
use tokio::time::sleep;

use super::clock::Clock;
use super::faults::Fault;
use super::memory::Processes;
use crate::api::Api;
use crate::deployment::{Deployment, Embedded, Scaled, Variables};
use crate::small_disk::SmallDisk;

/// The size of the disk with the data folders, in megabytes. It takes only the space that is used.
const DISK_MB: u64 = 8 << 10;

/// The time in which a server notices that its disk has space again, or that its clock was stepped: it looks once a
/// second.
const NOTICE: Duration = Duration::from_millis(1_500);

/// The name of the database's file.
const DATABASE: &str = "opbeat.sqlite";

/// The steps of the clock, in seconds.
const AHEAD: i64 = 26 * 3_600;
const BEHIND: i64 = -2 * 3_600;

/// Both forms of the server.
enum Form {
    Embedded(Box<Embedded>),
    Scaled(Box<Scaled>),
}

/// A deployment on a disk and with a clock of its own, where the machine allows it.
pub(crate) struct Subject {
    form: Form,
    processes: Processes,
    disk: Result<SmallDisk, String>,
    clock: Result<Clock, String>,
    /// The folder in place of the disk.
    _folder: Option<TempDir>,
}

impl Subject {
    pub(crate) fn embedded() -> Self {
        Self::new(|folder, variables| Form::Embedded(Embedded::start_with(&folder, variables).into()))
    }

    pub(crate) fn scaled() -> Self {
        Self::new(|folder, variables| Form::Scaled(Scaled::start_in(&folder, |_| variables.clone()).into()))
    }

    fn new(start: impl FnOnce(PathBuf, Variables) -> Form) -> Self {
        let (disk, clock) = (SmallDisk::mount_image(DISK_MB), Clock::new());
        let folder = disk.is_err().then(|| tempfile::tempdir().unwrap());
        let path = match (&disk, &folder) {
            (Ok(disk), _) => disk.path().join("data"),
            (Err(_), Some(folder)) => folder.path().to_owned(),
            (Err(_), None) => unreachable!("the folder takes the place of the disk"),
        };
        fs::create_dir_all(&path).unwrap();
        let variables = clock.as_ref().map(Clock::variables).unwrap_or_default();
        let form = start(path, variables);
        let subject = Self { form, processes: Processes::default(), disk, clock, _folder: folder };
        subject.note_processes();
        subject
    }

    /// Returns the faults that this machine allows, in their order.
    ///
    /// RabbitMQ is killed last, because it writes the declaration of a queue to the disk only half a second after its
    /// answer.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let mut faults = match self.form {
            Form::Embedded(_) => vec![
                Fault::ServerKilled,
                Fault::DatabaseLocked,
                Fault::DiskFull,
                Fault::ClockAhead,
                Fault::DatabaseMissing,
                Fault::ClockBehind,
            ],
            Form::Scaled(_) => vec![
                Fault::IntakeKilled,
                Fault::PostgresKilled,
                Fault::DiskFull,
                Fault::WorkerKilled,
                Fault::ClockAhead,
                Fault::PostgresAway,
                Fault::ClockBehind,
                Fault::WebKilled,
                Fault::RabbitmqAway,
                Fault::RabbitmqKilled,
            ],
        };
        faults.retain(|fault| match fault {
            Fault::DiskFull => self.disk.is_ok(),
            Fault::ClockAhead | Fault::ClockBehind => self.clock.is_ok(),
            _ => true,
        });
        faults
    }

    /// Returns the faults that this machine does not allow, with the reasons.
    pub(crate) fn skipped(&self) -> Vec<String> {
        let disk = self.disk.as_ref().err().map(|reason| format!("skipped: disk full: {reason}"));
        let clock = self.clock.as_ref().err().map(|reason| format!("skipped: clock stepped: {reason}"));
        disk.into_iter().chain(clock).collect()
    }

    /// Returns the ids of the processes, which are kept up to date.
    pub(crate) fn processes(&self) -> Processes {
        Arc::clone(&self.processes)
    }

    /// Returns the URLs of the processes that accept bodies.
    pub(crate) fn intakes(&self) -> Vec<String> {
        match &self.form {
            Form::Embedded(embedded) => embedded.intakes(),
            Form::Scaled(scaled) => scaled.intakes(),
        }
    }

    pub(crate) fn api(&self) -> &Api {
        match &self.form {
            Form::Embedded(embedded) => embedded.api(),
            Form::Scaled(scaled) => scaled.api(),
        }
    }

    /// Waits until no accepted body is left to store.
    pub(crate) async fn drained(&self) {
        match &self.form {
            Form::Embedded(embedded) => embedded.drained().await,
            Form::Scaled(scaled) => scaled.drained().await,
        }
    }

    /// Sets the clock to a time that is later than all rows. The API shows no rows of the future.
    pub(crate) async fn show_all(&self) {
        if let Ok(clock) = &self.clock {
            clock.set(AHEAD + 60);
            sleep(NOTICE).await;
        }
    }

    /// Lets something fail. A fault that lasts ends after a time. `round` chooses one of several processes.
    pub(crate) async fn inject(&mut self, fault: Fault, round: usize, lasting: Duration) {
        match (&mut self.form, fault) {
            (_, Fault::DiskFull) => self.fill_disk(lasting).await,
            (_, Fault::ClockAhead) => self.step_clock(AHEAD, lasting).await,
            (_, Fault::ClockBehind) => self.step_clock(BEHIND, lasting).await,
            (Form::Embedded(embedded), Fault::ServerKilled) => kill(&mut embedded.server),
            (Form::Embedded(embedded), Fault::DatabaseLocked) => {
                // A busy server holds the lock most of the time, so that it is taken between two processes.
                end(&mut embedded.server);
                let lock = Connection::open(embedded.folder().join(DATABASE)).unwrap();
                lock.execute_batch("BEGIN IMMEDIATE").unwrap();
                embedded.server.start_again();
                sleep(lasting).await;
                lock.execute_batch("ROLLBACK").unwrap();
            }
            (Form::Embedded(embedded), Fault::DatabaseMissing) => {
                let [file, elsewhere] = [DATABASE, "elsewhere"].map(|name| embedded.folder().join(name));
                fs::rename(&file, &elsewhere).unwrap();
                sleep(lasting).await;
                fs::rename(&elsewhere, &file).unwrap();
            }
            (Form::Scaled(scaled), Fault::IntakeKilled) => kill_one(&mut scaled.intakes, round),
            (Form::Scaled(scaled), Fault::WorkerKilled) => kill_one(&mut scaled.workers, round),
            (Form::Scaled(scaled), Fault::WebKilled) => kill(&mut scaled.web),
            (Form::Scaled(scaled), Fault::PostgresKilled) => {
                scaled.postgres.kill();
                scaled.postgres.start_again();
            }
            (Form::Scaled(scaled), Fault::PostgresAway) => {
                scaled.postgres.stop();
                sleep(lasting).await;
                scaled.postgres.start_again();
            }
            (Form::Scaled(scaled), Fault::RabbitmqKilled) => {
                scaled.rabbitmq.kill();
                scaled.rabbitmq.start_again();
            }
            (Form::Scaled(scaled), Fault::RabbitmqAway) => {
                scaled.rabbitmq.stop();
                sleep(lasting).await;
                scaled.rabbitmq.start_again();
            }
            (_, fault) => panic!("{fault} cannot happen to this form"),
        }
        self.note_processes();
    }

    async fn fill_disk(&self, lasting: Duration) {
        let mut filler = self.disk.as_ref().unwrap().filler();
        let end = Instant::now() + lasting;
        // The servers return space meanwhile.
        while Instant::now() < end {
            filler.fill();
            sleep(Duration::from_millis(50)).await;
        }
        drop(filler);
        sleep(NOTICE).await;
    }

    async fn step_clock(&self, seconds: i64, lasting: Duration) {
        let clock = self.clock.as_ref().unwrap();
        clock.set(seconds);
        sleep(lasting.max(NOTICE)).await;
        clock.set(0);
        sleep(NOTICE).await;
    }

    fn note_processes(&self) {
        let mut processes = self.processes.lock().unwrap();
        let mut note = |name: &str, process: &Opbeat| {
            let _ = processes.insert(name.to_owned(), process.id().unwrap());
        };
        match &self.form {
            Form::Embedded(embedded) => note("server", &embedded.server),
            Form::Scaled(scaled) => {
                for (role, processes) in [("intake", &scaled.intakes), ("worker", &scaled.workers)] {
                    for (index, process) in processes.iter().enumerate() {
                        note(&format!("{role}-{index}"), process);
                    }
                }
                note("web", &scaled.web);
            }
        }
    }
}

fn kill_one(processes: &mut [Opbeat], round: usize) {
    let count = processes.len();
    kill(&mut processes[round % count]);
}

/// Kills a process, and starts it again.
fn kill(process: &mut Opbeat) {
    end(process);
    process.start_again();
}

/// Kills a process.
fn end(process: &mut Opbeat) {
    let id = process.id().unwrap();
    process.kill();
    Clock::forget(id);
}
