//! The application that the behaviour table asks for, as one writes it with each framework.
//!
//! Where our own tests call our API, these call the peer's.

pub mod actix;
pub mod axum;

use std::time::Duration;

use opbeat_testing::behaviour::wait_for_reader;

/// The body's second chunk is held up so much longer than any head takes.
pub const HELD: Duration = Duration::from_millis(200);

/// How long requests may take that are limited.
pub const LIMIT: Duration = Duration::from_millis(1);

async fn second_chunk() {
    wait_for_reader().await;
    tokio::time::sleep(HELD).await;
}
