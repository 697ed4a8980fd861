//! The role that shows the data.

use std::time::Duration;

use axum::Router;

use crate::api::{self, Api};
use crate::dashboard::{self, Dashboard};
use crate::mcp;
use crate::notify::Channels;
use crate::passwords::Passwords;
use crate::people::People;
use crate::query::Query;
use crate::random::random_hex;
use crate::sessions::Sessions;
use crate::store::Store;
use crate::triage::Triage;

/// The pages and the API.
pub(in crate::server) struct WebRole {
    query: Query,
    triage: Triage,
    people: People,
    channels: Channels,
    sessions: Sessions,
    page_timeout: Duration,
    /// The token of the sign-in link, which is valid until the process stops.
    link_token: String,
}

impl WebRole {
    /// Makes the pages and the API of a store, with a new sign-in link.
    pub(in crate::server) fn start(store: Store, page_timeout: Duration) -> Self {
        let link_token = random_hex::<32>();
        let passwords = Passwords::new();
        let sessions = Sessions::new(store.clone(), &link_token, passwords.clone());
        let (query, triage) = (Query::new(store.clone()), Triage::new(store.clone()));
        let (channels, people) = (Channels::new(store.clone()), People::new(store, passwords));
        Self { query, triage, people, channels, sessions, page_timeout, link_token }
    }

    /// Makes the routes of the API and of the endpoint for assistants.
    pub(in crate::server) fn api(&self) -> Router {
        let api = Api { query: self.query.clone(), triage: self.triage.clone() };
        mcp::router(api.clone()).merge(api::router(api))
    }

    /// Makes the routes of the pages.
    pub(in crate::server) fn pages(&self) -> Router {
        let (query, triage, sessions) = (self.query.clone(), self.triage.clone(), self.sessions.clone());
        let (people, channels) = (self.people.clone(), self.channels.clone());
        let dashboard = Dashboard { query, triage, people, channels, sessions };
        dashboard::router(dashboard, self.page_timeout)
    }

    /// Returns the link that signs in, at a URL of this server.
    pub(in crate::server) fn sign_in_url(&self, url: &str) -> String {
        format!("{url}/sign-in?token={}", self.link_token)
    }
}
