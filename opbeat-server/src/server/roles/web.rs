//! The role that shows the data.

use std::time::Duration;

use axum::Router;

use crate::api::{self, Api};
use crate::dashboard::{self, Dashboard, Ways};
use crate::mcp;
use crate::notify::Channels;
use crate::openid_connect::{Provider, SignInConfig};
use crate::passwords::Passwords;
use crate::people::People;
use crate::query::Query;
use crate::random::random_hex;
use crate::server::config::ServerConfig;
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
    ways: Ways,
    page_timeout: Duration,
    /// The token of the sign-in link, which is valid until the process stops.
    link_token: String,
}

impl WebRole {
    /// Makes the pages and the API of a store, with a new sign-in link.
    pub(in crate::server) fn start(store: Store, config: &ServerConfig) -> Self {
        let link_token = random_hex::<32>();
        let passwords = Passwords::new();
        let sessions = Sessions::new(store.clone(), &link_token, passwords.clone());
        let (query, triage) = (Query::new(store.clone()), Triage::new(store.clone()));
        let (channels, people) = (Channels::new(store.clone()), People::new(store, passwords));
        let SignInConfig { passwords, openid_connect, .. } = &config.sign_in;
        let ways = Ways { passwords: *passwords, provider: Provider::new(openid_connect) };
        let page_timeout = config.page_timeout;
        Self { query, triage, people, channels, sessions, ways, page_timeout, link_token }
    }

    /// Makes the routes of the API and of the endpoint for assistants.
    pub(in crate::server) fn api(&self) -> Router {
        let (query, triage, channels) = (self.query.clone(), self.triage.clone(), self.channels.clone());
        let api = Api { query, triage, channels };
        mcp::router(api.clone()).merge(api::router(api))
    }

    /// Makes the routes of the pages.
    pub(in crate::server) fn pages(&self) -> Router {
        let (query, triage, sessions) = (self.query.clone(), self.triage.clone(), self.sessions.clone());
        let (people, channels) = (self.people.clone(), self.channels.clone());
        let dashboard = Dashboard { query, triage, people, channels, sessions, ways: self.ways.clone() };
        dashboard::router(dashboard, self.page_timeout)
    }

    /// Returns the link that signs in, at a URL of this server.
    pub(in crate::server) fn sign_in_url(&self, url: &str) -> String {
        format!("{url}/sign-in?token={}", self.link_token)
    }
}
