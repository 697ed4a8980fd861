//! A new user: from the first link to an error that is resolved, occurs again and is given to somebody else.

use opbeat_axum::Config;
use reqwest::StatusCode;

use crate::chromium::{Chromium, Visitor, assert_nothing_found};
use crate::server::Running;
use crate::shop::Shop;

const PASSWORD: &str = "correct horse battery";

pub(crate) async fn walk() {
    let running = Running::start().await;
    let chromium = Chromium::start();
    let ana = Visitor::new(&chromium, "Ana", &running.server.url());
    let config = first_run(&running, &ana);
    wait(&running, &ana).await;
    let shop = Shop::open(&config).await;
    shop.browse(3).await;
    shop.order(1).await;
    shop.send_mail().await;
    let mut loads = ana.loads();
    shop.deliver().await;
    running.stored().await;
    while ana.text().contains("Waiting for the first request") {
        loads = ana.wait_for_load(loads);
    }
    ana.sees(&["Transactions by impact", "GET /search", "POST /orders/{number}"]);
    ana.audit("performance-new");
    regression(&running, &ana, &shop).await;
    let ben = Visitor::new(&chromium, "Ben", &running.server.url());
    reassignment(&ana, &ben);
    other_pages(&ana);
    ana.press("Sign out");
    ana.audit("sign-in");
    assert_nothing_found(&[ana, ben]);
    running.server.shut_down().await;
}

/// Creates the owner and the first app. Returns the settings that the page shows.
fn first_run(running: &Running, ana: &Visitor) -> Config {
    ana.open(&running.server.sign_in_url());
    ana.sees(&["Welcome to Opbeat"]);
    ana.tab_through();
    ana.audit("first-run");
    ana.fill("Your name", "Ana");
    ana.fill("E-mail address", "ana@acme.example");
    ana.fill("Password, at least 10 characters", "short");
    ana.fill("Organization", "acme");
    ana.fill("First app", "shop");
    ana.press("Create the account");
    ana.sees(&["at least 10 characters"]);
    ana.audit("first-run-mistake");
    ana.fill("Password, at least 10 characters", PASSWORD);
    ana.press("Create the account");
    ana.sees(&["Copy them now"]);
    ana.audit("first-run-token");
    let variables = ana.copy("pre.copied");
    let value = |name: &str| {
        let line =
            variables.lines().find_map(|line| line.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{variables}"))
    };
    let [organization, app, token] = ["OPBEAT_ORGANIZATION_ID", "OPBEAT_APP_ID", "OPBEAT_SECRET_TOKEN"].map(value);
    Config::new(organization, app, token).server_url(value("OPBEAT_SERVER_URL"))
}

/// Looks at the page that waits for data, which says why data was refused.
async fn wait(running: &Running, ana: &Visitor) {
    ana.press("Go on: connect acme / shop");
    ana.sees(&["Waiting for the first request of shop", "Nothing has arrived yet"]);
    ana.press("Stop renewing");
    ana.tab_through();
    ana.audit("waiting");
    for (tab, step) in [
        ("actix-web", "cargo add opbeat-actix"),
        ("tower, hyper", "cargo add opbeat-tower"),
        ("Python", "opentelemetry-instrument python app.py"),
        ("Node.js", "npm install"),
        ("OpenTelemetry", "OTEL_SERVICE_NAME=shop"),
        ("curl", "curl -i"),
    ] {
        ana.press(tab);
        ana.sees(&[step]);
    }
    assert_eq!(post_with_wrong_token(running, &ana.copy("li:last-child pre.block")).await, StatusCode::UNAUTHORIZED);
    ana.audit("waiting-curl");
    // The counts of refused requests are delivered every five seconds.
    while !ana.text().contains("Data was refused") {
        ana.open("/acme/shop/?renew=off");
    }
    ana.sees(&["is missing, unknown or revoked"]);
    ana.audit("waiting-refused");
    ana.open("/acme/shop/");
}

/// Sends the request of the page without its token.
async fn post_with_wrong_token(running: &Running, command: &str) -> StatusCode {
    let url = command.rsplit('"').nth(1).unwrap_or_else(|| panic!("{command}"));
    running.client.post(url).bearer_auth("PASTE-THE-SECRET-TOKEN").send().await.unwrap().status()
}

/// Resolves the error, which then occurs again.
async fn regression(running: &Running, ana: &Visitor, shop: &Shop) {
    ana.press("Errors");
    ana.sees(&["OrderError", "the payment of order 1 was declined"]);
    ana.tab_through();
    ana.audit("errors");
    ana.open("/acme/shop/errors/1/");
    ana.sees(&["OrderError", "shop.rs"]);
    ana.audit("error-open");
    ana.press("Resolve");
    ana.sees(&["The next error opens it again."]);
    ana.audit("error-resolved");
    ana.visit("/acme/shop/errors/", "errors-none", &["No"]);
    shop.order(2).await;
    shop.browse(3).await;
    shop.deliver().await;
    running.stored().await;
    ana.open("/acme/shop/errors/1/");
    ana.sees(&["It happened again", "after it was resolved"]);
    ana.fill("Comment", "The bank declines all payments.");
    ana.press("Add comment");
    ana.sees(&["The bank declines all payments."]);
    ana.tab_through();
    ana.audit("error-regressed");
}

/// Invites Ben, and gives the error to him.
fn reassignment(ana: &Visitor, ben: &Visitor) {
    ana.press("People");
    ana.fill("E-mail address", "ben@acme.example");
    ana.press("Make an invitation");
    ana.sees(&["Send this link to ben@acme.example"]);
    ana.audit("people-invited");
    ben.open(&ana.copy("pre.copied"));
    ben.sees(&["Join acme"]);
    ben.audit("invitation");
    ben.fill("Your name", "Ben");
    ben.fill("Password, at least 10 characters", PASSWORD);
    ben.press("Join acme");
    ben.audit("apps");
    ana.open("/acme/shop/errors/1/");
    ana.fill("Assignee", "Ana");
    ana.press("Assign");
    ana.sees(&["Assigned to Ana"]);
    ana.fill("Assignee", "Ben");
    ana.press("Assign");
    ana.sees(&["Assigned to Ben"]);
    ben.visit("/acme/shop/errors/?assignee=me", "errors-mine", &["OrderError", "regressed"]);
}

/// Looks at the other pages of the app and its organization.
fn other_pages(ana: &Visitor) {
    ana.open("/acme/shop/");
    ana.press("GET /search");
    ana.sees(&["GET /search"]);
    ana.audit("transaction-new");
    ana.follow("main td a[href*='/samples/']");
    ana.sees(&["Waterfall", "SELECT FROM authors"]);
    ana.tab_through();
    ana.audit("sample");
    for (path, name, text) in [
        ("/acme/shop/queries/", "queries", "SELECT FROM authors"),
        ("/acme/shop/calls/", "calls", "prices.example"),
        ("/acme/shop/jobs/", "jobs", "send-mail"),
        ("/acme/shop/releases/", "releases-none", "No releases"),
        ("/acme/shop/intake/", "intake", "token"),
        ("/acme/shop/setup/", "setup", "Connect another program"),
        ("/acme/shop/notifications/", "notifications", "Notifications"),
        ("/acme/people/", "people", "Ben"),
        ("/acme/people/audit/", "audit-log", "Ben"),
        ("/me/", "me", "ana@acme.example"),
    ] {
        ana.visit(path, name, &[text]);
    }
    assert_eq!(ana.open("/acme/shop/errors/99/"), 404);
    ana.audit("not-found");
    ana.open("/acme/shop/queries/");
    ana.press("SELECT FROM authors");
    ana.audit("query");
    ana.open("/acme/people/");
    ana.fill("Name of a new team", "Payments");
    ana.press("Create the team");
    ana.follow("main a[href*='/teams/']");
    ana.audit("team");
    ana.open("/acme/people/");
    ana.press("Ben");
    ana.audit("member");
}
