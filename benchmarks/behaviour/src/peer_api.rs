//! The calls of handlers to a peer's API.

use opbeat_testing::behaviour;
use tokio::task::JoinHandle;

use crate::cart::CartError;

/// A peer's API, used as in its documentation. A function does nothing if the peer has no such API.
#[derive(Clone, Copy, Debug)]
pub struct PeerApi {
    /// Sets a tag.
    pub tag: fn(&'static str, &'static str),
    /// Sets user 7, and creates a span `SELECT FROM books` inside a span `render`.
    pub describe: fn(),
    /// Renames the request.
    pub rename: fn(&'static str),
    /// Reports an error.
    pub capture: fn(&CartError),
    /// Records that the request was rejected because of too much load.
    pub shed: fn(),
    /// Creates a span `count shelves` in a spawned task.
    pub count_shelves: fn() -> JoinHandle<()>,
}

impl PeerApi {
    /// Sets the tag that the table expects.
    pub fn tag(&self) {
        (self.tag)("plan", "gold");
    }

    /// Sets a tag, signals the table's client that the handler runs, and never returns. Sets a second tag when it is
    /// dropped.
    pub async fn wait_forever(self) {
        self.tag();
        let _guard = TagOnDrop(self);
        behaviour::wait_forever().await;
    }
}

/// A guard that sets a tag when it is dropped, as guards of applications do.
struct TagOnDrop(PeerApi);

impl Drop for TagOnDrop {
    fn drop(&mut self) {
        (self.0.tag)("left", "early");
    }
}
