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
        agent.job("shop.newsletter").runner("newsletter").run(send_all()).await;
    }
}

async fn send_all() {
    for reader in ["ada@example.com", "grace@example.com"] {
        in_span("send mail", "ext.mail", tokio::time::sleep(Duration::from_millis(3))).extra("to", reader).await;
    }
}
