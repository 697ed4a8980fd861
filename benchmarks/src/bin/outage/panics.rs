//! Requests whose handler panics. The client waits for the end of its connection.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use load::bound::Bound;
use load::quantiles::quantile;
use load::sink::Manner;

use crate::application::{Application, Server};
use crate::effort::Effort;

const SERVERS: [Server; 3] = [Server::Nobody, Server::Running(Manner::Silent), Server::Absent];

/// The number of panics per round.
const PANICS: usize = 300;

/// The pause between two panics.
const PAUSE: Duration = Duration::from_millis(2);

/// The maximum delay of the connection's end, compared with the unmonitored application.
const LATER: Duration = Duration::from_millis(1);

const SHARES: [(&str, f64); 2] = [("median", 0.5), ("99 %", 0.99)];

pub fn measure(effort: Effort) -> Vec<Bound> {
    let mut cases = SERVERS.map(|server| (Application::start(server), Vec::new()));
    for round in 0..effort.rounds {
        for turn in 0..SERVERS.len() {
            let (application, latencies) = &mut cases[(round + turn) % SERVERS.len()];
            latencies.extend((0..effort.share_of(PANICS)).map(|_| panic_once(application.port)));
        }
    }
    println!("A request that panics, until its connection ends; {} of each:\n", cases[0].1.len());
    println!("| reports to | median | 99 % |\n|---|---:|---:|");
    let measured = cases.map(|(application, mut latencies)| {
        let quantiles = SHARES.map(|(_, share)| quantile(&mut latencies, share));
        println!("| {} | {:.1?} | {:.1?} |", application.server.name(), quantiles[0], quantiles[1]);
        quantiles
    });
    println!();
    SERVERS.iter().zip(measured).skip(1).flat_map(|(server, own)| bounds(*server, measured[0], own)).collect()
}

fn bounds(server: Server, unmonitored: [Duration; 2], own: [Duration; 2]) -> [Bound; 2] {
    [0, 1].map(|index| {
        let (name, server) = (SHARES[index].0, server.name());
        let (own, unmonitored) = (own[index], unmonitored[index]);
        let sentence = format!(
            "{server}: a panic's {name} is at most {LATER:?} longer than unmonitored: {own:.1?} and {unmonitored:.1?}"
        );
        Bound::new(sentence, own <= unmonitored + LATER)
    })
}

/// Returns the time from the request to the end of its connection.
fn panic_once(port: u16) -> Duration {
    thread::sleep(PAUSE);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the application accepts");
    let start = Instant::now();
    stream.write_all(b"GET /panics HTTP/1.1\r\nhost: shop.example\r\n\r\n").expect("the application reads");
    // A reset connection has ended, too.
    let read = stream.read(&mut [0; 64]).unwrap_or(0);
    assert_eq!(read, 0, "a handler that panics sends no response");
    start.elapsed()
}
