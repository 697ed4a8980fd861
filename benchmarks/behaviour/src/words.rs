//! What handlers say of their requests, in a peer's own words.

use opbeat_testing::behaviour;
use tokio::task::JoinHandle;

use crate::cart::CartError;

/// How a peer is told something, as its documentation shows it; nothing happens where it has no words for it.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Sets a tag.
    pub tag: fn(&'static str, &'static str),
    /// Names user 7, and makes a span `SELECT FROM books` within a span `render`.
    pub describe: fn(),
    /// Gives the request another name.
    pub rename: fn(&'static str),
    /// Reports an error.
    pub capture: fn(&CartError),
    /// Says that the request was refused, since there was too much to do.
    pub shed: fn(),
    /// Makes a span `count shelves` in a task of its own.
    pub count_shelves: fn() -> JoinHandle<()>,
}

impl Words {
    /// Sets the tag that the table expects.
    pub fn tag(&self) {
        (self.tag)("plan", "gold");
    }

    /// Never returns, tells the table that the handler runs, and says in another tag that it is dropped.
    pub async fn wait_forever(self) {
        self.tag();
        let _leaving = Leaving(self);
        behaviour::wait_forever().await;
    }
}

/// Sets a tag from a destructor, as guards of applications do.
struct Leaving(Words);

impl Drop for Leaving {
    fn drop(&mut self) {
        (self.0.tag)("left", "early");
    }
}
