//! The resident memory of the servers, once a second.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::tally::Tally;

/// The time between two samples.
const INTERVAL: Duration = Duration::from_secs(1);

/// Shorter runs do not show whether memory grows: processes are still filling their caches.
const SHORTEST: Duration = Duration::from_secs(300);

/// The growth from the third to the last quarter of a run that counts as flat: a part, and a number of megabytes.
const FLAT_PART: f64 = 0.1;
const FLAT_MB: f64 = 8.0;

/// The ids of the processes that run now, by name.
pub(crate) type Processes = Arc<Mutex<BTreeMap<String, u32>>>;

/// Samples of a process: the second of the run, and the megabytes.
type Samples = Vec<(f64, f64)>;

/// A task that samples until `finish`.
pub(crate) struct Memory {
    samples: Arc<Mutex<BTreeMap<String, Samples>>>,
    task: JoinHandle<()>,
}

/// The samples of a run.
pub(crate) struct Measured(BTreeMap<String, Samples>);

impl Memory {
    pub(crate) fn start(processes: Processes, tally: Arc<Tally>) -> Self {
        let samples = Arc::new(Mutex::new(BTreeMap::<String, Samples>::new()));
        let all = Arc::clone(&samples);
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(INTERVAL);
            loop {
                ticks.tick().await;
                let running = processes.lock().unwrap().clone();
                for (name, id) in running {
                    // A process that was just killed has no memory.
                    if let Some(megabytes) = resident(id) {
                        let sample = (tally.elapsed().as_secs_f64(), megabytes);
                        all.lock().unwrap().entry(name).or_default().push(sample);
                    }
                }
            }
        });
        Self { samples, task }
    }

    pub(crate) async fn finish(self) -> Measured {
        self.task.abort();
        // An error is the one of `abort`.
        let _ = self.task.await;
        Measured(self.samples.lock().unwrap().clone())
    }
}

impl Measured {
    /// Returns the processes that grew in the second half of a run, in which none of them was killed.
    pub(crate) fn problems(&self, length: Duration) -> Vec<String> {
        if length < SHORTEST {
            return Vec::new();
        }
        let grown = self.0.iter().filter_map(|(name, samples)| {
            let [third, last] = quarters(samples);
            let most = third * (1.0 + FLAT_PART) + FLAT_MB;
            (last > most).then(|| format!("the memory of {name} grew from {third:.1} to {last:.1} MB"))
        });
        grown.collect()
    }

    /// Returns the lines of the report on the memory.
    pub(crate) fn lines(&self) -> Vec<String> {
        let head = "| process | start | middle | end | largest | median of quarter 3 | of quarter 4 | slope, MB/min |";
        let mut lines = vec![head.to_owned(), "|---|---|---|---|---|---|---|---|".to_owned()];
        for (name, samples) in &self.0 {
            let at = |index: usize| samples[index.min(samples.len() - 1)].1;
            let largest = samples.iter().map(|(_, megabytes)| *megabytes).fold(0.0, f64::max);
            let [third, last] = quarters(samples);
            let slope = slope(&samples[samples.len() / 2..]) * 60.0;
            let (middle, end) = (at(samples.len() / 2), at(samples.len()));
            lines.push(format!(
                "| {name} | {:.1} | {middle:.1} | {end:.1} | {largest:.1} | {third:.1} | {last:.1} | {slope:+.2} |",
                at(0)
            ));
        }
        lines
    }

    /// Returns the rule by which memory is flat.
    pub(crate) fn rule() -> String {
        format!(
            "memory is flat if the median of the last quarter is at most that of the third one, {:.0} % and {FLAT_MB} MB \
             (in runs of at least {} minutes; no process of the server is killed in the second half)",
            FLAT_PART * 100.0,
            SHORTEST.as_secs() / 60
        )
    }
}

/// Returns the resident megabytes of a process, on Linux.
fn resident(id: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// Returns the medians of the third and of the last quarter of samples.
fn quarters(samples: &Samples) -> [f64; 2] {
    let quarter = samples.len() / 4;
    let median = |part: &[(f64, f64)]| {
        let mut values: Vec<f64> = part.iter().map(|(_, megabytes)| *megabytes).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    [median(&samples[2 * quarter..3 * quarter]), median(&samples[3 * quarter..])]
}

/// Returns the slope of the line with the least squares, in megabytes a second.
fn slope(samples: &[(f64, f64)]) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (time, megabytes) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let covariance: f64 = samples.iter().map(|sample| (sample.0 - time) * (sample.1 - megabytes)).sum();
    let variance: f64 = samples.iter().map(|sample| (sample.0 - time).powi(2)).sum();
    if variance > 0.0 { covariance / variance } else { 0.0 }
}
