//! The steps of acceptance one by one, for other protocols whose bodies share the limits and the lanes of intake.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use bytes::Bytes;

use super::authenticate::{TokenOwner, token_owner};
use super::body;
use super::gate::{Accepted, Gate};
use super::handler::Intake;
use super::lanes::Room;
use super::rejection::Rejection;
use crate::decode::Undecodable;

/// A body, with its room among the bodies in flight.
pub(crate) struct Received {
    /// The body as it was sent.
    pub(crate) body: Bytes,
    room: Arc<Room>,
}

impl Intake {
    /// Returns the owner of a request's token. Logs the request if it is refused.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the request has no valid token.
    pub(crate) async fn owner(&self, headers: &HeaderMap) -> Result<TokenOwner, Rejection> {
        token_owner(&*self.tokens, headers).await.inspect_err(|rejection| self.refusals.count("", rejection))
    }

    /// Counts a refused request of an app.
    pub(crate) fn count_refusal(&self, app_id: &str, rejection: &Rejection) {
        self.refusals.count(app_id, rejection);
    }

    /// Waits for room, and reads a body of the owner of a token.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the body is too large, too slow or interrupted, or exceeds a limit of the app or the server.
    pub(crate) async fn receive(
        &self,
        owner: &TokenOwner,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Received, Rejection> {
        self.gate.check_bytes(&owner.app_id)?;
        let size = body::declared_size(headers, &self.limits)?;
        let room = self.lanes.room(&owner.clone().into(), size).await?;
        let body = body::read(body, &self.limits).await?;
        self.gate.take_bytes(&owner.app_id, body.len())?;
        Ok(Received { body, room })
    }

    /// Returns the limits that events are checked against.
    pub(crate) fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Calls `work` with a body and with the largest size in bytes that it may inflate to, on the thread that fits its
    /// size. `work` returns [`Undecodable::TooLarge`] with that size if the body inflates to more.
    ///
    /// # Errors
    ///
    /// Returns the rejection of an error of `work`.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        received: &Received,
        work: impl Fn(&[u8], usize) -> Result<T, Undecodable> + Send + 'static,
    ) -> Result<T, Rejection> {
        self.lanes.run(&received.room, received.body.clone(), work).await
    }

    /// Appends encoded changes to the queue on disk, with events that the gate accepted. They take the part of the queue of
    /// the app of the token.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the queue cannot take them.
    pub(crate) async fn store(&self, app_id: &str, record: &[u8], accepted: &[Accepted]) -> Result<(), Rejection> {
        self.append(app_id, record, accepted).await
    }
}
