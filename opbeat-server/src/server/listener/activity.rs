//! Whether a connection waits for its client, or for this server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Version;
use tokio::time::Instant;

use super::limits::ConnectionLimits;

/// The time without progress after which a request is interrupted while the server stops, or counts as waiting.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest time for which a stopping server waits for the rest of requests and for clients that read slowly.
const STOP_FOR_CLIENTS: Duration = Duration::from_secs(5);

/// The longest time for which a stopping server waits for requests that it handles.
const STOP_FOR_HANDLERS: Duration = Duration::from_secs(7);

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    is_http2: bool,
    /// Whether a byte of the next request has arrived.
    has_started_head: bool,
    /// The start of the wait for the head of a request, if there is no request.
    waiting_since: Instant,
    /// Whether a request was received, so that the connection may wait for the next one.
    has_served: bool,
    /// The running requests, with the times of their heads.
    requests: Vec<(u64, Instant)>,
    next: u64,
    /// The number of bodies of which a handler waits for the next part.
    awaited_bodies: usize,
    /// Whether the client does not read what was written.
    is_write_blocked: bool,
    /// The last time at which the client sent or read something.
    progress: Instant,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State::new(Instant::now())) }
    }

    /// Notes bytes of the client.
    pub(super) fn received(&self, bytes: &[u8]) {
        self.state().received(bytes, Instant::now());
    }

    /// Notes whether the client reads what is written.
    pub(super) fn written(&self, bytes: usize, is_blocked: bool) {
        self.state().written(bytes, is_blocked, Instant::now());
    }

    /// Notes a request, until the returned guard is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> Running {
        let number = self.state().begin(version, Instant::now());
        Running { activity: Arc::clone(self), number }
    }

    /// Notes that a handler waits for the next part of a body, until the returned guard is dropped.
    pub(super) fn await_body(self: &Arc<Self>) -> Awaited {
        self.state().await_body(Instant::now());
        Awaited { activity: Arc::clone(self) }
    }

    /// Returns the time until which the connection may stay in its present state.
    pub(super) fn deadline(&self, limits: &ConnectionLimits) -> Instant {
        self.state().deadline(limits)
    }

    /// Returns the time until which the connection may stay open after the server was stopped.
    pub(super) fn stop_deadline(&self, stopped: Instant) -> Instant {
        self.state().stop_deadline(stopped)
    }

    /// Returns the time since which the connection waits for its client, or `None` if the client waits for the server.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        self.state().waits_since(Instant::now())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(now: Instant) -> Self {
        Self {
            is_http2: false,
            has_started_head: false,
            waiting_since: now,
            has_served: false,
            requests: Vec::new(),
            next: 0,
            awaited_bodies: 0,
            is_write_blocked: false,
            progress: now,
        }
    }

    /// Notes bytes of the client. The first ones show whether it speaks HTTP/2.
    fn received(&mut self, bytes: &[u8], now: Instant) {
        self.progress = now;
        if !self.requests.is_empty() || self.is_http2 || self.has_started_head {
            return;
        }
        self.has_started_head = true;
        if self.has_served {
            self.waiting_since = now;
        } else {
            self.is_http2 = bytes.starts_with(b"PRI ");
        }
    }

    fn written(&mut self, bytes: usize, is_blocked: bool, now: Instant) {
        if bytes > 0 || (is_blocked && !self.is_write_blocked) {
            self.progress = now;
        }
        self.is_write_blocked = is_blocked;
    }

    fn begin(&mut self, version: Version, now: Instant) -> u64 {
        self.is_http2 = version == Version::HTTP_2;
        self.has_started_head = false;
        self.has_served = true;
        let number = self.next;
        self.next += 1;
        self.requests.push((number, now));
        number
    }

    fn end(&mut self, number: u64, now: Instant) {
        self.requests.retain(|(other, _)| *other != number);
        if self.requests.is_empty() {
            self.waiting_since = now;
        }
    }

    fn await_body(&mut self, now: Instant) {
        self.awaited_bodies += 1;
        self.progress = now;
    }

    fn deadline(&self, limits: &ConnectionLimits) -> Instant {
        let end = match self.oldest() {
            Some(start) => start + limits.request_timeout,
            None if self.is_http2 || (self.has_served && !self.has_started_head) => {
                self.waiting_since + limits.idle_timeout
            }
            None => self.waiting_since + limits.head_timeout,
        };
        if self.is_stalled() { end.min(self.progress + limits.stalled_timeout) } else { end }
    }

    fn stop_deadline(&self, stopped: Instant) -> Instant {
        if self.requests.is_empty() && !self.is_write_blocked && !self.is_http2 {
            return stopped;
        }
        // An answer of HTTP/2 may wait for the client to widen its window, after its request has ended.
        if self.requests.is_empty() || self.is_stalled() {
            return (self.progress.max(stopped) + PATIENCE).min(stopped + STOP_FOR_CLIENTS);
        }
        stopped + STOP_FOR_HANDLERS
    }

    fn waits_since(&self, now: Instant) -> Option<Instant> {
        match self.oldest() {
            None => Some(self.waiting_since),
            Some(_) if self.is_stalled() && now - self.progress > PATIENCE => Some(self.progress),
            Some(_) => None,
        }
    }

    /// Returns the time of the oldest request's head.
    fn oldest(&self) -> Option<Instant> {
        self.requests.iter().map(|(_, start)| *start).min()
    }

    /// Returns whether the next step is the client's, although a request runs.
    fn is_stalled(&self) -> bool {
        self.awaited_bodies > 0 || self.is_write_blocked
    }
}

/// A request that runs until its answer was written.
#[derive(Debug)]
pub(super) struct Running {
    activity: Arc<Activity>,
    number: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.activity.state().end(self.number, Instant::now());
    }
}

/// A body of which a handler waits for the next part.
#[derive(Debug)]
pub(super) struct Awaited {
    activity: Arc<Activity>,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.activity.state().awaited_bodies -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::Version;
    use tokio::time::Instant;

    use super::State;
    use crate::server::ConnectionLimits;

    /// Returns a connection, and the clock in seconds since it was opened.
    fn connection() -> (State, impl Fn(u64) -> Instant, impl Fn(&State) -> u64) {
        let start = Instant::now();
        let deadline = move |state: &State| (state.deadline(&ConnectionLimits::default()) - start).as_secs();
        (State::new(start), move |seconds| start + Duration::from_secs(seconds), deadline)
    }

    #[test]
    fn the_time_of_a_wait_depends_on_what_is_waited_for() {
        let (mut state, at, deadline) = connection();
        state.received(b"GET / HTT", at(4));
        state.received(b"P/1.1", at(5));
        assert_eq!(deadline(&state), 10, "bytes of a head do not extend its time");
        let request = state.begin(Version::HTTP_11, at(6));
        assert_eq!((deadline(&state), state.waits_since(at(100))), (306, None), "the server's work takes its time");
        state.await_body(at(8));
        assert_eq!(deadline(&state), 38, "a part of a body is awaited");
        assert_eq!([at(8), at(10)].map(|now| state.waits_since(now)), [None, Some(at(8))]);
        state.received(b"{", at(20));
        assert_eq!((deadline(&state), state.waits_since(at(20))), (50, None));
        state.awaited_bodies -= 1;
        state.end(request, at(21));
        assert_eq!(deadline(&state), 96, "the next request may come later");
        state.received(b"GET", at(50));
        assert_eq!(deadline(&state), 60, "the head of the next request");
    }

    #[test]
    fn a_client_that_does_not_read_its_answer_is_waited_for() {
        let (mut state, at, deadline) = connection();
        state.begin(Version::HTTP_11, at(0));
        state.written(9, false, at(1));
        assert_eq!(deadline(&state), 300);
        state.written(0, true, at(2));
        state.written(0, true, at(9));
        assert_eq!((deadline(&state), state.waits_since(at(10))), (32, Some(at(2))));
    }

    #[test]
    fn a_stop_waits_for_handlers_and_a_little_for_clients() {
        let (mut state, at, _) = connection();
        assert_eq!(state.stop_deadline(at(0)), at(0));
        let request = state.begin(Version::HTTP_11, at(0));
        assert_eq!(state.stop_deadline(at(0)), at(7));
        state.await_body(at(0));
        assert_eq!(state.stop_deadline(at(0)), at(1));
        state.received(b"x", at(3));
        assert_eq!(state.stop_deadline(at(0)), at(4));
        state.received(b"x", at(6));
        assert_eq!(state.stop_deadline(at(0)), at(5));
        state.awaited_bodies -= 1;
        state.written(0, true, at(6));
        assert_eq!(state.stop_deadline(at(0)), at(5));
        state.end(request, at(6));
        state.written(9, false, at(6));
        assert_eq!(state.stop_deadline(at(0)), at(0));
    }

    #[test]
    fn connections_of_http_2_are_idle_from_their_preface() {
        let (mut state, at, deadline) = connection();
        state.received(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", at(1));
        assert_eq!(deadline(&state), 75);
        let first = state.begin(Version::HTTP_2, at(50));
        let second = state.begin(Version::HTTP_2, at(150));
        assert_eq!(deadline(&state), 350, "the oldest request counts");
        state.end(first, at(200));
        assert_eq!(deadline(&state), 450);
        state.end(second, at(210));
        assert_eq!(deadline(&state), 285);
    }
}
