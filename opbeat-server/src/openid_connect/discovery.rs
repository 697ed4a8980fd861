//! The addresses and keys of the provider, which it publishes itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use openidconnect::core::CoreProviderMetadata;
use openidconnect::{DiscoveryError, IssuerUrl};
use tokio::sync::Mutex;

use super::client::{Client, Unanswered};
use super::failure::{Cause, Failure};

/// The time after which the addresses and keys are asked for again.
const MAX_AGE: Duration = Duration::from_secs(3_600);

/// The addresses and keys of a provider. They are asked for when they are needed, by one request at a time.
#[derive(Debug, Default)]
pub(super) struct Discovery {
    latest: Mutex<Option<Asked>>,
}

/// The latest answer of the provider, or the reason why there is none.
#[derive(Debug)]
struct Asked {
    at: Instant,
    result: Result<Arc<CoreProviderMetadata>, Failure>,
}

impl Discovery {
    /// Returns the addresses and keys. Asks the provider unless it answered lately.
    pub(super) async fn get(&self, client: &Client, issuer: &str) -> Result<Arc<CoreProviderMetadata>, Failure> {
        let oldest = Instant::now().checked_sub(MAX_AGE);
        self.get_since(client, issuer, |asked, called_at| match asked.result {
            Ok(_) => oldest.is_none_or(|oldest| asked.at > oldest),
            Err(_) => asked.at >= called_at,
        })
        .await
    }

    /// Returns addresses and keys that are asked for now, since the provider has used a new key.
    pub(super) async fn refresh(&self, client: &Client, issuer: &str) -> Result<Arc<CoreProviderMetadata>, Failure> {
        self.get_since(client, issuer, |asked, called_at| asked.at >= called_at).await
    }

    /// Sign-ins that wait for the request of another one share its answer, also if it failed: a provider that is away makes
    /// each of them wait once.
    async fn get_since(
        &self,
        client: &Client,
        issuer: &str,
        is_enough: impl Fn(&Asked, Instant) -> bool,
    ) -> Result<Arc<CoreProviderMetadata>, Failure> {
        let called_at = Instant::now();
        let mut latest = self.latest.lock().await;
        if let Some(asked) = latest.as_ref().filter(|asked| is_enough(asked, called_at)) {
            return asked.result.clone();
        }
        let result = discover(client, issuer).await.map(Arc::new);
        *latest = Some(Asked { at: Instant::now(), result: result.clone() });
        result
    }
}

async fn discover(client: &Client, issuer: &str) -> Result<CoreProviderMetadata, Failure> {
    let away = |detail: String| Failure::new(Cause::Away, detail);
    let url = IssuerUrl::new(issuer.to_owned()).map_err(|error| away(format!("the issuer is no URL: {error}")))?;
    CoreProviderMetadata::discover_async(url, client).await.map_err(|error| {
        away(match error {
            DiscoveryError::Request(Unanswered(reason)) => reason,
            DiscoveryError::Parse(error) => format!("the description of the provider is invalid: {error}"),
            error => format!("the description of the provider is invalid: {error}"),
        })
    })
}
