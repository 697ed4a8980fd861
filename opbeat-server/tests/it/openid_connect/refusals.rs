//! Answers that sign nobody in, and providers that are away.

use reqwest::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;

use super::provider::{Fault, Provider};
use super::{START, begin, go_back, is_signed_in, sign_in, start, start_with, use_provider};
use crate::browser::{Browser, join, location};
use crate::pages::text;
use crate::running::{Running, local_url, session_of};

/// Starts a server with a person whom the provider knows.
async fn with_ana(provider: &Provider) -> Running {
    let running = start(provider).await;
    join(&Browser::new(&running.server, &running.cookie), "acme", "ana", "member").await;
    running
}

#[tokio::test]
async fn tokens_that_are_not_right_sign_nobody_in() {
    let provider = Provider::start().await;
    let running = with_ana(&provider).await;
    let not_trusted = "cannot be trusted";
    for (claims, message) in [
        (json!({"nonce": "another one"}), not_trusted),
        (json!({"nonce": null}), not_trusted),
        (json!({"aud": "another server"}), not_trusted),
        (json!({"aud": ["opbeat", "another server"]}), not_trusted),
        (json!({"iss": "https://login.evil.example"}), not_trusted),
        (json!({"exp": 1_000_000_000}), "compare the clocks of Acme Login and of this server"),
        (json!({"sub": "s".repeat(256)}), not_trusted),
    ] {
        provider.set(claims.clone());
        refused(&running, &provider, (StatusCode::BAD_GATEWAY, message), &claims.to_string()).await;
        // Those before count as failed attempts of this address.
        provider.set(json!({}));
    }
    session_of(&sign_in(&running, &provider).await);
}

#[tokio::test]
async fn providers_that_answer_wrong_sign_nobody_in() {
    let provider = Provider::start().await;
    let running = with_ana(&provider).await;
    for (fault, status, message) in [
        (Fault::Signature, StatusCode::BAD_GATEWAY, "cannot be trusted"),
        (Fault::None, StatusCode::BAD_GATEWAY, "cannot be trusted"),
        (Fault::UnknownKey, StatusCode::BAD_GATEWAY, "cannot be trusted"),
        (Fault::NoIdToken, StatusCode::BAD_GATEWAY, "cannot be trusted"),
        (Fault::Code, StatusCode::BAD_GATEWAY, "did not accept the sign-in"),
        (Fault::Redirect, StatusCode::SERVICE_UNAVAILABLE, "cannot be reached"),
        (Fault::Large, StatusCode::SERVICE_UNAVAILABLE, "cannot be reached"),
    ] {
        provider.fail(fault);
        refused(&running, &provider, (status, message), &format!("{fault:?}")).await;
    }
    provider.fail(None);
    session_of(&sign_in(&running, &provider).await);
}

async fn refused(running: &Running, provider: &Provider, (status, message): (StatusCode, &str), reason: &str) {
    let response = sign_in(running, provider).await;
    assert!(!is_signed_in(&response), "{reason}");
    assert_eq!(response.status(), status, "{reason}");
    let page = text(&response.text().await.unwrap());
    assert!(page.contains(message), "{reason}: {page}");
}

#[tokio::test]
async fn an_answer_belongs_to_one_browser_and_counts_once() {
    let provider = Provider::start().await;
    let running = with_ana(&provider).await;
    let (page, cookie) = begin(&running, START).await;
    let (_, other) = begin(&running, START).await;
    let back = provider.let_in(&page);
    let forged = back.replace("state=", "state=0");
    for (address, cookie) in [(&back, ""), (&back, &*other), (&back, "opbeat_handshake=x.1./"), (&forged, &*cookie)] {
        let response = go_back(&running, address, cookie).await;
        assert!(!is_signed_in(&response) && response.status() == StatusCode::BAD_REQUEST, "{address} {cookie}");
        assert!(text(&response.text().await.unwrap()).contains("began in another browser. Start again."));
    }
    session_of(&go_back(&running, &back, &cookie).await);
    let replayed = go_back(&running, &back, &cookie).await;
    assert!(!is_signed_in(&replayed) && replayed.status() == StatusCode::BAD_REQUEST);
    // A code that the provider gave to another handshake.
    let ((first, cookie), (second, _)) = (begin(&running, START).await, begin(&running, START).await);
    let (own, others) = (provider.let_in(&first), provider.let_in(&second));
    let state = own.split_once("&state=").unwrap().1;
    let mixed = format!("{}&state={state}", others.split_once("&state=").unwrap().0);
    let response = go_back(&running, &mixed, &cookie).await;
    assert!(!is_signed_in(&response) && response.status() == StatusCode::BAD_GATEWAY, "the verifier of PKCE differs");
}

#[tokio::test]
async fn a_refusal_of_the_provider_and_an_answer_of_another_one_say_what_to_do() {
    let provider = Provider::start().await;
    let running = with_ana(&provider).await;
    for (answer, status, message) in [
        ("error=access_denied", StatusCode::FORBIDDEN, "did not let you in, or you cancelled"),
        ("code=a&iss=https%3A%2F%2Fevil.example", StatusCode::BAD_GATEWAY, "cannot be trusted"),
        ("code=", StatusCode::BAD_GATEWAY, "did not accept the sign-in"),
        ("", StatusCode::BAD_GATEWAY, "did not accept the sign-in"),
    ] {
        let (page, cookie) = begin(&running, START).await;
        let back = provider.let_in(&page);
        let (callback, state) = (back.split_once('?').unwrap().0, back.split_once("&state=").unwrap().1);
        let response = go_back(&running, &format!("{callback}?{answer}&state={state}"), &cookie).await;
        assert_eq!(response.status(), status, "{answer}");
        let page = text(&response.text().await.unwrap());
        assert!(page.contains(message) && page.contains("Sign in with Acme Login"), "{page}");
    }
}

#[tokio::test]
async fn only_local_pages_follow() {
    let provider = Provider::start().await;
    let running = with_ana(&provider).await;
    for next in ["https%3A%2F%2Fevil.example%2F", "%2F%2Fevil.example", "%2F%5Cevil.example", "%2Fsign-in"] {
        let (page, cookie) = begin(&running, &format!("{START}?next={next}")).await;
        let signed_in = go_back(&running, &provider.let_in(&page), &cookie).await;
        assert_eq!(location(&signed_in), "/", "{next}");
    }
    // Somebody who writes the cookie of a browser changes the state too.
    let (page, cookie) = begin(&running, &format!("{START}?next=%2Facme%2Fshop%2F")).await;
    let changed = cookie.replace("/acme/shop/", "//evil.example/");
    assert_ne!(changed, cookie);
    let response = go_back(&running, &provider.let_in(&page), &changed).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn everything_else_works_while_the_provider_is_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let running = Running::start_with(|config| use_provider(config, &format!("http://{address}"))).await;
    join(&Browser::new(&running.server, &running.cookie), "acme", "ana", "member").await;
    let visitor = Browser::new(&running.server, "");
    assert_eq!(visitor.get("/sign-in").await.status(), StatusCode::OK);
    let started = visitor.get(START).await;
    assert_eq!(started.status(), StatusCode::SERVICE_UNAVAILABLE);
    let page = started.text().await.unwrap();
    assert!(text(&page).contains("Acme Login cannot be reached") && page.contains("name=\"password\""), "{page}");
    let by_password = crate::browser::sign_in(&running.server, "ana@acme.example", crate::browser::PASSWORD).await;
    assert_eq!(by_password.status(), StatusCode::SEE_OTHER);
    let provider = Provider::start_at(address).await;
    session_of(&sign_in(&running, &provider).await);
    // A provider that goes away between its page and the answer.
    let (page, cookie) = begin(&running, START).await;
    let back = provider.let_in(&page);
    provider.fail(Fault::Redirect);
    assert_eq!(go_back(&running, &back, &cookie).await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn failed_answers_of_an_address_are_limited() {
    let provider = Provider::start().await;
    let running = with_ana(&provider).await;
    let (page, cookie) = begin(&running, START).await;
    let back = provider.let_in(&page);
    for _ in 0..10 {
        assert_eq!(go_back(&running, &back, "").await.status(), StatusCode::BAD_REQUEST);
    }
    let limited = go_back(&running, &back, &cookie).await;
    assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(limited.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn the_provider_leads_back_below_the_base_path() {
    let provider = Provider::start().await;
    let running = start_with(&provider, |config| {
        config.public_url = Some("https://monitor.example/opbeat/".parse().unwrap());
    })
    .await;
    let running_url = local_url(&running.server);
    let owner = Browser::new(&running.server, &running.cookie);
    owner.invite("acme", "ana@acme.example", "member").await;
    let (page, cookie) = begin(&running, "/opbeat/sign-in/openid-connect?next=%2Facme%2Fshop%2F").await;
    assert!(cookie.starts_with("__Secure-opbeat_handshake="), "{cookie}");
    let back = provider.let_in(&page);
    let rest = back.strip_prefix("https://monitor.example").unwrap();
    assert!(rest.starts_with("/opbeat/sign-in/openid-connect/callback?"), "{back}");
    let signed_in = go_back(&running, &format!("{running_url}{rest}"), &cookie).await;
    assert_eq!(location(&signed_in), "/opbeat/acme/shop/");
    assert!(session_of(&signed_in).starts_with("__Secure-opbeat_session="));
}
