//! A background job.

use std::time::Duration;

use opbeat_core::{Agent, in_span};

use crate::ledger::Ledger;

/// Sends a newsletter every second.
pub(crate) async fn newsletter(agent: Agent, ledger: Ledger) {
    let mut every_second = tokio::time::interval(Duration::from_secs(1));
    loop {
        every_second.tick().await;
        ledger.sent("shop", "shop.newsletter");
        let transaction = agent.begin_transaction("task.newsletter");
        // The name is set first, so that the transaction has it even if the program stops in between.
        transaction.set_name("shop.newsletter");
        transaction.wrap(send_all()).await;
        transaction.end("shop.newsletter", "ok");
    }
}

async fn send_all() {
    for reader in ["ada@example.com", "grace@example.com"] {
        in_span("send mail", "ext.mail", tokio::time::sleep(Duration::from_millis(3))).extra("to", reader).await;
    }
}
