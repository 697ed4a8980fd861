//! The queue, and the worker that runs its jobs one after the other.

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinError;

use crate::{BoxError, Ending, Job};

/// A queue of waiting jobs. Its worker ends when the queue is dropped and empty.
#[derive(Debug)]
pub struct Queue {
    waiting: mpsc::UnboundedSender<Queued>,
}

/// A handle to one queued job.
#[derive(Debug)]
pub struct Ticket {
    cancel: oneshot::Sender<()>,
    ending: oneshot::Receiver<Ending>,
}

#[derive(Debug)]
struct Queued {
    job: Job,
    cancelled: oneshot::Receiver<()>,
    ending: oneshot::Sender<Ending>,
}

impl Queue {
    /// Starts the worker on the current runtime. The worker runs the job that `wrap` returns for each queued job.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    #[must_use]
    pub fn start(wrap: impl Fn(Job) -> Job + Send + 'static) -> Self {
        let (waiting, mut next) = mpsc::unbounded_channel::<Queued>();
        tokio::spawn(async move {
            while let Some(queued) = next.recv().await {
                run(wrap(queued.job), queued.cancelled, queued.ending).await;
            }
        });
        Self { waiting }
    }

    /// Queues a job.
    pub fn push(&self, job: Job) -> Ticket {
        let (cancel, cancelled) = oneshot::channel();
        let (ended, ending) = oneshot::channel();
        // If the worker has ended, the ticket reports the job as cancelled.
        let _ = self.waiting.send(Queued { job, cancelled, ending: ended });
        Ticket { cancel, ending }
    }
}

impl Ticket {
    /// Cancels the job, and waits until it has stopped.
    pub async fn cancel(self) -> Ending {
        // A job that has already ended keeps its ending.
        let _ = self.cancel.send(());
        self.ending.await.unwrap_or(Ending::Cancelled)
    }

    /// Waits until the job has ended.
    pub async fn ended(self) -> Ending {
        self.ending.await.unwrap_or(Ending::Cancelled)
    }
}

/// Runs a job as a separate task, so that a panic in the job does not end the worker.
async fn run(job: Job, cancelled: oneshot::Receiver<()>, ending: oneshot::Sender<Ending>) {
    let mut task = tokio::spawn(job.work);
    let ended = tokio::select! {
        ended = &mut task => ended,
        Ok(()) = cancelled => {
            task.abort();
            task.await
        }
    };
    // The send fails if the ticket was dropped; then the ending is not needed.
    let _ = ending.send(ending_of(ended));
}

fn ending_of(ended: Result<Result<(), BoxError>, JoinError>) -> Ending {
    match ended {
        Ok(Ok(())) => Ending::Done,
        Ok(Err(error)) => Ending::Failed(error),
        Err(error) if error.is_panic() => Ending::Panicked,
        Err(_) => Ending::Cancelled,
    }
}
