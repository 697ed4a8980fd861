//! A server that a proxy serves below a path.

use std::collections::BTreeSet;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use crate::pages::send_traffic;
use crate::running::{Running, local_url};

const PUBLIC: &str = "https://monitor.example/opbeat/";

async fn behind_a_proxy() -> Running {
    Running::start_with(|config| config.public_url = Some(PUBLIC.parse().unwrap())).await
}

/// A browser that does not follow redirects.
fn browser() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

async fn get(running: &Running, path: &str) -> Response {
    let request = browser().get(format!("{}{path}", local_url(&running.server)));
    request.header("cookie", &running.cookie).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

/// Returns the addresses of links, forms, styles and pictures of a page.
fn links(page: &str) -> Vec<String> {
    let attributes = [" href=\"", " action=\"", " src=\""];
    let values = attributes.iter().flat_map(|attribute| page.split(attribute).skip(1));
    values.map(|rest| rest.split_once('"').unwrap().0.replace("&amp;", "&")).collect()
}

/// Visits all pages that a page leads to. Returns their addresses.
async fn walk(running: &Running, base: &str, start: &str) -> BTreeSet<String> {
    let mut visited = BTreeSet::new();
    let mut next = vec![start.to_owned()];
    while let Some(path) = next.pop() {
        if !visited.insert(path.clone()) {
            continue;
        }
        let response = get(running, &path).await;
        assert!(
            matches!(response.status(), StatusCode::OK | StatusCode::METHOD_NOT_ALLOWED),
            "{path}: {}",
            response.status()
        );
        let is_page = header(&response, "content-type").starts_with("text/html");
        let text = response.text().await.unwrap();
        for link in links(&text).into_iter().filter(|_| is_page) {
            if link.starts_with('#') || link.starts_with("data:") {
                continue;
            }
            assert!(link.starts_with(&format!("{base}/")) && !link.contains("//"), "{path} links to {link}");
            next.push(link);
        }
    }
    visited
}

#[tokio::test]
async fn all_links_of_all_pages_start_with_the_base_path() {
    let running = behind_a_proxy().await;
    send_traffic(&running).await;
    let whole = walk(&running, "/opbeat", "/opbeat/").await;
    assert!(whole.len() > 25, "{whole:#?}");
    for page in ["/acme/shop/", "/acme/shop/errors/1/", "/acme/shop/jobs/", "/acme/shop/intake/", "/sign-out"] {
        assert!(whole.contains(&format!("/opbeat{page}")), "{page}: {whole:#?}");
    }
    assert!(whole.iter().any(|path| path.contains("/transactions/") && path.contains("/samples/")), "{whole:#?}");
    // A proxy may remove the base path.
    let stripped = walk(&running, "/opbeat", "/").await;
    assert_eq!(stripped.len(), whole.len() + 1, "the same pages");
    for path in ["/opbeat/nobody/nothing/", "/opbeat/acme/shop/errors/x/", "/opbeat/acme/shop/?range=x"] {
        let page = get(&running, path).await.text().await.unwrap();
        assert!(
            links(&page).iter().all(|link| !link.starts_with('/') || link.starts_with("/opbeat/")),
            "{path}: {page}"
        );
    }
    let openapi: Value = get(&running, "/opbeat/api/v2/openapi.json").await.json().await.unwrap();
    assert_eq!(openapi["servers"], json!([{"url": "/opbeat"}]));
}

#[tokio::test]
async fn signing_in_and_out_works_below_the_base_path() {
    let running = behind_a_proxy().await;
    assert!(running.server.sign_in_url().starts_with("https://monitor.example/opbeat/sign-in?token="));
    let url = |path: &str| format!("{}{path}", local_url(&running.server));
    for (path, target) in [
        ("/opbeat/", "/opbeat/sign-in"),
        ("/opbeat/acme/shop/?range=6h", "/opbeat/sign-in?next=%2Fopbeat%2Facme%2Fshop%2F%3Frange%3D6h"),
        ("/acme/shop/", "/opbeat/sign-in?next=%2Fopbeat%2Facme%2Fshop%2F"),
        ("/opbeat/opbeat/shop/", "/opbeat/sign-in?next=%2Fopbeat%2Fopbeat%2Fshop%2F"),
    ] {
        let response = browser().get(url(path)).send().await.unwrap();
        assert_eq!((response.status(), header(&response, "location")), (StatusCode::SEE_OTHER, target), "{path}");
    }
    let link = running.server.sign_in_url().replace("https://monitor.example", &local_url(&running.server));
    for (next, target) in [
        ("", "/opbeat/first-run/"),
        ("&next=%2Facme%2Fshop%2F", "/opbeat/acme/shop/"),
        ("&next=%2Fopbeat%2Facme%2Fshop%2F", "/opbeat/acme/shop/"),
        ("&next=%2Fopbeat%2F%2Fevil.example", "/opbeat/"),
    ] {
        let opened = browser().get(format!("{link}{next}")).send().await.unwrap();
        assert_eq!((opened.status(), header(&opened, "location")), (StatusCode::SEE_OTHER, target), "{next}");
        let cookie = header(&opened, "set-cookie");
        assert!(cookie.starts_with("__Secure-opbeat_session="), "{cookie}");
        assert!(cookie.contains("; HttpOnly; SameSite=Lax; Secure; Path=/opbeat; Max-Age=2592000"), "{cookie}");
    }
    let post = async |origin: &str, path: &str, cookie: &str| {
        let request = browser().post(url(path)).header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("origin", origin).header("cookie", cookie);
        request.body(format!("token={}&next=%2Fopbeat%2Facme%2Fshop%2F", running.read_token)).send().await.unwrap()
    };
    // The proxy has replaced `Host`, and the origin is the public one.
    let signed_in = post("https://monitor.example", "/opbeat/sign-in", "").await;
    assert_eq!((signed_in.status(), header(&signed_in, "location")), (StatusCode::SEE_OTHER, "/opbeat/acme/shop/"));
    assert_eq!(post("https://evil.example", "/opbeat/sign-in", "").await.status(), StatusCode::FORBIDDEN);
    let signed_out = post("https://monitor.example", "/opbeat/sign-out", &running.cookie).await;
    assert_eq!((signed_out.status(), header(&signed_out, "location")), (StatusCode::SEE_OTHER, "/opbeat/sign-in"));
    let removed = header(&signed_out, "set-cookie");
    assert!(removed.contains("Path=/opbeat; Max-Age=0"), "{removed}");
    assert_eq!(get(&running, "/opbeat/").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn agents_report_below_the_base_path_with_any_number_of_slashes() {
    let running = behind_a_proxy().await;
    let path = running.intake("errors").replace(&local_url(&running.server), "");
    for path in [format!("/opbeat{path}"), format!("/opbeat/{path}"), path] {
        let request = running.client.post(format!("{}{path}", local_url(&running.server)));
        let response = request.bearer_auth(&running.app.secret_token).body(r#"{"message": "a"}"#).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{path}");
        let location = header(&response, "location");
        assert!(location.starts_with("https://monitor.example/opbeat/acme/shop/errors/by-id/"), "{location}");
    }
    // The command waits for the database, while the server of this thread stands still.
    running.drained().await;
    let found = running.command(&["app", "create", "acme/shop"]).await;
    assert!(found.starts_with("OPBEAT_SERVER_URL=https://monitor.example/opbeat\n"), "{found}");
    let unknown = running.get("/opbeat/api/v7/").await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert_eq!(unknown.json::<Value>().await.unwrap()["status"], 404);
}

#[tokio::test]
async fn headers_of_proxies_are_believed_from_trusted_addresses_only() {
    let answer = async |running: &Running, headers: &[(&str, &str)]| {
        let request = browser().get(format!("{}/sign-in", local_url(&running.server)));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().await.unwrap();
        let cookie = header(&response, "set-cookie").to_owned();
        let page = response.text().await.unwrap();
        (cookie, page.split_once("action=\"").unwrap().1.split_once('"').unwrap().0.to_owned())
    };
    let own = [("x-forwarded-proto", "https"), ("x-forwarded-prefix", "/tools/opbeat/")];
    let standard = [("forwarded", "for=192.0.2.1;proto=https")];
    let trusting = Running::start().await;
    let (cookie, action) = answer(&trusting, &own).await;
    assert!(cookie.starts_with("__Secure-") && cookie.contains("Secure; Path=/tools/opbeat"), "{cookie}");
    assert_eq!(action, "/tools/opbeat/sign-in");
    let (cookie, action) = answer(&trusting, &standard).await;
    assert!(cookie.starts_with("__Host-") && cookie.contains("Secure; Path=/"), "{cookie}");
    assert_eq!(action, "/sign-in");
    assert_eq!(answer(&trusting, &[("x-forwarded-prefix", "//evil.example")]).await.1, "/sign-in");

    let wary = Running::start_with(|config| config.trusted_proxies = vec!["192.0.2.0/24".parse().unwrap()]).await;
    for headers in [&own[..], &standard[..]] {
        let (cookie, action) = answer(&wary, headers).await;
        assert!(cookie.starts_with("opbeat_form=") && !cookie.contains("Secure"), "{cookie}");
        assert_eq!(action, "/sign-in");
    }
}
