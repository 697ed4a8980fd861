//! The cost of capturing an error for its request.

use std::time::Duration;

use load::bound::Bound;
use load::lane::{Lane, drive};
use load::quantiles::median;
use load::sink::Manner;

use crate::application::{Application, Server};
use crate::effort::Effort;

const SERVERS: [Server; 2] = [Server::Running(Manner::Healthy), Server::Absent];

/// The number of errors per second: as high as in a burst of similar errors, when the cost matters.
const RATE: u32 = 1_000;

const LONGEST: Duration = Duration::from_micros(30);

pub fn measure(effort: Effort) -> Vec<Bound> {
    let mut cases = SERVERS.map(|server| {
        let application = Application::start(server);
        let lanes = [Lane::paced(application.port, "/captures", 1, RATE)];
        (application, lanes, Vec::new())
    });
    for _ in 0..effort.rounds {
        for (application, lanes, rounds) in &mut cases {
            drive(lanes, effort.seconds(3));
            rounds.push(application.captures());
        }
    }
    println!(
        "Capturing an error with a stack of about 40 frames on the request's thread, 1,000 a second; medians of {} rounds:\n",
        effort.rounds
    );
    println!("| reports to | median | 90 % |\n|---|---:|---:|");
    let bounds = cases.map(|(application, _, rounds)| {
        let [half, most] = [0, 1].map(|index| median(rounds.iter().map(|round| round[index])));
        println!("| {} | {half:.1?} | {most:.1?} |", application.server.name());
        bound(application.server, half, most)
    });
    println!();
    bounds.into()
}

fn bound(server: Server, half: Duration, most: Duration) -> Bound {
    let server = server.name();
    let sentence =
        format!("{server}: capturing an error takes at most {LONGEST:?}: {half:.1?}, 90 % within {most:.1?}");
    Bound::new(sentence, half <= LONGEST && most <= LONGEST)
}
