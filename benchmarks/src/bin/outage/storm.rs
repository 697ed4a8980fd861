//! A burst of similar errors during plain requests.

use std::time::Duration;

use load::bound::Bound;
use load::lane::{Lane, drive};
use load::quantiles::median;
use load::sink::Manner;

use crate::application::{Application, Server};
use crate::effort::Effort;

const SERVERS: [Server; 2] = [Server::Nobody, Server::Running(Manner::Healthy)];

/// The number of slices of each round's ten seconds. The slices take turns, since the other load of the machine changes
/// from second to second.
const SLICES: usize = 40;

/// The number of errors per second.
const RATE: u32 = 1_000;

/// The minimum share of the throughput that the errors must leave, relative to their effect on an unmonitored
/// application.
const LEFT: f64 = 0.95;

struct Case {
    application: Application,
    /// Plain requests, and failing ones.
    lanes: [Lane; 2],
    /// The number of plain requests per second in each round, without the burst and with it.
    throughputs: [Vec<f64>; 2],
    /// The processor time of all threads in a second with the burst.
    processor: Vec<f64>,
    /// The memory before the first burst and after the last, in megabytes.
    memory: [f64; 2],
}

pub fn measure(effort: Effort) -> Vec<Bound> {
    let mut cases = SERVERS.map(Case::start);
    for _ in 0..SLICES * effort.rounds {
        for is_burst in [false, true] {
            cases.iter_mut().for_each(|case| case.run(effort.seconds(10) / SLICES as u32, is_burst));
        }
    }
    println!("`GET /users/42` from 16 connections, alone and beside {RATE} errors a second; requests a second:\n");
    println!("| reports to | alone | with errors | CPU with errors | memory before | after |");
    println!("|---|---:|---:|---:|---:|---:|");
    cases.iter().for_each(Case::print);
    let [alone, storm] = [0, 1].map(|kind| share(&cases, kind));
    println!("\nOf the unmonitored application's requests, {alone:.3} are left alone, {storm:.3} beside errors.\n");
    let left = storm / alone;
    let sentence = format!("{RATE} errors a second leave at least {LEFT} of the throughput: {left:.3}");
    vec![Bound::new(sentence, left >= LEFT)]
}

impl Case {
    fn start(server: Server) -> Self {
        let mut application = Application::start(server);
        let plain = Lane::closed(application.port, "/users/42", 16);
        let failing = Lane::paced(application.port, "/fails", 8, RATE).expecting_failure();
        let memory = [application.memory(); 2];
        Self { application, lanes: [plain, failing], throughputs: Default::default(), processor: Vec::new(), memory }
    }

    fn run(&mut self, duration: Duration, is_burst: bool) {
        let lanes = if is_burst { &mut self.lanes[..] } else { &mut self.lanes[..1] };
        let before = self.application.processor();
        let time = drive(lanes, duration).as_secs_f64();
        if is_burst {
            self.processor.push((self.application.processor() - before).as_secs_f64() / time);
        }
        let [plain, _] = self.lanes.each_mut().map(Lane::take);
        self.throughputs[usize::from(is_burst)].push(plain.len() as f64 / time);
        self.memory[1] = self.application.memory();
    }

    fn print(&self) {
        let [alone, storm] = self.throughputs.each_ref().map(|rounds| middle(rounds.iter().copied()));
        let (server, processor) = (self.application.server.name(), middle(self.processor.iter().copied()));
        let [before, after] = self.memory;
        println!("| {server} | {alone:.0} | {storm:.0} | {processor:.2} | {before:.1} MB | {after:.1} MB |");
    }
}

/// Returns the remaining share of the unmonitored application's throughput, as the median of the rounds.
fn share(cases: &[Case; 2], kind: usize) -> f64 {
    let [unmonitored, monitored] = cases.each_ref().map(|case| &case.throughputs[kind]);
    middle(monitored.iter().zip(unmonitored).map(|(monitored, unmonitored)| monitored / unmonitored))
}

fn middle(numbers: impl Iterator<Item = f64>) -> f64 {
    median(numbers.map(|number| (number * 1e6) as i64)) as f64 / 1e6
}
