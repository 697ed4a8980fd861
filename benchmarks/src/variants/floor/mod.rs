//! The least that anything can do which records requests: two readings of the clock, a random id, one record, one
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

/// Room for what a saturated loop records in two rests.
const QUEUE: usize = 32_768;

/// How long the draining thread rests.
const REST: Duration = Duration::from_millis(20);

thread_local! {
    /// The spans of the request that runs on this thread. Handlers here never wait, so that there is only one.
    static SPANS_HERE: RefCell<Vec<Span>> = const { RefCell::new(Vec::new()) };
}

/// Where records go, which name requests by an `N`.
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
                Ok(done) => done.send(()).expect("somebody waits"),
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
        // A loss is found by what was delivered.
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
