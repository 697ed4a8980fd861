//! A load over loopback that never sleeps: a server would have to wake it, more often the slower the server is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::connection::{Connection, request};

/// Keep-alive connections that send the same request again and again.
#[derive(Debug)]
pub struct Lane {
    request: Vec<u8>,
    /// The start of each response.
    status: &'static [u8],
    connections: Vec<Connection>,
    pace: Pace,
    /// The due times of the requests that wait for a free connection.
    overdue: VecDeque<Instant>,
    latencies: Vec<Duration>,
}

#[derive(Debug)]
enum Pace {
    /// Each connection sends its next request after the response.
    Closed,
    /// One request per interval, whatever the server does.
    Every(Duration),
}

impl Lane {
    /// Creates a lane whose connections each send the next request after the response.
    pub fn closed(port: u16, path: &str, connections: usize) -> Self {
        Self::new(port, path, connections, Pace::Closed)
    }

    /// Creates a lane that sends at a fixed rate. Latencies are measured from the time at which a request was due.
    pub fn paced(port: u16, path: &str, connections: usize, rate: u32) -> Self {
        Self::new(port, path, connections, Pace::Every(Duration::from_secs(1) / rate))
    }

    /// Expects status 500 instead of 200.
    #[must_use]
    pub fn expecting_failure(self) -> Self {
        Self { status: b"HTTP/1.1 500", ..self }
    }

    fn new(port: u16, path: &str, connections: usize, pace: Pace) -> Self {
        let connections = (0..connections).map(|_| Connection::new(port)).collect();
        let (overdue, latencies) = (VecDeque::new(), Vec::new());
        Self { request: request(path), status: b"HTTP/1.1 200", connections, pace, overdue, latencies }
    }

    /// Returns the latencies since the last call, one per response.
    pub fn take(&mut self) -> Vec<Duration> {
        std::mem::take(&mut self.latencies)
    }

    /// Records the requests that are due.
    fn schedule(&mut self, now: Instant, next: &mut Instant) {
        match self.pace {
            Pace::Closed => {
                let idle = self.connections.iter().filter(|connection| connection.due.is_none()).count();
                self.overdue.resize(idle, now);
            }
            Pace::Every(interval) => {
                while *next <= now {
                    self.overdue.push_back(*next);
                    *next += interval;
                }
            }
        }
    }

    fn send(&mut self) {
        for connection in self.connections.iter_mut().filter(|connection| connection.due.is_none()) {
            let Some(due) = self.overdue.pop_front() else { return };
            connection.send(&self.request, due);
        }
    }

    fn receive(&mut self) {
        let mut waiting: Vec<&mut Connection> = self.connections.iter_mut().filter(|it| it.due.is_some()).collect();
        for index in readable(&waiting) {
            let latency = waiting[index].receive(self.status);
            self.latencies.extend(latency);
        }
    }

    fn is_idle(&self) -> bool {
        self.overdue.is_empty() && self.connections.iter().all(|connection| connection.due.is_none())
    }
}

/// Drives lanes for a duration, then until all responses have arrived. Returns the elapsed time.
pub fn drive(lanes: &mut [Lane], duration: Duration) -> Duration {
    let start = Instant::now();
    let mut next = vec![start; lanes.len()];
    loop {
        let now = Instant::now();
        let is_over = now - start >= duration;
        if is_over && lanes.iter().all(Lane::is_idle) {
            return now - start;
        }
        for (lane, next) in lanes.iter_mut().zip(&mut next) {
            if !is_over {
                lane.schedule(now, next);
            }
            lane.send();
            lane.receive();
        }
        assert!(now - start < duration + Duration::from_secs(30), "a response is missing");
    }
}

/// Returns the connections with readable data, without waiting.
fn readable(connections: &[&mut Connection]) -> Vec<usize> {
    let mut polled: Vec<PollFd<'_>> =
        connections.iter().map(|connection| PollFd::new(&connection.stream, PollFlags::IN)).collect();
    poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).expect("the system polls");
    (0..polled.len()).filter(|index| !polled[*index].revents().is_empty()).collect()
}
