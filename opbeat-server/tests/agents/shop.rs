//! The server, the recorder before it, and a program that has sent its data through it.

use std::process::Command;

use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::opbeat::Opbeat;
use crate::program::Program;
use crate::recorder::Recorder;
use crate::sent::{list, sent_transactions};

/// The agents that run at the same time. The Python agent gives up after a moment what it has not sent when its program ends,
/// so it must not wait for the others.
static AGENTS: Semaphore = Semaphore::const_new(2);

/// A server with a recorder before it, to which nothing was sent yet.
pub(crate) struct EmptyShop {
    pub(crate) opbeat: Opbeat,
    recorder: Recorder,
    /// The recorder's URL.
    url: String,
    permit: SemaphorePermit<'static>,
}

pub(crate) struct Shop {
    pub(crate) opbeat: Opbeat,
    pub(crate) recorder: Recorder,
    /// The program's own account of its transactions, errors and releases.
    pub(crate) account: Value,
    _permit: SemaphorePermit<'static>,
}

impl EmptyShop {
    pub(crate) async fn start() -> Self {
        let permit = AGENTS.acquire().await.unwrap();
        let opbeat = Opbeat::start();
        let (recorder, url) = Recorder::start(&opbeat.url).await;
        Self { opbeat, recorder, url, permit }
    }

    /// Runs a program that sends all data before it ends.
    pub(crate) async fn after(self, command: Command) -> Shop {
        let url = self.url.clone();
        self.after_sending_to(&url, command).await
    }

    /// Runs a program that sends all data to the server itself before it ends: the recorder cannot read gRPC.
    pub(crate) async fn after_unrecorded(self, command: Command) -> Shop {
        let url = self.opbeat.url.clone();
        self.after_sending_to(&url, command).await
    }

    async fn after_sending_to(self, url: &str, command: Command) -> Shop {
        let mut program = Program::start(command, &self.opbeat.environment(url));
        let account = program.account().await;
        let (status, errors) = program.ended().await;
        assert!(status.success(), "{status}: {errors}");
        self.filled(account).await
    }

    /// Runs a program that stays until its transactions have arrived at an endpoint, and then ends with a status.
    pub(crate) async fn after_transactions(self, command: Command, endpoint: &str, code: i32) -> Shop {
        let arrived = |recorder: &Recorder| -> u64 {
            let sent = sent_transactions(&recorder.bodies(endpoint));
            sent.values().map(|transaction| transaction.durations.len() as u64).sum()
        };
        self.after_arrival(command, code, |recorder, account| arrived(recorder) >= transactions(account)).await
    }

    /// Runs a program that stays until its errors have arrived, and sends its transactions when it ends.
    pub(crate) async fn after_errors(self, command: Command) -> Shop {
        let arrived = |recorder: &Recorder| recorder.bodies("errors").len() as u64;
        self.after_arrival(command, 0, |recorder, account| arrived(recorder) >= errors(account)).await
    }

    async fn after_arrival(self, command: Command, code: i32, is_there: impl Fn(&Recorder, &Value) -> bool) -> Shop {
        let mut program = Program::start(command, &self.opbeat.environment(&self.url));
        let account = program.account().await;
        self.recorder.until("the events", |recorder| is_there(recorder, &account)).await;
        let (status, errors) = program.ended().await;
        assert_eq!(status.code(), Some(code), "{errors}");
        self.filled(account).await
    }

    async fn filled(self, account: Value) -> Shop {
        self.opbeat.drained().await;
        Shop { opbeat: self.opbeat, recorder: self.recorder, account, _permit: self.permit }
    }
}

/// Returns the number of transactions in an account.
fn transactions(account: &Value) -> u64 {
    let results =
        list(&account["transactions"]).iter().flat_map(|group| group["results"].as_object().unwrap().values());
    results.map(|times| times.as_u64().unwrap()).sum()
}

/// Returns the number of errors in an account.
fn errors(account: &Value) -> u64 {
    list(&account["errors"]).iter().map(|group| group["times"].as_u64().unwrap()).sum()
}
