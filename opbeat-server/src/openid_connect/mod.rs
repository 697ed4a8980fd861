//! Sign-in by a provider of OpenID Connect, with the authorization code flow.
//!
//! ```text
//! button ─► handshake in a cookie ─► page of the provider ─► code ─► id token ─► identity
//! ```
//!
//! It knows neither people nor pages. The provider is asked for its addresses and keys when somebody signs in, not at the
//! start of the server.

mod client;
mod config;
mod discovery;
mod failure;
mod handshake;
mod provider;
mod used;

pub(crate) use client::is_allowed;
pub use config::{OpenIdConnectConfig, SignInConfig};
pub(crate) use failure::{Cause, Failure};
pub(crate) use provider::{Answer, Provider};
