//! Lanes: bodies are received and decoded so that large ones delay neither small ones nor those of other apps.
//!
//! A small body is decoded at once, on the thread that received it: that takes a fraction of a millisecond. A large body
//! is decoded on a blocking thread, after it has waited for its app's turn and for one of a few places. An app that sends
//! many large bodies therefore waits for itself, and small bodies wait for nobody.
//!
//! The bytes of all bodies in flight are bounded, and each app may have a part of them only.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::http::StatusCode;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::IntakeLimits;
use super::rejection::Rejection;
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
    /// The units of small bodies in flight, for all apps.
    small: Arc<Semaphore>,
    /// The units of large bodies in flight, for all apps.
    large: Arc<Semaphore>,
    /// The units that one app may have in flight: of small bodies, and of large ones.
    shares: [usize; 2],
    /// The places in which large bodies are decoded.
    places: Arc<Semaphore>,
    apps: Arc<Mutex<HashMap<String, Weak<AppLane>>>>,
}

/// The bodies of one app.
struct AppLane {
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
    lane: Arc<AppLane>,
}

impl Lanes {
    pub(super) fn new(limits: &IntakeLimits) -> Self {
        let (smallest, largest) = (SMALL / UNIT, limits.body.div_ceil(UNIT));
        let small = (limits.in_flight / UNIT / 4).max(smallest);
        let large = (limits.in_flight / UNIT / 4 * 3).max(largest);
        Self {
            inflated: limits.inflated,
            small: Arc::new(Semaphore::new(small)),
            large: Arc::new(Semaphore::new(large)),
            shares: [(small / 4).max(smallest), (large / 4).max(largest)],
            places: Arc::new(Semaphore::new(limits.at_once.max(1))),
            apps: Arc::default(),
        }
    }

    /// Waits for the room that a body of a size in bytes needs.
    pub(super) async fn room(&self, app_id: &str, size: usize) -> Result<Room, Rejection> {
        let lane = self.lane(app_id);
        let (own, all) = if size <= SMALL { (&lane.small, &self.small) } else { (&lane.large, &self.large) };
        let units = size.div_ceil(UNIT);
        let permits = [acquire(own, units).await?, acquire(all, units).await?];
        Ok(Room { _permits: permits, lane })
    }

    /// Decodes a body: calls `decode` with it and with the largest size in bytes that it may inflate to.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        room: &Room,
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
        let _turn = acquire(&room.lane.turn, 1).await?;
        let place = acquire(&self.places, 1).await?;
        let decoded = tokio::task::spawn_blocking(move || {
            let _place = place;
            decode(&body, limit)
        });
        match decoded.await {
            Ok(decoded) => decoded.map_err(Into::into),
            Err(error) if error.is_panic() => Err(panicked()),
            Err(_) => Err(shutting_down()),
        }
    }

    fn lane(&self, app_id: &str) -> Arc<AppLane> {
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = apps.get(app_id).and_then(Weak::upgrade) {
            return lane;
        }
        // Lanes of apps without requests are forgotten.
        apps.retain(|_, lane| lane.strong_count() > 0);
        let [small, large, turn] = [self.shares[0], self.shares[1], 1].map(|permits| Arc::new(Semaphore::new(permits)));
        let lane = Arc::new(AppLane { small, large, turn });
        apps.insert(app_id.to_owned(), Arc::downgrade(&lane));
        lane
    }
}

async fn acquire(semaphore: &Arc<Semaphore>, units: usize) -> Result<OwnedSemaphorePermit, Rejection> {
    let units = u32::try_from(units).unwrap_or(u32::MAX);
    Arc::clone(semaphore).acquire_many_owned(units).await.map_err(|_| shutting_down())
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
