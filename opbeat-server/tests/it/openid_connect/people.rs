//! The people who come in: known, invited and new ones.

use reqwest::StatusCode;
use serde_json::json;

use super::provider::Provider;
use super::{START, begin, go_back, is_signed_in, sign_in, start, start_with};
use crate::browser::{Browser, PASSWORD, join, location, member};
use crate::database::Database;
use crate::pages::text;
use crate::running::{Running, session_of};

/// Signs in by the provider, which is refused. Returns the text of the page.
async fn refused(running: &Running, provider: &Provider) -> String {
    let response = sign_in(running, provider).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(!is_signed_in(&response));
    text(&response.text().await.unwrap())
}

#[tokio::test]
async fn a_known_person_is_linked_once_and_then_found_by_the_account() {
    let provider = Provider::start().await;
    let running = start(&provider).await;
    let owner = Browser::new(&running.server, &running.cookie);
    join(&owner, "acme", "ana", "admin").await;
    let page = Browser::new(&running.server, "").page("/sign-in?next=%2Facme%2Fshop%2F").await;
    assert!(page.contains("href=\"/sign-in/openid-connect?next=%2Facme%2Fshop%2F\""), "{page}");
    assert!(text(&page).contains("Sign in with Acme Login"), "{page}");

    let (page, cookie) = begin(&running, &format!("{START}?next=%2Facme%2Fshop%2F%3Frange%3D6h")).await;
    let signed_in = go_back(&running, &provider.let_in(&page), &cookie).await;
    assert_eq!(location(&signed_in), "/acme/shop/?range=6h");
    let cookies: Vec<_> = signed_in.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("opbeat_handshake=; ") && cookie.contains("Max-Age=0")));
    let ana = Browser::new(&running.server, session_of(&signed_in));
    let me = text(&ana.page("/me/").await);
    assert!(me.contains("You are signed in as ana@acme.example"), "{me}");
    assert!(me.contains(&format!("ana@acme.example at {}", provider.url)), "{me}");
    let log = text(&ana.page("/acme/people/audit/").await);
    for entry in
        ["linked an account of Acme Login with ana@acme.example", "signed in as ana@acme.example with Acme Login"]
    {
        assert!(log.contains(&format!("ana (ana@acme.example) {entry}")), "{log}");
    }

    // From now on the address of the account says nothing.
    provider.set(json!({"email": "other@acme.example", "email_verified": false}));
    let again = sign_in(&running, &provider).await;
    let again = Browser::new(&running.server, session_of(&again));
    assert!(text(&again.page("/me/").await).contains("You are signed in as ana@acme.example"));

    again.change("/me/", &[("action", "unlink"), ("issuer", &provider.url)]).await;
    assert!(!text(&again.page("/me/").await).contains("Linked accounts"));
    let page = refused(&running, &provider).await;
    assert!(page.contains("has not verified that other@acme.example is your e-mail address"), "{page}");
    let log = text(&ana.page("/acme/people/audit/").await);
    assert!(log.contains("removed the link of ana@acme.example"), "{log}");
}

#[tokio::test]
async fn another_account_with_the_same_address_waits_for_an_admin() {
    let provider = Provider::start().await;
    let running = start(&provider).await;
    let owner = Browser::new(&running.server, &running.cookie);
    join(&owner, "acme", "ana", "member").await;
    let bo = join(&owner, "acme", "bo", "member").await;
    session_of(&sign_in(&running, &provider).await);
    // Somebody else has got the address of a person who left.
    provider.set(json!({"sub": "another subject"}));
    let page = refused(&running, &provider).await;
    assert!(page.contains("is linked with another account of Acme Login"), "{page}");
    let page = member(&owner, "ana").await;
    let unlink = [("action", "unlink"), ("issuer", &*provider.url)];
    assert!(!text(&bo.page(&page).await).contains("Remove the link"));
    bo.refused(&page, &unlink, StatusCode::FORBIDDEN).await;
    assert!(text(&owner.page(&page).await).contains("Linked accounts ana@acme.example at"));
    owner.change(&page, &unlink).await;
    session_of(&sign_in(&running, &provider).await);
}

#[tokio::test]
async fn new_people_of_a_domain_join_the_organization() {
    let provider = Provider::start().await;
    let running = start_with(&provider, |config| {
        let rules = &mut config.sign_in.openid_connect;
        rules.domains = vec!["acme.example".to_owned()];
        rules.organization = Some("acme".to_owned());
        rules.role = "reader".to_owned();
    })
    .await;
    let owner = Browser::new(&running.server, &running.cookie);
    for email in ["ana@evil.example", "ana@evilacme.example", "ana@x.acme.example"] {
        provider.set(json!({ "email": email }));
        let page = refused(&running, &provider).await;
        assert!(page.contains(&format!("Addresses such as {email} may not sign in here.")), "{page}");
    }
    provider.set(json!({"email": null}));
    assert!(refused(&running, &provider).await.contains("does not send your e-mail address to this server"));
    provider.set(json!({"email": " ANA@acme.example"}));
    let ana = Browser::new(&running.server, session_of(&sign_in(&running, &provider).await));
    assert!(text(&owner.page("/acme/people/").await).contains("Ana ana@acme.example reader"));
    let log = text(&owner.page("/acme/people/audit/").await);
    assert!(log.contains("joined as ana@acme.example with Acme Login as reader"), "{log}");
    let me = text(&ana.page("/me/").await);
    assert!(!me.contains("Current password"), "{me}");
    let change = [("action", "password"), ("current", ""), ("new", PASSWORD)];
    ana.refused("/me/", &change, StatusCode::BAD_REQUEST).await;
    let guess = crate::browser::sign_in(&running.server, "ana@acme.example", "").await;
    assert_eq!(guess.status(), StatusCode::UNAUTHORIZED, "an account without a password");
    // A person who was removed is not new any more.
    owner.change(&member(&owner, "Ana").await, &[("action", "remove")]).await;
    assert!(refused(&running, &provider).await.contains("ana@acme.example may not sign in any more"));
    owner.invite("acme", "ana@acme.example", "member").await;
    session_of(&sign_in(&running, &provider).await);
    assert!(text(&owner.page("/acme/people/").await).contains("Ana ana@acme.example member"));
}

#[tokio::test]
async fn an_invited_person_joins_and_others_stay_out() {
    let provider = Provider::start().await;
    let running = start(&provider).await;
    let owner = Browser::new(&running.server, &running.cookie);
    let page = refused(&running, &provider).await;
    assert!(page.contains("There is nobody with the address ana@acme.example here."), "{page}");
    let invitation = owner.invite("acme", "ana@acme.example", "admin").await;
    let visitor = Browser::new(&running.server, "");
    assert!(text(&visitor.page(&invitation).await).contains("Join with Acme Login"));
    for claims in [json!({"email_verified": false}), json!({"email_verified": null})] {
        provider.set(claims);
        assert!(refused(&running, &provider).await.contains("has not verified that ana@acme.example"));
    }
    provider.set(json!({}));
    let ana = Browser::new(&running.server, session_of(&sign_in(&running, &provider).await));
    assert!(text(&ana.page("/acme/people/").await).contains("Ana ana@acme.example admin"));
    assert_eq!(visitor.get(&invitation).await.status(), StatusCode::NOT_FOUND, "the invitation is used");
    let log = text(&ana.page("/acme/people/audit/").await);
    assert!(log.contains("joined with the invitation of ana@acme.example as admin"), "{log}");
}

#[tokio::test]
async fn a_disabled_person_stays_out() {
    let provider = Provider::start().await;
    let running = start(&provider).await;
    let owner = Browser::new(&running.server, &running.cookie);
    join(&owner, "acme", "ana", "member").await;
    let database = Database::of(&running).await;
    database.run("UPDATE people SET disabled_at = 1 WHERE email = 'ana@acme.example'").await;
    assert!(
        refused(&running, &provider).await.contains("ana@acme.example may not sign in any more"),
        "before the link"
    );
    database.run("UPDATE people SET disabled_at = NULL").await;
    session_of(&sign_in(&running, &provider).await);
    database.run("UPDATE people SET disabled_at = 1 WHERE email = 'ana@acme.example'").await;
    assert!(refused(&running, &provider).await.contains("ana@acme.example may not sign in any more"), "after the link");
}

#[tokio::test]
async fn without_passwords_the_provider_and_the_link_remain() {
    let provider = Provider::start().await;
    let running = start(&provider).await;
    let owner = Browser::new(&running.server, &running.cookie);
    join(&owner, "acme", "ana", "admin").await;
    let url = provider.url.clone();
    let running = running
        .restart_with(|config| {
            super::use_provider(config, &url);
            config.sign_in.passwords = false;
        })
        .await;
    let visitor = Browser::new(&running.server, "");
    let page = visitor.page("/sign-in").await;
    assert!(!page.contains("name=\"password\"") && page.contains("name=\"token\""), "{page}");
    let refused = crate::browser::sign_in(&running.server, "ana@acme.example", PASSWORD).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(text(&refused.text().await.unwrap()).contains("Passwords are turned off on this server."));
    // The link of the command line still signs in.
    let owner = Browser::new(&running.server, &running.cookie);
    let invitation = owner.invite("acme", "bo@acme.example", "member").await;
    let page = visitor.page(&invitation).await;
    assert!(!page.contains("name=\"password\"") && page.contains("Join with Acme Login"), "{page}");
    let refused = visitor.post(&invitation, &[("name", "Bo"), ("password", PASSWORD)]).await;
    assert!(!is_signed_in(&refused));
    let ana = Browser::new(&running.server, session_of(&sign_in(&running, &provider).await));
    assert!(!text(&ana.page("/me/").await).contains("Current password"));
    let change = [("action", "password"), ("current", PASSWORD), ("new", "another password")];
    ana.refused("/me/", &change, StatusCode::BAD_REQUEST).await;
}
