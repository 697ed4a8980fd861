//! A test that is ignored where a program that it needs is missing.

use std::env;
use std::pin::Pin;
use std::sync::{PoisonError, RwLock};

use libtest_mimic::{Completion, Trial};
use test_backends::{Postgres, Rabbitmq};

use crate::small_disk::SmallDisk;

/// Something that a test needs from the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    Postgres,
    Rabbitmq,
    SmallDisk,
}

impl Need {
    /// Returns the reason why a test that needs this cannot run here.
    fn missing(self) -> Option<String> {
        let package = |is_installed: bool, name: &str, package: &str| {
            (!is_installed).then(|| format!("{name} is not installed; on Debian: `apt-get install {package}`"))
        };
        match self {
            Self::Postgres => package(Postgres::is_installed(), "PostgreSQL", "postgresql"),
            Self::Rabbitmq => package(Rabbitmq::is_installed(), "RabbitMQ", "rabbitmq-server"),
            Self::SmallDisk => SmallDisk::mount().err(),
        }
    }
}

/// The machine, which most tests share, and those that measure it have to themselves.
static MACHINE: RwLock<()> = RwLock::new(());

/// A named test.
pub(crate) struct Case {
    name: &'static str,
    needs: &'static [Need],
    is_alone: bool,
    run: fn() -> Pin<Box<dyn Future<Output = ()>>>,
}

impl Case {
    pub(crate) fn new(
        name: &'static str,
        needs: &'static [Need],
        run: fn() -> Pin<Box<dyn Future<Output = ()>>>,
    ) -> Self {
        Self { name, needs, is_alone: false, run }
    }

    /// Runs the test while no other one runs.
    pub(crate) fn alone(self) -> Self {
        Self { is_alone: true, ..self }
    }

    pub(crate) fn trial(self) -> Trial {
        Trial::ignorable_test(self.name, move || {
            let missing: Vec<String> = self.needs.iter().filter_map(|need| need.missing()).collect();
            if !missing.is_empty() {
                return Ok(Completion::ignored_with(missing.join(", and ")));
            }
            // A test that failed leaves nothing in the lock.
            let _all = self.is_alone.then(|| MACHINE.write().unwrap_or_else(PoisonError::into_inner));
            let _shared = (!self.is_alone).then(|| MACHINE.read().unwrap_or_else(PoisonError::into_inner));
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            runtime.block_on((self.run)());
            Ok(Completion::Completed)
        })
    }
}

/// Returns a number from the environment, or a default that is small enough for every commit.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    match env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}")),
        Err(_) => default,
    }
}
