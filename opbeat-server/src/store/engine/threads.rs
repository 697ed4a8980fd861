//! The threads on which connections work, since they block.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::error::{Error, Kind};

/// Work for a thread.
type Job = Box<dyn FnOnce() + Send>;

/// The threads of a pool. Clones share them.
#[derive(Clone, Debug)]
pub(super) enum Threads {
    /// Any of the runtime's threads that may block.
    Shared,
    /// One thread, which starts with the first work, and ends with the pool.
    ///
    /// The C library keeps freed memory for the thread that allocated it. A connection with a large cache that moved from
    /// thread to thread would leave the size of its cache with each.
    Own(Arc<Mutex<Option<mpsc::Sender<Job>>>>),
}

impl Threads {
    /// Returns one thread, which is not started yet.
    pub(super) fn own() -> Self {
        Self::Own(Arc::default())
    }

    /// Calls a function on a thread that may block. It is called to its end even if the result is no longer awaited.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let Self::Own(thread) = self else { return spawn_blocking(work).await.map_err(|_| panicked()) };
        let (result, returned) = oneshot::channel();
        let job: Job = Box::new(move || {
            // The caller may wait for the result no longer.
            let _ = result.send(work());
        });
        {
            let mut thread = thread.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = match thread.as_ref() {
                Some(jobs) => jobs.send(job),
                None => Err(mpsc::SendError(job)),
            };
            if let Err(mpsc::SendError(job)) = sent {
                let jobs = start().map_err(|error| Error::outage(format!("cannot start a thread: {error}")))?;
                // The thread was just started.
                let _ = jobs.send(job);
                *thread = Some(jobs);
            }
        }
        returned.await.map_err(|_| panicked())
    }
}

fn panicked() -> Error {
    Error::new(Kind::Unknown, "the server panicked while it used the database")
}

/// Starts a thread that does its work in the order of its arrival.
fn start() -> std::io::Result<mpsc::Sender<Job>> {
    let (jobs, waiting) = mpsc::channel::<Job>();
    let runtime = Handle::current();
    let work = move || {
        let _runtime = runtime.enter();
        for job in waiting {
            // The panic hook logged a panic, and the caller gets an error.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    };
    std::thread::Builder::new().name("store".to_owned()).spawn(work)?;
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_thread_does_all_work_and_survives_panics() {
        let threads = Threads::own();
        let name = || (std::thread::current().id(), std::thread::current().name().map(str::to_owned));
        let first = threads.run(name).await.unwrap();
        assert_eq!(first.1.as_deref(), Some("store"));
        let error = threads.run(|| panic!("no books")).await.unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
        assert_eq!(threads.clone().run(name).await.unwrap(), first);
    }
}
