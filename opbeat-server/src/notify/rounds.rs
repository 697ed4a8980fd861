//! The rounds of the worker: routing, claims and attempts.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use opbeat_protocol::Timestamp;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::failure::Failure;
use super::sender::Notifier;
use crate::store::{Claimed, Outcome, Store, StoreError};

/// The time between two looks for activities and messages that are due.
const INTERVAL: Duration = Duration::from_millis(500);

/// The time between two looks for spikes.
const SPIKE_INTERVAL: Duration = Duration::from_secs(60);

/// The number of messages that are sent at the same time.
const MAX_SENDING: usize = 16;

/// The time for which a claimed message belongs to this worker, in microseconds. No attempt takes as long.
const LEASE: i64 = 60_000_000;

/// The breaks after failed attempts, in seconds. After the last one, the message is given up.
const BREAKS: [i64; 5] = [30, 120, 600, 3_600, 14_400];

/// Routes activities and sends messages, again and again. Receivers that hang do not delay others: each has at most one
/// attempt at a time.
pub(crate) async fn notify(store: &Store, notifier: Notifier) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sending: JoinSet<String> = JoinSet::new();
    let mut busy = BTreeSet::new();
    let mut spikes = tokio::time::interval(SPIKE_INTERVAL);
    spikes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = spikes.tick() => if let Err(error) = store.find_spikes(now()).await {
                log(&error, "spikes cannot be looked for; it is tried again in a minute");
            },
            // Its receiver may have further messages.
            Some(sent) = sending.join_next() => match sent {
                Ok(receiver) => {
                    busy.remove(&receiver);
                }
                // An attempt that panicked does not name its receiver.
                Err(_) if sending.is_empty() => busy.clear(),
                Err(_) => {}
            },
        }
        let round = async {
            while store.route_due(notifier.routing, now()).await? {}
            let limit = MAX_SENDING.saturating_sub(sending.len());
            let now = now();
            store.claim_messages((now, now + LEASE), busy.clone(), limit).await
        };
        match round.await {
            Ok(claimed) => {
                for claimed in claimed {
                    busy.insert(claimed.receiver.key());
                    sending.spawn(attempt(store.clone(), notifier.clone(), claimed));
                }
            }
            Err(error) => log(&error, "notifications wait for the database; it is tried again in a moment"),
        }
    }
}

/// Sends a message, and stores the result. Returns the receiver.
async fn attempt(store: Store, notifier: Notifier, claimed: Claimed) -> String {
    let result = notifier.send(&claimed, now().div_euclid(1_000_000)).await;
    let (outcome, now) = (outcome(result, claimed.attempts, now()), now());
    // If it cannot be stored, the message is sent again when its lease is over.
    if let Err(error) = store.finish_message(&claimed, outcome, now).await {
        log(&error, "the result of a notification cannot be stored; it is sent again in a minute");
    }
    claimed.receiver.key()
}

fn outcome(result: Result<(), Failure>, attempts: i64, now: i64) -> Outcome {
    let Err(failure) = result else { return Outcome::Sent };
    let pause = usize::try_from(attempts - 1).ok().and_then(|index| BREAKS.get(index));
    match pause {
        Some(seconds) if !failure.is_final => Outcome::Later(failure.reason, now + seconds * 1_000_000),
        _ => Outcome::GivenUp(failure.reason),
    }
}

fn log(error: &StoreError, message: &str) {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    tracing::debug!(%error, cause, "{message}");
}

fn now() -> i64 {
    Timestamp::from(SystemTime::now()).micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_given_up_after_six_attempts_or_a_lasting_failure() {
        let failed = |attempts| outcome(Err(Failure::passing("no")), attempts, 0);
        assert_eq!(failed(1), Outcome::Later("no".to_owned(), 30_000_000));
        assert_eq!(failed(5), Outcome::Later("no".to_owned(), 14_400_000_000));
        assert_eq!(failed(6), Outcome::GivenUp("no".to_owned()));
        assert_eq!(outcome(Err(Failure::lasting("no")), 1, 0), Outcome::GivenUp("no".to_owned()));
        assert_eq!(outcome(Ok(()), 1, 0), Outcome::Sent);
    }
}
