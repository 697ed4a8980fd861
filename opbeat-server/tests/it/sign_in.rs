//! Signing in to the pages and out of them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use opbeat_server::Server;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::json;

use crate::database::Database;
use crate::pages::text;
use crate::running::{Looks, Running, session_of, sign_in_by_link};

/// A browser that does not follow redirects.
fn browser() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

fn form(client: &Client, url: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    let request = client.post(url).header("content-type", "application/x-www-form-urlencoded");
    request.body(pairs.collect::<Vec<_>>().join("&"))
}

/// Posts the form of the sign-in page.
async fn submit(running: &Running, fields: &[(&str, &str)]) -> Response {
    form(&browser(), &format!("{}/sign-in", running.server.url()), fields).send().await.unwrap()
}

async fn get(server: &Server, path: &str, cookie: &str) -> Response {
    browser().get(format!("{}{path}", server.url())).header("cookie", cookie).send().await.unwrap()
}

fn location(response: &Response) -> &str {
    response.headers()["location"].to_str().unwrap()
}

#[tokio::test]
async fn pages_require_a_session_even_from_this_machine() {
    let running = Running::start().await;
    // This is all that nginx's default `proxy_pass http://127.0.0.1:8200` adds: the request seems to be local.
    let upstream = running.server.address().to_string();
    for host in [upstream.as_str(), "localhost", "127.0.0.1", "[::1]", "rebound.example"] {
        for (path, target) in [
            ("/", "/sign-in"),
            ("/acme/shop/", "/sign-in?next=%2Facme%2Fshop%2F"),
            ("/acme/shop/errors/1/?range=6h", "/sign-in?next=%2Facme%2Fshop%2Ferrors%2F1%2F%3Frange%3D6h"),
            ("//evil.example/", "/sign-in"),
        ] {
            let request = browser().get(format!("{}{path}", running.server.url())).header("host", host);
            let response = request.send().await.unwrap();
            assert_eq!((response.status(), location(&response)), (StatusCode::SEE_OTHER, target), "{host}{path}");
        }
    }
    let stale = get(&running.server, "/", "opbeat_session=0123").await;
    assert_eq!(stale.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_link_signs_in_to_all_organizations_and_leaves_the_address() {
    let running = Running::start().await;
    running.server.create_app("rival", "store").await.unwrap();
    let link = format!("{}&next=%2Facme%2Fshop%2F", running.server.sign_in_url());
    let opened = browser().get(&link).send().await.unwrap();
    assert_eq!(location(&opened), "/acme/shop/");
    let cookie = opened.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000"), "{cookie}");
    assert!(!cookie.contains("Secure"), "{cookie}");
    let token = running.server.sign_in_url().split_once("token=").unwrap().1.to_owned();
    assert!(!cookie.contains(&token), "the cookie does not contain the token");
    assert!(!format!("{:?}", running.server).contains(&token));
    let apps = get(&running.server, "/", &session_of(&opened)).await.text().await.unwrap();
    assert!(text(&apps).contains("acme / shop") && text(&apps).contains("rival / store"), "{apps}");

    let wrong = format!("{}/sign-in?token=0123", running.server.url());
    let response = browser().get(&wrong).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.text().await.unwrap().contains("no longer valid"));
    let signed_in = browser().get(&wrong).header("cookie", session_of(&opened)).send().await.unwrap();
    assert_eq!(
        (signed_in.status(), location(&signed_in)),
        (StatusCode::SEE_OTHER, "/"),
        "an old link in a signed-in browser"
    );
}

#[tokio::test]
async fn the_link_is_in_a_private_file_while_the_server_runs() {
    let running = Running::start().await;
    let file = running.folder.path().join("sign-in-link");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), running.server.sign_in_url());
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions()) & 0o777,
        0o600
    );
    let printed = running.command(&["link"]).await;
    assert_eq!(printed.trim_end(), running.server.sign_in_url());
    running.server.shut_down().await;
    assert!(!file.exists());
    let printed =
        Command::new(env!("CARGO_BIN_EXE_opbeat")).arg("link").arg("--data").arg(running.folder.path()).output();
    assert!(String::from_utf8(printed.unwrap().stderr).unwrap().contains("no server runs on the data folder"));
}

#[test]
fn serve_prints_the_link_and_logs_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_opbeat"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .env("RUST_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let link = lines.find_map(|line| line.unwrap().strip_prefix("Sign in: ").map(str::to_owned)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let opened = runtime.block_on(async { browser().get(&link).send().await.unwrap() });
    let cookie = session_of(&opened);
    child.kill().unwrap();
    child.wait().unwrap();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("TRACE"), "the log is detailed: {log}");
    for secret in [link.split_once("token=").unwrap().1, cookie.split_once('=').unwrap().1] {
        assert!(!log.contains(secret), "the log contains a secret");
    }
}

#[tokio::test]
async fn a_read_token_signs_in_to_its_own_organization() {
    let running = Running::start().await;
    running
        .accept("transactions", &json!({"transactions": [{"transaction": "GET /", "durations": [1.0]}], "traces": []}))
        .await;
    running.server.create_app("rival", "shop").await.unwrap();
    let token = running.server.create_read_token("rival").await.unwrap();
    assert_eq!(submit(&running, &[("token", "guess")]).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(submit(&running, &[]).await.status(), StatusCode::UNAUTHORIZED);
    let signed_in = submit(&running, &[("token", &format!(" {token}\n")), ("next", "/rival/shop/?range=6h")]).await;
    assert_eq!(location(&signed_in), "/rival/shop/?range=6h");
    let cookie = session_of(&signed_in);
    assert!(!cookie.contains(&token), "the cookie does not contain the token");
    assert!(!get(&running.server, "/", &cookie).await.text().await.unwrap().contains("acme"));
    assert_eq!(get(&running.server, "/acme/shop/", &cookie).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get(&running.server, "/rival/shop/", &cookie).await.status(), StatusCode::OK);
    let secret = running.app.secret_token.clone();
    assert_eq!(submit(&running, &[("token", &secret)]).await.status(), StatusCode::UNAUTHORIZED, "agents cannot read");
}

#[tokio::test]
async fn sessions_of_read_tokens_survive_a_restart_and_those_of_links_end() {
    let running = Running::start().await;
    let token = running.server.create_read_token("acme").await.unwrap();
    let kept = session_of(&submit(&running, &[("token", &token)]).await);
    let linked = sign_in_by_link(&running.server).await;
    assert_eq!(get(&running.server, "/", &linked).await.status(), StatusCode::OK);
    let old_link = running.server.sign_in_url();
    let running = running.restart().await;
    let server = &running.server;
    assert_eq!(get(server, "/", &kept).await.status(), StatusCode::OK);
    assert_eq!(get(server, "/", &linked).await.status(), StatusCode::SEE_OTHER);
    let old_token = old_link.split_once("token=").unwrap().1;
    let old_link = format!("{}/sign-in?token={old_token}", server.url());
    assert_eq!(browser().get(old_link).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn signing_out_and_signing_in_again_end_the_session() {
    let running = Running::start().await;
    let token = running.server.create_read_token("acme").await.unwrap();
    let url = format!("{}/sign-in", running.server.url());
    let first = session_of(&submit(&running, &[("token", &token)]).await);
    let again = form(&browser(), &url, &[("token", &token)]).header("cookie", &first).send().await.unwrap();
    let second = session_of(&again);
    assert_ne!(first, second);
    assert_eq!(get(&running.server, "/", &first).await.status(), StatusCode::SEE_OTHER, "the old session has ended");
    assert_eq!(get(&running.server, "/", &second).await.status(), StatusCode::OK);
    for session in [second, sign_in_by_link(&running.server).await] {
        let sign_out = browser().post(format!("{}/sign-out", running.server.url()));
        let response = sign_out.header("cookie", &session).send().await.unwrap();
        assert!(response.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
        assert_eq!(get(&running.server, "/", &session).await.status(), StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn only_a_path_of_this_server_follows_the_sign_in() {
    let running = Running::start().await;
    let token = running.server.create_read_token("acme").await.unwrap();
    for next in [
        "/\t/evil.example",
        "/\n",
        "//evil.example",
        "/\\evil.example",
        "/%2Fevil.example",
        "http://evil.example",
        "/\u{0}",
    ] {
        let response = submit(&running, &[("token", &token), ("next", next)]).await;
        assert_eq!((response.status(), location(&response)), (StatusCode::SEE_OTHER, "/"), "{next:?}");
        let encoded: String = next.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let link = format!("{}&next={encoded}", running.server.sign_in_url());
        let response = browser().get(link).send().await.unwrap();
        assert_eq!((response.status(), location(&response)), (StatusCode::SEE_OTHER, "/"), "{next:?}");
        let page = browser().get(format!("{}/sign-in?next={encoded}", running.server.url())).send().await.unwrap();
        assert!(page.text().await.unwrap().contains("name=\"next\" value=\"/\""), "{next:?}");
    }
}

#[tokio::test]
async fn forms_of_other_sites_have_no_effect() {
    let running = Running::start().await;
    let token = running.server.create_read_token("acme").await.unwrap();
    let url = format!("{}/sign-in", running.server.url());
    let own = running.server.url();
    let post = async |headers: &[(&str, &str)], token_of_form: &str| {
        let fields = [("token", token.as_str()), ("form", token_of_form)];
        let request = form(&browser(), &url, &fields);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
    };
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site"), ("origin", own.as_str())],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://evil.example"), ("cookie", "opbeat_form=")],
    ] {
        let response = post(headers, "").await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{headers:?}");
        assert!(response.headers().get("set-cookie").is_none());
        let page = response.text().await.unwrap();
        assert!(text(&page).contains("The form was not sent from a page of this server"), "{page}");
    }
    for headers in [
        &[("sec-fetch-site", "same-origin"), ("origin", "http://behind.a.proxy")][..],
        &[("origin", own.as_str())],
        &[("origin", "http://opbeat.example"), ("host", "opbeat.example")],
    ] {
        assert_eq!(post(headers, "").await.status(), StatusCode::SEE_OTHER, "{headers:?}");
    }
    // A proxy that replaces `Host`: the form's token proves that this server's page sent it.
    let (cookie, form_token) = form_of(browser().get(&url)).await;
    let proxied = [("origin", "http://opbeat.example"), ("cookie", cookie.as_str())];
    assert_eq!(post(&proxied, &form_token).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(post(&proxied, "00000000000000000000000000000000").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(post(&proxied[..1], &form_token).await.status(), StatusCode::FORBIDDEN);

    let session = session_of(&post(&[], "").await);
    let sign_out = browser().post(format!("{own}/sign-out")).header("cookie", &session);
    let response = sign_out.header("origin", "http://evil.example").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(response.text().await.unwrap().contains("You are still signed in"));
    assert_eq!(get(&running.server, "/", &session).await.status(), StatusCode::OK);
}

/// Returns the cookie of forms that a page sets, and the token of its form.
async fn form_of(request: RequestBuilder) -> (String, String) {
    let page = request.send().await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = page.text().await.unwrap();
    let token = page.split_once("name=\"form\" value=\"").unwrap().1.split_once('"').unwrap().0;
    (cookie, token.to_owned())
}

/// A host of the same domain can set the cookie of forms over plain HTTP, and can open the sign-in page.
#[tokio::test]
async fn the_token_of_a_form_is_for_one_browser_and_session() {
    let running = Running::start().await;
    let other = Running::start().await;
    let token = running.server.create_read_token("acme").await.unwrap();
    let url = format!("{}/sign-in", running.server.url());
    let page =
        |cookie: &str, address: &str| browser().get(&url).header("cookie", cookie).header("x-forwarded-for", address);
    let post = async |cookie: &str, address: &str, token_of_form: &str| {
        let request = form(&browser(), &url, &[("token", &token), ("form", token_of_form)]);
        let request = request.header("origin", "http://sibling.opbeat.example").header("cookie", cookie);
        request.header("x-forwarded-for", address).send().await.unwrap().status()
    };
    let chosen = "00112233445566778899aabbccddeeff";
    let chosen_cookie = format!("opbeat_form={chosen}");
    assert_eq!(post(&chosen_cookie, "10.0.0.1", chosen).await, StatusCode::FORBIDDEN, "a pair of another host");

    let (cookie, form_token) = form_of(page(&chosen_cookie, "10.0.0.1")).await;
    assert_eq!(cookie, chosen_cookie, "a second form keeps the cookie of the first one");
    assert_eq!(post(&cookie, "10.0.0.1", &form_token).await, StatusCode::SEE_OTHER);
    assert_eq!(post(&cookie, "10.0.0.2", &form_token).await, StatusCode::FORBIDDEN, "the token of another browser");
    let signed_in = format!("{cookie}; {}", running.cookie);
    assert_eq!(post(&signed_in, "10.0.0.1", &form_token).await, StatusCode::FORBIDDEN, "the token of no session");
    let (_, form_token) = form_of(page(&signed_in, "10.0.0.1")).await;
    assert_eq!(post(&signed_in, "10.0.0.1", &form_token).await, StatusCode::SEE_OTHER);

    let (cookie, form_token) =
        form_of(browser().get(format!("{}/sign-in", other.server.url())).header("x-forwarded-for", "10.0.0.1")).await;
    assert_eq!(post(&cookie, "10.0.0.1", &form_token).await, StatusCode::FORBIDDEN, "the token of another server");
}

#[tokio::test]
async fn the_link_signs_in_while_the_database_is_locked() {
    let running = Running::start().await;
    let token = running.server.create_read_token("acme").await.unwrap();
    let before = session_of(&submit(&running, &[("token", &token)]).await);
    let database = Database::of(&running).await;
    database.lock().await;
    for stale in ["opbeat_session=0123", before.as_str(), running.cookie.as_str()] {
        let opened = browser().get(running.server.sign_in_url()).header("cookie", stale).send().await.unwrap();
        let session = session_of(&opened);
        assert_eq!(get(&running.server, "/", &session).await.status(), StatusCode::OK, "{stale}");
    }
    assert_eq!(get(&running.server, "/", &running.cookie).await.status(), StatusCode::SEE_OTHER, "it has ended");
    let sign_out = browser().post(format!("{}/sign-out", running.server.url())).header("cookie", "opbeat_session=0123");
    assert_eq!(sign_out.send().await.unwrap().status(), StatusCode::SEE_OTHER, "unknown sessions are not written");

    database.unlock().await;
    let mut looks = Looks::new();
    while get(&running.server, "/", &before).await.status() != StatusCode::SEE_OTHER {
        looks.next("the session before ends when the database is free").await;
    }
}

#[tokio::test]
async fn failed_sign_ins_are_limited_by_address() {
    let running = Running::start().await;
    let token = running.server.create_read_token("acme").await.unwrap();
    let url = format!("{}/sign-in", running.server.url());
    let attempt = async |token: &str, address: &str| {
        form(&browser(), &url, &[("token", token)]).header("x-forwarded-for", address).send().await.unwrap()
    };
    for _ in 0..12 {
        assert_eq!(attempt(&token, "10.0.0.1").await.status(), StatusCode::SEE_OTHER, "successes do not count");
    }
    for _ in 0..10 {
        assert_eq!(attempt("guess", "10.0.0.1").await.status(), StatusCode::UNAUTHORIZED);
    }
    let response = attempt("guess", "10.9.9.9, 10.0.0.1").await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 60);
    assert!(response.text().await.unwrap().contains("Too many attempts failed"));
    assert_eq!(attempt("guess", "10.0.0.2").await.status(), StatusCode::UNAUTHORIZED, "another address");
    let valid = attempt(&token, "10.0.0.1").await;
    assert_eq!(valid.status(), StatusCode::SEE_OTHER, "one who guesses locks out nobody at the same address");
    let link = browser().get(running.server.sign_in_url()).header("x-forwarded-for", "10.0.0.1").send().await.unwrap();
    assert_eq!(link.status(), StatusCode::SEE_OTHER, "the owner is never locked out");
}

#[tokio::test]
async fn cookies_are_secure_over_https() {
    let running = Running::start().await;
    let https = |request: RequestBuilder| request.header("x-forwarded-proto", "https");
    let opened = https(browser().get(running.server.sign_in_url())).send().await.unwrap();
    let cookie = opened.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-opbeat_session=") && cookie.contains("; Secure"), "{cookie}");
    let session = session_of(&opened);
    let apps = https(browser().get(running.server.url())).header("cookie", &session).send().await.unwrap();
    assert_eq!(apps.status(), StatusCode::OK);
    let unprefixed = session.trim_start_matches("__Host-");
    let apps = https(browser().get(running.server.url())).header("cookie", unprefixed).send().await.unwrap();
    assert_eq!(apps.status(), StatusCode::SEE_OTHER, "a cookie that another host can set is not used");
}
