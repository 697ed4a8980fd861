//! The application of the behaviour table, written for each framework.
//!
//! These handlers call the peer's API where Opbeat's own tests call Opbeat's.

pub mod actix;
pub mod axum;

use std::time::Duration;

use opbeat_testing::behaviour::wait_for_reader;

/// The delay of the second body chunk, longer than any response head takes.
pub const HELD: Duration = Duration::from_millis(200);

/// The timeout of limited requests.
pub const LIMIT: Duration = Duration::from_millis(1);

async fn second_chunk() {
    wait_for_reader().await;
    tokio::time::sleep(HELD).await;
}
