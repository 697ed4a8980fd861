//! Scheduled jobs, whose runs check in at the server.

use std::time::{Duration, Instant, SystemTime};

use super::job::Job;
use super::output::JobOutput;
use super::schedule::Schedule;
use crate::agent::Agent;
use crate::pipeline::Recorder;
use crate::record::CheckInRecord;
use crate::transaction::Transaction;

/// A run of a scheduled job that is about to start, from [`Agent::cron`](crate::Agent::cron).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// # use opbeat_core::{Agent, Config};
/// # use opbeat_testing::MemoryExporter;
/// # let agent = Agent::with_exporter(&Config::default(), MemoryExporter::default());
/// # fn report() -> Result<(), std::io::Error> { Ok(()) }
/// let cron = agent.cron("nightly-report", "0 3 * * *").time_zone("Europe/Berlin").grace(Duration::from_secs(600));
/// cron.call(report)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a job runs in `run` or `call`"]
pub struct CronJob {
    job: Job,
    monitor: String,
    schedule: Schedule,
    time_zone: Option<String>,
    grace: Option<Duration>,
}

impl Agent {
    /// Returns one run of a scheduled job: a transaction of the kind `task.cron` that is named after its monitor.
    ///
    /// The start and the end of each run are sent to the server. It shows whether the last run failed, and whether the
    /// next one is late. The code that calls this decides when the job runs: a loop, the system's cron, or a
    /// scheduler.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_core::Agent;
    /// # async fn report() -> Result<(), std::io::Error> { Ok(()) }
    /// # async fn nightly(agent: Agent) -> std::io::Result<()> {
    /// agent.cron("nightly-report", "0 3 * * *").run(report()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cron(&self, monitor: impl Into<String>, schedule: impl Into<Schedule>) -> CronJob {
        let monitor = monitor.into();
        let job = self.job(monitor.clone()).runner("cron");
        CronJob { job, monitor, schedule: schedule.into(), time_zone: None, grace: None }
    }
}

impl CronJob {
    /// Sets the time zone of the cron expression, by its IANA name. Without one, the expression is in UTC.
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.time_zone = Some(name.into());
        self
    }

    /// Sets the time by which a run may start late. Without one, the server allows five minutes.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Runs a future as a transaction, with the results of [`Job::run`].
    pub async fn run<Kind, F: Future<Output: JobOutput<Kind>>>(self, future: F) -> F::Output {
        let (transaction, mut run) = self.begin();
        let output = transaction.wrap(future).await;
        run.note(&output);
        transaction.finish(&output);
        output
    }

    /// Calls a closure as a transaction, with the results of [`Job::call`].
    pub fn call<Kind, T: JobOutput<Kind>>(self, work: impl FnOnce() -> T) -> T {
        let (transaction, mut run) = self.begin();
        let output = transaction.run(work);
        run.note(&output);
        transaction.finish(&output);
        output
    }

    fn begin(self) -> (Transaction, Run) {
        let Self { job, monitor, schedule, time_zone, grace } = self;
        let recorder = job.recorder().cloned();
        let transaction = job.begin();
        transaction.set_extra("schedule", schedule.to_string());
        if let Some(time_zone) = &time_zone {
            transaction.set_extra("time_zone", time_zone.clone());
        }
        let schedule = schedule.to_string();
        let check_in = CheckInRecord { monitor, schedule, time_zone, grace, started_at: SystemTime::now(), end: None };
        if let Some(recorder) = &recorder {
            recorder.check_in(check_in.clone());
        }
        (transaction, Run { recorder, check_in, started: Instant::now(), result: None })
    }
}

/// A run that has started. It checks in once more when it is dropped.
struct Run {
    recorder: Option<Recorder>,
    check_in: CheckInRecord,
    started: Instant,
    /// The result of a run that has ended by itself.
    result: Option<&'static str>,
}

impl Run {
    fn note<Kind>(&mut self, output: &impl JobOutput<Kind>) {
        self.result = Some(if output.failure().is_some() { "failed" } else { "ok" });
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let Some(recorder) = &self.recorder else { return };
        let dropped = if std::thread::panicking() { "panicked" } else { "cancelled" };
        let end = Some((self.started.elapsed(), self.result.unwrap_or(dropped)));
        recorder.check_in(CheckInRecord { end, ..self.check_in.clone() });
    }
}
