//! Lanes: bodies are received and decoded so that large ones delay neither small ones nor those of other tenants.
//!
//! A small body is decoded at once, on the thread that received it: that takes a fraction of a millisecond. A large body
//! is decoded on a blocking thread, after it has waited for its organization's turn and for one of a few places. A tenant
//! that sends many large bodies therefore waits for itself, and small bodies wait for nobody.
//!
//! The bytes of all bodies in flight are bounded, and each tenant may have a part of them only. Browsers, which have no
//! token, have a part of their own.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::http::StatusCode;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::IntakeLimits;
use super::rejection::Rejection;
use super::sender::Sender;
use crate::decode::Undecodable;

/// The largest small body as it is sent, in bytes.
const SMALL: usize = 32 << 10;

/// The largest small body after inflating, in bytes.
const SMALL_INFLATED: usize = 256 << 10;

/// The unit in which bytes in flight are counted.
const UNIT: usize = 1 << 10;

/// The places in which bodies are received and decoded.
#[derive(Clone)]
pub(super) struct Lanes {
    inflated: usize,
    /// The longest time that a request waits for room, for its turn, or for a place.
    patience: Duration,
    small: Pool,
    large: Pool,
    /// The bodies of browsers, which have no token. They never take the room of servers.
    browsers: Pool,
    /// The places in which large bodies are decoded.
    places: Arc<Semaphore>,
    tenants: Arc<Mutex<Tenants>>,
}

/// The lanes in use, by the organization's short name and whether browsers send the bodies.
type Tenants = HashMap<(String, bool), Weak<Lane>>;

/// The units that all bodies of one sort may have in flight, and the share of one tenant.
#[derive(Clone)]
struct Pool {
    all: Arc<Semaphore>,
    share: usize,
}

impl Pool {
    /// Makes a pool of `bytes`, in which at least one body of `largest` bytes has room.
    fn new(bytes: usize, largest: usize) -> Self {
        let (units, largest) = (bytes / UNIT, largest.div_ceil(UNIT));
        Self { all: Arc::new(Semaphore::new(units.max(largest))), share: (units / 4).max(largest) }
    }
}

/// The bodies of one tenant's servers, or of its browsers.
struct Lane {
    /// The units of small bodies in flight.
    small: Arc<Semaphore>,
    /// The units of large bodies in flight.
    large: Arc<Semaphore>,
    /// The large body that is decoded.
    turn: Arc<Semaphore>,
}

/// The room that a body takes, until it is dropped.
pub(super) struct Room {
    _permits: [OwnedSemaphorePermit; 2],
    lane: Arc<Lane>,
}

impl Lanes {
    pub(super) fn new(limits: &IntakeLimits) -> Self {
        let eighth = limits.in_flight / 8;
        Self {
            inflated: limits.inflated,
            patience: limits.body_timeout,
            small: Pool::new(2 * eighth, SMALL),
            large: Pool::new(5 * eighth, limits.body),
            browsers: Pool::new(eighth, limits.client_side_body),
            places: Arc::new(Semaphore::new(limits.at_once.max(1))),
            tenants: Arc::default(),
        }
    }

    /// Waits for the room that a sender's body of a size in bytes needs.
    pub(super) async fn room(&self, sender: &Sender, size: usize) -> Result<Arc<Room>, Rejection> {
        let lane = self.lane(sender);
        let is_small = size <= SMALL;
        let pool = match (sender.is_browser, is_small) {
            (true, _) => &self.browsers,
            (false, true) => &self.small,
            (false, false) => &self.large,
        };
        let own = if is_small { &lane.small } else { &lane.large };
        let units = size.div_ceil(UNIT);
        let permits = [self.acquire(own, units).await?, self.acquire(&pool.all, units).await?];
        Ok(Arc::new(Room { _permits: permits, lane }))
    }

    /// Decodes a body: calls `decode` with it and with the largest size in bytes that it may inflate to.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        room: &Arc<Room>,
        body: Bytes,
        decode: impl Fn(&[u8], usize) -> Result<T, Undecodable> + Send + 'static,
    ) -> Result<T, Rejection> {
        let limit = self.inflated;
        if body.len() <= SMALL {
            let decode = || decode(&body, SMALL_INFLATED.min(limit));
            match catch_unwind(AssertUnwindSafe(decode)) {
                Ok(Err(Undecodable::TooLarge(SMALL_INFLATED))) if SMALL_INFLATED < limit => {}
                Ok(decoded) => return decoded.map_err(Into::into),
                Err(_) => return Err(panicked()),
            }
        }
        let turn = self.acquire(&room.lane.turn, 1).await?;
        let place = self.acquire(&self.places, 1).await?;
        let room = Arc::clone(room);
        let decoded = tokio::task::spawn_blocking(move || {
            // They are held until the body is decoded, also if its request is cancelled.
            let _held = (turn, place, room);
            decode(&body, limit)
        });
        match decoded.await {
            Ok(decoded) => decoded.map_err(Into::into),
            Err(error) if error.is_panic() => Err(panicked()),
            Err(_) => Err(shutting_down()),
        }
    }

    fn lane(&self, sender: &Sender) -> Arc<Lane> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (sender.organization.clone(), sender.is_browser);
        if let Some(lane) = tenants.get(&key).and_then(Weak::upgrade) {
            return lane;
        }
        // Lanes of tenants without requests are forgotten.
        tenants.retain(|_, lane| lane.strong_count() > 0);
        let shares = if sender.is_browser { [self.browsers.share; 2] } else { [self.small.share, self.large.share] };
        let [small, large, turn] = [shares[0], shares[1], 1].map(|permits| Arc::new(Semaphore::new(permits)));
        let lane = Arc::new(Lane { small, large, turn });
        tenants.insert(key, Arc::downgrade(&lane));
        lane
    }

    async fn acquire(&self, semaphore: &Arc<Semaphore>, units: usize) -> Result<OwnedSemaphorePermit, Rejection> {
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let acquired = tokio::time::timeout(self.patience, Arc::clone(semaphore).acquire_many_owned(units));
        acquired.await.map_err(|_| busy())?.map_err(|_| shutting_down())
    }
}

fn busy() -> Rejection {
    let message = "Too many bodies of this organization are received at the same time. Send the body again later, and \
                   send smaller bodies, more often.";
    Rejection { reason: "busy", ..Rejection::new(StatusCode::SERVICE_UNAVAILABLE, message) }
}

fn panicked() -> Rejection {
    Rejection::new(
        StatusCode::BAD_REQUEST,
        "The body cannot be read: the server panicked while it decoded the body. Please report this.",
    )
}

fn shutting_down() -> Rejection {
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, "The server is shutting down. Send the request again later.")
}
