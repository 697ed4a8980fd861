//! Sign-in by a provider of OpenID Connect.

mod people;
mod provider;
mod refusals;

use opbeat_server::ServerConfig;
use reqwest::Response;

use crate::browser::{Browser, location};
use crate::running::{Running, local_url};
use provider::{CLIENT, Provider, SECRET};

/// The path that starts a sign-in.
const START: &str = "/sign-in/openid-connect";

/// Starts a server whose people may sign in by a provider.
async fn start(provider: &Provider) -> Running {
    start_with(provider, |_| {}).await
}

async fn start_with(provider: &Provider, change: impl FnOnce(&mut ServerConfig)) -> Running {
    Running::start_with(|config| {
        use_provider(config, &provider.url);
        change(config);
    })
    .await
}

fn use_provider(config: &mut ServerConfig, url: &str) {
    let openid_connect = &mut config.sign_in.openid_connect;
    openid_connect.issuer = Some(url.to_owned());
    openid_connect.client_id = Some(CLIENT.to_owned());
    openid_connect.client_secret = Some(SECRET.to_owned());
    openid_connect.name = "Acme Login".to_owned();
}

/// Starts a sign-in. Returns the address of the provider's page, and the cookie of the browser.
async fn begin(running: &Running, path: &str) -> (String, String) {
    let started = Browser::new(&running.server, "").get(path).await;
    let cookie = started.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("opbeat_handshake=") && cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
    assert!(cookie.contains("Max-Age=600"), "{cookie}");
    (location(&started).to_owned(), cookie.split(';').next().unwrap().to_owned())
}

/// Goes back from the provider with a cookie.
async fn go_back(running: &Running, address: &str, cookie: &str) -> Response {
    let path = address.strip_prefix(&local_url(&running.server)).unwrap();
    Browser::new(&running.server, cookie).get(path).await
}

/// Signs in by the provider, which lets the person in.
async fn sign_in(running: &Running, provider: &Provider) -> Response {
    let (page, cookie) = begin(running, START).await;
    go_back(running, &provider.let_in(&page), &cookie).await
}

/// Returns whether a response opens a session.
fn is_signed_in(response: &Response) -> bool {
    let cookies = response.headers().get_all("set-cookie");
    cookies.iter().any(|cookie| cookie.to_str().unwrap().contains("opbeat_session="))
}
