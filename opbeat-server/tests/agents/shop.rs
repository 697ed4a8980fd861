//! The server, the recorder before it, and a program that has sent its data through it.

use std::process::Command;

use serde_json::Value;

use crate::opbeat::Opbeat;
use crate::program::Program;
use crate::recorder::Recorder;
use crate::sent::sent_transactions;

pub(crate) struct Shop {
    pub(crate) opbeat: Opbeat,
    pub(crate) recorder: Recorder,
    /// The program's own account of its transactions, errors and releases.
    pub(crate) account: Value,
}

impl Shop {
    /// Runs a program that sends all data before it ends.
    pub(crate) async fn after(command: Command) -> Self {
        let (opbeat, recorder, mut program) = start(command).await;
        let account = program.account().await;
        let (status, errors) = program.ended().await;
        assert!(status.success(), "{status}: {errors}");
        recorder.assert_all_accepted();
        opbeat.drained().await;
        Self { opbeat, recorder, account }
    }

    /// Runs a program that stays until its transactions have arrived at an endpoint, and then ends with a status.
    pub(crate) async fn after_transactions(command: Command, endpoint: &str, code: i32) -> Self {
        let (opbeat, recorder, mut program) = start(command).await;
        let account = program.account().await;
        let expected: u64 = counts(&account).sum();
        let arrived = |recorder: &Recorder| -> u64 {
            let sent = sent_transactions(&recorder.bodies(endpoint));
            sent.values().map(|transaction| transaction.durations.len() as u64).sum()
        };
        recorder.until("the transactions", |recorder| arrived(recorder) >= expected).await;
        let (status, errors) = program.ended().await;
        assert_eq!(status.code(), Some(code), "{errors}");
        recorder.assert_all_accepted();
        opbeat.drained().await;
        Self { opbeat, recorder, account }
    }
}

async fn start(command: Command) -> (Opbeat, Recorder, Program) {
    let opbeat = Opbeat::start();
    let (recorder, url) = Recorder::start(&opbeat.url).await;
    let program = Program::start(command, &opbeat.environment(&url));
    (opbeat, recorder, program)
}

/// Returns the numbers of transactions of an account.
fn counts(account: &Value) -> impl Iterator<Item = u64> {
    let transactions = account["transactions"].as_array().unwrap().iter();
    transactions
        .flat_map(|transaction| transaction["results"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()))
}
