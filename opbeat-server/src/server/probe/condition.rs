//! The results of the probes, for the metrics and the health check.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// A step of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Step {
    /// The app and the token are created in the database.
    Prepare,
    /// The transaction is sent to the intake, which accepts it.
    Send,
    /// The queue and the worker store the transaction.
    Store,
    /// The read model is asked for the transaction.
    Read,
}

impl Step {
    /// All steps, in their order.
    pub(in crate::server) const ALL: [Self; 4] = [Self::Prepare, Self::Send, Self::Store, Self::Read];

    /// Returns the name of the step.
    pub(in crate::server) const fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Send => "send",
            Self::Store => "store",
            Self::Read => "read",
        }
    }
}

/// A probe that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The step that failed.
    pub(super) step: Step,
    /// The reason.
    pub(super) reason: String,
}

/// The results of the probes of this process. Clones share them.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct ProbeCondition(Arc<Mutex<ProbeFigures>>);

/// The figures of the probes since the start.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct ProbeFigures {
    /// The time from the start of the last successful probe until its transaction could be read.
    pub(in crate::server) visible: Option<Duration>,
    /// The end of the last successful probe.
    pub(in crate::server) succeeded_at: Option<SystemTime>,
    /// The number of successful probes.
    pub(in crate::server) successes: u64,
    /// The number of failed probes, in the order of [`Step::ALL`].
    pub(in crate::server) failures: [u64; Step::ALL.len()],
    /// The reason of the last probe, if it failed.
    failure: Option<Failure>,
}

/// The result of the last probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum ProbeState<'a> {
    /// None has ended yet.
    Waiting,
    /// It succeeded.
    Ok,
    /// It failed at a step, for a reason.
    Failing(Step, &'a str),
}

impl ProbeFigures {
    /// Returns the result of the last probe.
    pub(in crate::server) fn state(&self) -> ProbeState<'_> {
        match &self.failure {
            Some(Failure { step, reason }) => ProbeState::Failing(*step, reason),
            None if self.succeeded_at.is_some() => ProbeState::Ok,
            None => ProbeState::Waiting,
        }
    }

    fn add(&mut self, result: Result<Duration, Failure>, now: SystemTime) {
        match result {
            Ok(visible) => {
                (self.visible, self.succeeded_at, self.failure) = (Some(visible), Some(now), None);
                self.successes += 1;
            }
            Err(failure) => {
                self.failures[failure.step as usize] += 1;
                self.failure = Some(failure);
            }
        }
    }
}

impl ProbeCondition {
    /// Returns the figures.
    pub(in crate::server) fn figures(&self) -> ProbeFigures {
        self.lock().clone()
    }

    /// Adds the result of a probe. Logs the first failure of several, and the success after them.
    pub(super) fn record(&self, result: Result<Duration, Failure>) {
        let mut figures = self.lock();
        let was_failing = figures.failure.is_some();
        figures.add(result, SystemTime::now());
        let visible_ms = figures.visible.unwrap_or_default().as_millis();
        let failure = figures.failure.clone();
        drop(figures);
        match failure {
            Some(Failure { step, reason }) if !was_failing => tracing::error!(
                step = step.name(),
                %reason,
                "the end-to-end probe fails: its transaction cannot be read in time; /readyz and /metrics show when it \
                 succeeds again"
            ),
            None if was_failing => tracing::info!(visible_ms, "the end-to-end probe succeeds again"),
            Some(Failure { step, reason }) => tracing::debug!(step = step.name(), %reason, "the probe fails again"),
            None => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, ProbeFigures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_by_step_and_end_with_a_success() {
        let mut figures = ProbeFigures::default();
        assert_eq!(figures.state(), ProbeState::Waiting);
        let failed = |step| Err(Failure { step, reason: "gone".to_owned() });
        for step in [Step::Send, Step::Store, Step::Store] {
            figures.add(failed(step), SystemTime::UNIX_EPOCH);
            assert_eq!(figures.state(), ProbeState::Failing(step, "gone"));
        }
        figures.add(Ok(Duration::from_secs(2)), SystemTime::UNIX_EPOCH);
        assert_eq!((figures.state(), figures.successes, figures.failures), (ProbeState::Ok, 1, [0, 1, 2, 0]));
        figures.add(failed(Step::Read), SystemTime::UNIX_EPOCH);
        assert_eq!(figures.visible, Some(Duration::from_secs(2)), "the last success stays known");
    }
}
