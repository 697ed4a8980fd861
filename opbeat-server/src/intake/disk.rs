//! The free space of the disk that holds the data folder.
//!
//! Bodies are refused before the disk is full, so that what is accepted can still be stored.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::sync::watch;

use super::rejection::Rejection;

/// The time between two measurements.
const INTERVAL: Duration = Duration::from_secs(1);

/// The time between two log lines while too little space is free.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The free space in bytes below which bodies are refused, if no other number is set. On a small disk, it is a hundredth of
/// the disk.
const DEFAULT_MIN_FREE: u64 = 256 << 20;

/// The seconds after which senders try again.
const RETRY_AFTER: u32 = 30;

/// The last measurement of a disk. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    /// The free space in bytes below which bodies are refused.
    min_free: Option<u64>,
    is_low: Arc<AtomicBool>,
    log: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    /// The time of the last line about too little space, until enough is free again.
    low: Option<Instant>,
    /// Whether the last measurement failed.
    is_failing: bool,
}

/// The space of a disk, in bytes.
#[derive(Clone, Copy, Debug)]
struct Space {
    free: u64,
    total: u64,
}

impl Disk {
    /// Measures the disk of a folder for the first time.
    pub(crate) fn open(folder: &Path, min_free: Option<u64>) -> Self {
        let disk = Self { folder: folder.to_owned(), min_free, is_low: Arc::default(), log: Arc::default() };
        disk.measure(Instant::now());
        disk
    }

    /// Measures the disk once a second until the server stops. Requests therefore do not wait for it.
    pub(crate) async fn watch(self, mut stopped: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                // An error means that the server was dropped: stop as well.
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
            let disk = self.clone();
            // A disk of the network can take long to answer.
            if tokio::task::spawn_blocking(move || disk.measure(Instant::now())).await.is_err() {
                return;
            }
        }
    }

    /// Returns whether too little space is free.
    pub(crate) fn is_low(&self) -> bool {
        self.is_low.load(Ordering::Relaxed)
    }

    /// Refuses a body if too little space is free.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        if !self.is_low() {
            return Ok(());
        }
        let message = "The disk of this server is almost full. Send the body again later, so that no data is lost.";
        let rejection = Rejection::new(StatusCode::SERVICE_UNAVAILABLE, message);
        Err(Rejection { reason: "disk_space", retry_after: Some(RETRY_AFTER), ..rejection })
    }

    fn measure(&self, now: Instant) {
        let space = space(&self.folder);
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let Space { free, total } = match space {
            Ok(space) => space,
            Err(error) => {
                if !std::mem::replace(&mut log.is_failing, true) {
                    let folder = self.folder.display();
                    tracing::warn!(%error, %folder, "the free space of the data folder's disk cannot be measured");
                }
                return;
            }
        };
        log.is_failing = false;
        let min_free = self.min_free.unwrap_or_else(|| DEFAULT_MIN_FREE.min(total / 100));
        let is_low = free < min_free;
        self.is_low.store(is_low, Ordering::Relaxed);
        if is_low && log.low.is_none_or(|at| now.saturating_duration_since(at) >= LOG_INTERVAL) {
            log.low = Some(now);
            let (free, min_free) = (free >> 20, min_free >> 20);
            tracing::error!(
                "all data is refused, since only {free} MiB of the disk are free, and {min_free} MiB must be; free or add \
                 space, or shorten how long data is kept"
            );
        } else if !is_low && log.low.take().is_some() {
            tracing::info!("data is accepted again, since enough of the disk is free");
        }
    }
}

/// Returns the space of the disk that holds a folder, as far as the server may use it.
#[cfg(unix)]
fn space(folder: &Path) -> std::io::Result<Space> {
    let disk = rustix::fs::statvfs(folder)?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Ok(Space { free: bytes(disk.f_bavail), total: bytes(disk.f_blocks) })
}

/// Space is not measured on this system: the queue's own limit and its errors apply.
#[cfg(not(unix))]
fn space(_folder: &Path) -> std::io::Result<Space> {
    Ok(Space { free: u64::MAX, total: u64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_refused_below_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let rejection = Disk::open(folder.path(), Some(u64::MAX)).check().unwrap_err();
        assert_eq!((rejection.status.as_u16(), rejection.reason, rejection.retry_after), (503, "disk_space", Some(30)));
        assert_eq!(Disk::open(folder.path(), Some(0)).check(), Ok(()));
    }

    #[test]
    fn too_little_space_is_logged_once_a_minute() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path(), Some(u64::MAX));
        let first = disk.log.lock().unwrap().low.unwrap();
        disk.measure(first + LOG_INTERVAL / 2);
        assert_eq!(disk.log.lock().unwrap().low, Some(first), "no second line");
        disk.measure(first + LOG_INTERVAL);
        assert_eq!(disk.log.lock().unwrap().low, Some(first + LOG_INTERVAL));
    }
}
