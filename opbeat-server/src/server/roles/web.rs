//! The role that shows the data.

use std::time::Duration;

use axum::Router;

use crate::api;
use crate::dashboard::{self, Dashboard};
use crate::query::Query;
use crate::random::random_hex;
use crate::sessions::Sessions;
use crate::store::Store;

/// The pages and the API.
pub(in crate::server) struct WebRole {
    query: Query,
    sessions: Sessions,
    page_timeout: Duration,
    /// The token of the sign-in link, which is valid until the process stops.
    link_token: String,
}

impl WebRole {
    /// Makes the pages and the API of a store, with a new sign-in link.
    pub(in crate::server) fn start(store: Store, page_timeout: Duration) -> Self {
        let link_token = random_hex::<32>();
        let sessions = Sessions::new(store.clone(), &link_token);
        Self { query: Query::new(store), sessions, page_timeout, link_token }
    }

    /// Makes the routes of the API.
    pub(in crate::server) fn api(&self) -> Router {
        api::router(self.query.clone())
    }

    /// Makes the routes of the pages.
    pub(in crate::server) fn pages(&self) -> Router {
        let dashboard = Dashboard { query: self.query.clone(), sessions: self.sessions.clone() };
        dashboard::router(dashboard, self.page_timeout)
    }

    /// Returns the link that signs in, at a URL of this server.
    pub(in crate::server) fn sign_in_url(&self, url: &str) -> String {
        format!("{url}/sign-in?token={}", self.link_token)
    }
}
