//! The loop that sends probes.

use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use opbeat_protocol::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout, timeout_at};

use super::client::Target;
use super::condition::{Failure, ProbeCondition, Step};
use crate::intake::hash_token;
use crate::query::{AppIdentity, Query};
use crate::random::random_hex;
use crate::server::ProbeConfig;
use crate::store::Store;
use crate::text::start_of;

/// The longest time from the start to the first probe.
const FIRST: Duration = Duration::from_secs(5);

/// The pauses between two looks for the transaction: the first one, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// The longest time in which the token is removed when the server stops.
const MAX_CLOSING: Duration = Duration::from_secs(1);

/// The name of the transaction.
const NAME: &str = "opbeat probe";

/// The largest part of an answer that a reason repeats, in characters.
const MAX_SHOWN: usize = 300;

/// Sends probes, one after the other.
pub(in crate::server) struct Probe {
    pub(in crate::server) store: Store,
    pub(in crate::server) target: Target,
    pub(in crate::server) config: ProbeConfig,
    pub(in crate::server) condition: ProbeCondition,
}

/// The app that gets the probes, and its token.
struct Access {
    app: AppIdentity,
    token: String,
}

impl Probe {
    /// Starts to send probes at an interval, until `stopped` is true.
    pub(in crate::server) fn start(self, interval: Duration, stopped: watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(self.run(interval, stopped))
    }

    async fn run(self, interval: Duration, mut stopped: watch::Receiver<bool>) {
        let query = Query::new(self.store.clone());
        let mut ticks = interval_at(Instant::now() + interval.min(FIRST), interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut access = None;
        loop {
            let probe = async {
                ticks.tick().await;
                self.probe(&query, &mut access).await
            };
            tokio::select! {
                result = probe => self.condition.record(result),
                // An error means that the server was dropped: stop as well.
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
        }
        if let Some(Access { token, .. }) = access {
            // A token that stays is removed by later ones.
            let _ = timeout(MAX_CLOSING, self.store.remove_token(&hash_token(&token))).await;
        }
    }

    /// Sends one transaction, and waits until it can be read. Returns the time that this took.
    async fn probe(&self, query: &Query, access: &mut Option<Access>) -> Result<Duration, Failure> {
        if access.is_none() {
            *access = Some(self.prepare().await?);
        }
        let Some(Access { app, token }) = access else { return Err(failed(Step::Prepare, "there is no app")) };
        let (started, id) = (Instant::now(), random_hex::<8>());
        let deadline = started + self.config.time_limit;
        let path = format!("/api/v1/organizations/{}/apps/{}/transactions/", app.organization_id, app.id);
        let sent = timeout_at(deadline, self.target.post(&path, token, body(&id).to_string())).await;
        let (status, answer) = sent
            .map_err(|_| failed(Step::Send, "the intake does not answer in time"))?
            .map_err(|error| failed(Step::Send, &with_sources(&*error)))?;
        if status != StatusCode::ACCEPTED {
            if status == StatusCode::UNAUTHORIZED {
                // The token was removed, or the database was replaced. The next probe gets another one.
                *access = None;
            }
            let answer = start_of(&answer, MAX_SHOWN);
            return Err(failed(Step::Send, &format!("the intake answers with {}: {answer}", status.as_u16())));
        }
        self.wait_until_visible(query, app, &id, deadline).await?;
        Ok(started.elapsed())
    }

    async fn prepare(&self) -> Result<Access, Failure> {
        let token = random_hex::<32>();
        let now = Timestamp::from(SystemTime::now()).micros();
        let opened = timeout(self.config.time_limit, self.store.open_probe(&hash_token(&token), now)).await;
        let app = opened
            .map_err(|_| failed(Step::Prepare, "the database does not answer in time"))?
            .map_err(|error| failed(Step::Prepare, &with_sources(&error)))?;
        let (organization, name) = (String::new(), NAME.to_owned());
        let app = AppIdentity { organization_id: app.organization_id, organization, id: app.app_id, name };
        Ok(Access { app, token })
    }

    async fn wait_until_visible(
        &self,
        query: &Query,
        app: &AppIdentity,
        id: &str,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let mut pause = PAUSES.0;
        loop {
            let found = timeout_at(deadline, query.find_sample(app, id)).await;
            let late = match found {
                Ok(Ok(Some(_))) => return Ok(()),
                Ok(Ok(None)) => {
                    let seconds = self.config.time_limit.as_secs_f64();
                    failed(Step::Store, &format!("the accepted transaction was not stored within {seconds} s"))
                }
                Ok(Err(error)) => failed(Step::Read, &with_sources(&error)),
                Err(_) => failed(Step::Read, "the database does not answer in time"),
            };
            if Instant::now() + pause >= deadline {
                return Err(late);
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(PAUSES.1);
        }
    }
}

/// Returns a body with one transaction and its sample, which has an id.
fn body(id: &str) -> Value {
    json!({
        "transactions": [{"transaction": NAME, "result": "ok", "durations": [1.0]}],
        "traces": {
            "groups": [{"transaction": NAME, "signature": "transaction", "kind": "transaction"}],
            "raw": [[1.0, [0, 0.0, 1.0], {"id": id}]],
        },
    })
}

fn failed(step: Step, reason: &str) -> Failure {
    Failure { step, reason: reason.to_owned() }
}

/// Returns the text of an error with its causes.
fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
