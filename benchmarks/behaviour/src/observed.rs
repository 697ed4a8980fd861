//! Sends the table's requests, and waits for their records.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use opbeat_testing::behaviour::{Case, ClientAction, HttpVersions, cases};

use crate::columns::Column;
use crate::peers::Peer;
use crate::recorded::{Record, Recorded, Request};
use crate::verdicts::Shortfall;

/// The time after which a missing record counts as not recorded.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pause after which no further records are expected.
const QUIET: Duration = Duration::from_millis(100);

/// The records of the cases, by their names.
#[derive(Debug, Default)]
pub struct Observed {
    cases: BTreeMap<&'static str, Recorded>,
}

impl Observed {
    /// Returns the records of a case, unless the framework makes it impossible.
    pub fn of(&self, case: &str) -> Result<&Recorded, Shortfall> {
        self.cases.get(case).ok_or(Shortfall::Impossible)
    }

    /// Returns the one request that was recorded.
    pub fn once(&self, case: &str) -> Result<&Request, Shortfall> {
        match self.of(case)?.requests.as_slice() {
            [] => Err(Shortfall::no("not recorded")),
            [request] => Ok(request),
            [_, _] => Err(Shortfall::no("recorded twice")),
            more => Err(Shortfall::no(format!("recorded {} times", more.len()))),
        }
    }
}

/// Runs all cases of the table, or one of them.
///
/// # Panics
///
/// Panics if a case cannot be sent, which means that the application does not implement the table.
pub fn observe(column: &Column, only: Option<&str>) -> Observed {
    let peer = (column.start)();
    // The client sends a health check before a reset, and most peers record that.
    let is_compared = |case: &&Case| case.client != ClientAction::Reset;
    let is_possible = |case: &&Case| case.versions != HttpVersions::Http2 && !column.exempt.contains(&case.name);
    let is_wanted = |case: &&Case| only.is_none_or(|name| name == case.name);
    let cases = cases().filter(is_compared).filter(is_possible).filter(is_wanted);
    Observed { cases: cases.map(|case| (case.name, recorded(&peer, case))).collect() }
}

fn recorded(peer: &Peer, case: &Case) -> Recorded {
    peer.recorder.clear();
    match case.send(peer.address) {
        Ok(exchange) => assert_response(case, exchange.response),
        Err(error) => panic!("{}: the exchange failed: {error}", case.name),
    }
    settled(&*peer.recorder)
}

/// Checks the response. If the framework writes the error body itself, only the status is compared.
fn assert_response(case: &Case, response: Option<(u16, String)>) {
    let Some((status, body)) = case.response else { return };
    let (actual, text) = response.unwrap_or_default();
    let is_written_by_framework = body.is_empty() && status >= 400;
    assert_eq!(actual, status, "the status of {}", case.name);
    assert!(is_written_by_framework || text == body, "{}: unexpected body {text:?}", case.name);
}

fn settled(recorder: &dyn Record) -> Recorded {
    let start = Instant::now();
    let (mut recorded, mut news) = (Recorded::default(), start);
    loop {
        let now = recorder.recorded();
        if now != recorded {
            (recorded, news) = (now, Instant::now());
        }
        let patience = if recorded == Recorded::default() { PATIENCE } else { QUIET };
        if news.elapsed() >= patience {
            return recorded;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
