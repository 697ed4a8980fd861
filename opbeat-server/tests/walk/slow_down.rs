//! A slow-down after a release: from the sentence on the first page to the release.

use crate::chromium::{Chromium, Visitor, assert_nothing_found};
use crate::past;
use crate::server::Running;

pub(crate) async fn walk() {
    let running = Running::start().await;
    let app = running.server.create_app("acme", "shop").await.unwrap();
    past::report(&running.client, &app).await;
    running.stored().await;
    let chromium = Chromium::start();
    let ana = Visitor::new(&chromium, "Ana", &running.server.url());
    ana.open(&running.server.sign_in_url());
    ana.visit("/", "apps-owner", &["acme / shop"]);
    running.wait_for_finding("acme", "shop").await;
    let finding = ["GET /search", "went from", "with release R#2", "code.rank"];
    ana.visit("/acme/shop/?range=24h", "performance", &finding);
    ana.tab_through();
    ana.press("GET /search");
    ana.sees(&finding);
    ana.audit("transaction");
    ana.visit("/acme/shop/releases/", "releases", &["R#2"]);
    ana.follow("main td.name a");
    ana.sees(&finding);
    ana.audit("release");
    assert_nothing_found(&[ana]);
    running.server.shut_down().await;
}
