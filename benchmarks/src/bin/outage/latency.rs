//! The latency of plain requests, for each server that the application reports to.

use std::time::Duration;

use load::bound::Bound;
use load::lane::{Lane, drive};
use load::quantiles::{median, quantile};
use load::sink::Manner;

use crate::application::{Application, Server};
use crate::effort::Effort;

const SERVERS: [Server; 6] = [
    Server::Nobody,
    Server::Running(Manner::Healthy),
    Server::Running(Manner::Silent),
    Server::Running(Manner::Failing),
    Server::Running(Manner::Closing),
    Server::Absent,
];

const PATH: &str = "/users/42";

/// The number of requests per second, far below the capacity of the application.
const RATE: u32 = 2_000;

const SHARES: [f64; 4] = [0.5, 0.99, 0.999, 1.0];

const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// The time by which a flush may exceed its timeout.
const GRACE: Duration = Duration::from_millis(100);

/// One kind of load on one application.
struct Row {
    lanes: [Lane; 1],
    duration: Duration,
    /// The quantiles of each round.
    latencies: Vec<[Duration; SHARES.len()]>,
    /// The requests per second of each round.
    throughputs: Vec<u64>,
}

struct Case {
    application: Application,
    paced: Row,
    closed: Row,
    flushes: Vec<(Duration, bool)>,
}

pub fn measure(effort: Effort) -> Vec<Bound> {
    measure_with(&SERVERS, effort)
}

/// Measures applications that report to the given servers.
pub fn measure_with(servers: &[Server], effort: Effort) -> Vec<Bound> {
    let mut cases: Vec<Case> = servers.iter().map(|server| Case::start(*server, effort)).collect();
    for round in 0..effort.rounds {
        for turn in 0..cases.len() {
            cases[(round + turn) % servers.len()].run();
        }
    }
    print(&format!("`GET {PATH}` at {RATE} requests a second"), &cases, |case| &case.paced);
    print(&format!("`GET {PATH}` from 32 connections at once"), &cases, |case| &case.closed);
    print_flushes(&cases);
    cases.iter().filter_map(Case::flush_bound).collect()
}

impl Case {
    fn start(server: Server, effort: Effort) -> Self {
        let application = Application::start(server);
        let paced = Row::new(Lane::paced(application.port, PATH, 8, RATE), effort.seconds(5));
        let closed = Row::new(Lane::closed(application.port, PATH, 32), effort.seconds(2));
        Self { application, paced, closed, flushes: Vec::new() }
    }

    fn run(&mut self) {
        self.paced.run();
        self.closed.run();
        self.flushes.extend(self.application.flush(FLUSH_TIMEOUT));
    }

    fn longest_flush(&self) -> Option<Duration> {
        self.flushes.iter().map(|(time, _)| *time).max()
    }

    fn flush_bound(&self) -> Option<Bound> {
        let (longest, server) = (self.longest_flush()?, self.application.server.name());
        let sentence = format!("{server}: a flush returns within {FLUSH_TIMEOUT:?} and {GRACE:?}: {longest:.1?}");
        Some(Bound::new(sentence, longest <= FLUSH_TIMEOUT + GRACE))
    }
}

impl Row {
    fn new(lane: Lane, duration: Duration) -> Self {
        Self { lanes: [lane], duration, latencies: Vec::new(), throughputs: Vec::new() }
    }

    fn run(&mut self) {
        let time = drive(&mut self.lanes, self.duration);
        let mut latencies = self.lanes[0].take();
        self.throughputs.push((latencies.len() as f64 / time.as_secs_f64()) as u64);
        self.latencies.push(SHARES.map(|share| quantile(&mut latencies, share)));
    }
}

fn print(title: &str, cases: &[Case], row: fn(&Case) -> &Row) {
    println!("{title}; microseconds, medians of {} rounds:\n", row(&cases[0]).latencies.len());
    println!("| reports to | median | 99 % | 99.9 % | longest | requests a second |\n|---|---:|---:|---:|---:|---:|");
    for case in cases {
        let row = row(case);
        let quantiles: Vec<String> = (0..SHARES.len())
            .map(|index| median(row.latencies.iter().map(|round| round[index])).as_micros().to_string())
            .collect();
        let throughput = median(row.throughputs.iter().copied());
        println!("| {} | {} | {throughput} |", case.application.server.name(), quantiles.join(" | "));
    }
    println!();
}

fn print_flushes(cases: &[Case]) {
    println!("`Agent::flush` with a timeout of {FLUSH_TIMEOUT:?} after each round:\n");
    println!("| reports to | median | longest | everything delivered |\n|---|---:|---:|---|");
    for case in cases {
        let Some(longest) = case.longest_flush() else { continue };
        let middle = median(case.flushes.iter().map(|(time, _)| *time));
        let delivered = case.flushes.iter().filter(|(_, flushed)| *flushed).count();
        let (server, rounds) = (case.application.server.name(), case.flushes.len());
        println!("| {server} | {middle:.1?} | {longest:.1?} | {delivered} of {rounds} |");
    }
    println!();
}
