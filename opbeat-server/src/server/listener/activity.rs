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
    /// The running requests.
    requests: Vec<Request>,
    next: u64,
    /// Whether the client does not read what was written.
    is_write_blocked: bool,
    /// The last time at which the client sent something.
    received_at: Instant,
    /// The last time at which the client read something, or did not read any more.
    written_at: Instant,
}

/// A request that runs.
#[derive(Debug)]
struct Request {
    number: u64,
    /// The time of its head.
    started: Instant,
    /// The time since which a handler waits for the next part of the body.
    awaits_since: Option<Instant>,
    /// The time since which a part of the answer waits for the window of the client, with HTTP/2.
    offers_since: Option<Instant>,
}

impl Request {
    /// Returns the time since which the next step is the client's.
    fn waits_since(&self) -> Option<Instant> {
        [self.awaits_since, self.offers_since].into_iter().flatten().min()
    }
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

    /// Notes that a handler waits for the next part of a request's body, until the returned guard is dropped.
    pub(super) fn await_body(self: &Arc<Self>, number: u64) -> Awaited {
        self.state().await_body(number, Some(Instant::now()));
        Awaited { activity: Arc::clone(self), number }
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
            is_write_blocked: false,
            received_at: now,
            written_at: now,
        }
    }

    /// Notes bytes of the client. The first ones show whether it speaks HTTP/2.
    fn received(&mut self, bytes: &[u8], now: Instant) {
        self.received_at = now;
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
            self.written_at = now;
        }
        self.is_write_blocked = is_blocked;
    }

    fn begin(&mut self, version: Version, now: Instant) -> u64 {
        self.is_http2 = version == Version::HTTP_2;
        self.has_started_head = false;
        self.has_served = true;
        let number = self.next;
        self.next += 1;
        self.requests.push(Request { number, started: now, awaits_since: None, offers_since: None });
        number
    }

    fn end(&mut self, number: u64, now: Instant) {
        self.requests.retain(|other| other.number != number);
        if self.requests.is_empty() {
            self.waiting_since = now;
        }
    }

    /// Notes whether a handler waits for the next part of a request's body.
    fn await_body(&mut self, number: u64, since: Option<Instant>) {
        if let Some(request) = self.request(number) {
            request.awaits_since = since;
        }
    }

    /// Notes whether a part of a request's answer can be sent.
    ///
    /// HTTP/2 takes it when the window of the client has room. With HTTP/1, writes to the connection show that.
    fn offer(&mut self, number: u64, since: Option<Instant>) {
        let since = since.filter(|_| self.is_http2);
        if let Some(request) = self.request(number) {
            request.offers_since = since;
        }
    }

    fn request(&mut self, number: u64) -> Option<&mut Request> {
        self.requests.iter_mut().find(|request| request.number == number)
    }

    fn deadline(&self, limits: &ConnectionLimits) -> Instant {
        let end = match self.oldest() {
            Some(start) => start + limits.request_timeout,
            None if self.is_http2 || (self.has_served && !self.has_started_head) => {
                self.waiting_since + limits.idle_timeout
            }
            None => self.waiting_since + limits.head_timeout,
        };
        self.stalled_since().map_or(end, |since| end.min(since + limits.stalled_timeout))
    }

    fn stop_deadline(&self, stopped: Instant) -> Instant {
        if self.requests.is_empty() && !self.is_write_blocked && !self.is_http2 {
            return stopped;
        }
        // An answer of HTTP/2 may wait for the client to widen its window, after its request has ended.
        if self.requests.is_empty() || self.stalled_since().is_some() {
            let progress = self.received_at.max(self.written_at);
            return (progress.max(stopped) + PATIENCE).min(stopped + STOP_FOR_CLIENTS);
        }
        stopped + STOP_FOR_HANDLERS
    }

    fn waits_since(&self, now: Instant) -> Option<Instant> {
        if self.requests.is_empty() {
            return Some(self.waiting_since);
        }
        let is_handled = self.requests.iter().any(|request| request.waits_since().is_none());
        let since = self.stalled_since().filter(|_| !is_handled || self.is_write_blocked)?;
        (now - since > PATIENCE).then_some(since)
    }

    /// Returns the time of the oldest request's head.
    fn oldest(&self) -> Option<Instant> {
        self.requests.iter().map(|request| request.started).min()
    }

    /// Returns the time since which a request makes no progress because the next step is the client's.
    ///
    /// With HTTP/2, bytes of the client are no progress by themselves: they may be pings, or of other requests.
    fn stalled_since(&self) -> Option<Instant> {
        let waits = self.requests.iter().filter_map(Request::waits_since).min();
        let waits = if self.is_http2 { waits } else { waits.map(|since| since.max(self.received_at)) };
        let blocked = self.is_write_blocked.then_some(self.written_at);
        [waits, blocked].into_iter().flatten().min()
    }
}

/// A request that runs until its answer was written.
#[derive(Debug)]
pub(super) struct Running {
    activity: Arc<Activity>,
    number: u64,
}

impl Running {
    /// Returns the number of the request on its connection.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Notes whether a part of the answer can be sent.
    pub(super) fn offer(&self, is_offered: bool) {
        self.activity.state().offer(self.number, is_offered.then(Instant::now));
    }
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
    number: u64,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.activity.state().await_body(self.number, None);
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
        state.await_body(request, Some(at(8)));
        assert_eq!(deadline(&state), 38, "a part of a body is awaited");
        assert_eq!([at(8), at(10)].map(|now| state.waits_since(now)), [None, Some(at(8))]);
        state.received(b"{", at(20));
        assert_eq!((deadline(&state), state.waits_since(at(20))), (50, None));
        state.await_body(request, None);
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
        state.await_body(request, Some(at(0)));
        assert_eq!(state.stop_deadline(at(0)), at(1));
        state.received(b"x", at(3));
        assert_eq!(state.stop_deadline(at(0)), at(4));
        state.received(b"x", at(6));
        assert_eq!(state.stop_deadline(at(0)), at(5));
        state.await_body(request, None);
        state.written(0, true, at(6));
        assert_eq!(state.stop_deadline(at(0)), at(5));
        state.end(request, at(6));
        state.written(9, false, at(6));
        assert_eq!(state.stop_deadline(at(0)), at(0));
    }

    #[test]
    fn an_answer_of_http_2_waits_for_the_window_and_pings_are_no_progress() {
        let (mut state, at, deadline) = connection();
        state.received(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", at(0));
        let first = state.begin(Version::HTTP_2, at(0));
        state.offer(first, Some(at(10)));
        state.received(b"a ping", at(20));
        state.written(17, false, at(20));
        assert_eq!((deadline(&state), state.waits_since(at(20))), (40, Some(at(10))));
        let second = state.begin(Version::HTTP_2, at(21));
        assert_eq!(state.waits_since(at(30)), None, "another request is handled");
        assert_eq!(deadline(&state), 40, "which does not make the first one wait longer");
        state.offer(first, None);
        assert_eq!(deadline(&state), 300, "the handler makes the next part");
        state.offer(first, Some(at(41)));
        state.await_body(second, Some(at(45)));
        assert_eq!((deadline(&state), state.waits_since(at(46))), (71, Some(at(41))));
        state.end(first, at(50));
        state.received(b"a ping", at(60));
        assert_eq!(deadline(&state), 75, "a body that does not arrive");
    }

    #[test]
    fn answers_of_http_1_wait_for_writes_only() {
        let (mut state, at, deadline) = connection();
        let request = state.begin(Version::HTTP_11, at(0));
        state.offer(request, Some(at(1)));
        assert_eq!((deadline(&state), state.waits_since(at(100))), (300, None));
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
