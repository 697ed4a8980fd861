//! The minimum that any recording of requests can do: two clock readings, a random id, one record, one
//! queue.

mod actix;
mod record;
mod tower;

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;

pub(super) use actix::FloorMiddleware;
pub(super) use record::{Open, Record, Span};
pub(super) use tower::FloorLayer;

use super::{Counter, Recording, SPANS};

/// The capacity of the queue: enough for the records of a saturated loop during two rests.
const QUEUE: usize = 32_768;

/// The rest of the draining thread between two passes.
const REST: Duration = Duration::from_millis(20);

thread_local! {
    /// The spans of the request that runs on this thread. There is only one, since the handlers never wait.
    static SPANS_HERE: RefCell<Vec<Span>> = const { RefCell::new(Vec::new()) };
}

/// The destination of records, whose request names have the type `N`.
pub(super) struct Floor<N>(Arc<ArrayQueue<Box<Record<N>>>>);

impl<N> Clone for Floor<N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<N: Send + 'static> Floor<N> {
    /// Starts the thread that drains the queue.
    pub(super) fn start() -> (Self, Recording) {
        let (counter, (flushes, flushed)) = (Counter::default(), channel::<Sender<()>>());
        let floor = Self(Arc::new(ArrayQueue::new(QUEUE)));
        let (drained, counting) = (floor.clone(), counter.clone());
        thread::spawn(move || drained.drain(&counting, &flushed));
        let deliver = move || {
            let (done, is_done) = channel();
            flushes.send(done).expect("the thread runs");
            is_done.recv().expect("the thread runs");
            counter.delivered()
        };
        (floor, Recording::new(deliver, ()))
    }

    fn drain(&self, counter: &Counter, flushes: &Receiver<Sender<()>>) {
        loop {
            let flush = flushes.recv_timeout(REST);
            while let Some(record) = self.0.pop() {
                record.check();
                counter.add(1, record.spans.len() as u64);
            }
            match flush {
                Ok(done) => done.send(()).expect("the caller waits"),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

impl<N> Floor<N> {
    fn push(&self, mut record: Box<Record<N>>) {
        record.spans = SPANS_HERE.with_borrow_mut(mem::take);
        record.end = Some(Instant::now());
        // Dropped records are detected by comparison with the delivered ones.
        let _ = self.0.push(record);
    }
}

/// Five child spans.
pub(super) fn spans() {
    for _ in 0..SPANS {
        let mut span = Span::start("SELECT FROM users");
        span.attribute = Some(("table", "users"));
        span.end = Some(Instant::now());
        SPANS_HERE.with_borrow_mut(|spans| spans.push(span));
    }
}
