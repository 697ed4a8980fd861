//! The list of apps: its parts, its search, and the figures of each app.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::pages::text;
use crate::running::{Running, local_url};

/// Starts a server with 150 apps: `acme/app-000` and so on, besides `acme/shop`.
async fn with_many_apps() -> Running {
    let running = Running::start().await;
    for number in 0..149 {
        running.server.create_app("acme", &format!("app-{number:03}")).await.unwrap();
    }
    running
}

/// Returns the names on a page of apps.
async fn shown(running: &Running, path: &str) -> Vec<String> {
    let page = running.page(path).await;
    let cards = page.split("<h2>acme / <strong>").skip(1);
    cards.map(|card| card.split('<').next().unwrap().to_owned()).collect()
}

/// Requests the list of apps as a program.
async fn read(running: &Running, query: &str) -> Response {
    let url = format!("{}/api/v2/organizations/acme/apps/{query}", local_url(&running.server));
    running.client.get(url).bearer_auth(&running.read_token).send().await.unwrap()
}

async fn names(running: &Running, query: &str) -> Vec<String> {
    let list: Value = read(running, query).await.json().await.unwrap();
    let apps = list.as_array().unwrap_or_else(|| panic!("{list}"));
    apps.iter().map(|app| app["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn many_apps_are_listed_by_page() {
    let running = with_many_apps().await;
    let first = running.page("/").await;
    assert!(text(&first).contains("1–60 of 150 apps next"), "{}", text(&first));
    assert!(first.len() < 100_000 && !first.contains("<script"), "{} bytes", first.len());
    let pages = [shown(&running, "/").await, shown(&running, "/?page=1").await, shown(&running, "/?page=2").await];
    assert_eq!(pages.each_ref().map(Vec::len), [60, 60, 30]);
    let all: Vec<String> = pages.concat();
    assert!(all.is_sorted() && all.len() == 150, "each app is on one page: {all:?}");
    assert_eq!(shown(&running, "/?page=9").await, pages[2], "a page beyond the last one");
    let last = text(&running.page("/?page=2").await);
    assert!(last.contains("121–150 of 150 apps previous") && !last.contains("next"), "{last}");
}

#[tokio::test]
async fn apps_are_found_by_a_part_of_their_names() {
    let running = with_many_apps().await;
    assert_eq!(shown(&running, "/?search=APP-01").await.len(), 10);
    assert_eq!(shown(&running, "/?search=acme+%2F+sh").await, ["shop"]);
    let none = running.page("/?search=100%25").await;
    assert!(text(&none).contains("No app has this in its name."), "{}", text(&none));
    assert!(none.contains("value=\"100%\""), "the search stays in its field");
    let many = running.page("/?search=app&page=1").await;
    assert!(many.contains("href=\"/?page=0&amp;search=app\""), "pages keep the search: {many}");
    assert_eq!(names(&running, "?search=App-14").await.len(), 9);
}

#[tokio::test]
async fn programs_read_apps_in_parts() {
    let running = with_many_apps().await;
    let all = names(&running, "").await;
    assert_eq!(all.len(), 150);
    assert_eq!(names(&running, "?limit=20&offset=140").await, all[140..]);
    for limit in [0, 501] {
        assert_eq!(read(&running, &format!("?limit={limit}")).await.status(), StatusCode::BAD_REQUEST, "{limit}");
    }
}

#[tokio::test]
async fn the_sums_of_an_app_are_those_of_its_names() {
    let running = Running::start().await;
    let transaction =
        |name: &str, result: u16| json!({"transaction": name, "result": result, "durations": [10.0, 30.0]});
    let group = |name: &str, kind: &str| json!({"transaction": name, "signature": "transaction", "kind": kind});
    for name in ["GET /a", "GET /b", "GET /c"] {
        let body = json!({
            "transactions": [transaction(name, 200), transaction(name, 500)],
            "traces": {"groups": [group(name, "transaction")], "raw": [[10.0, [0, 0.0, 10.0], {"id": name}]]},
        });
        running.accept("transactions", &body).await;
    }
    running.drained().await;
    let list = running.ask("transactions/?range=1h").await;
    assert_eq!((&list["total"], list["transactions"].as_array().unwrap().len()), (&json!(3), 3), "{list}");
    let series = running.ask("series/?range=1h").await;
    let points = series["points"].as_array().unwrap();
    let sum = |key: &str| points.iter().map(|point| point[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("count"), sum("failed")), (12, 6), "{series}");
    let point = points.iter().find(|point| point["count"] == 12).unwrap_or_else(|| panic!("{series}"));
    assert_eq!((&point["average_ms"], &point["results"]), (&json!(20.0), &json!({"200": 6, "500": 6})));
    let mut self_ms = 0.0;
    for transaction in list["transactions"].as_array().unwrap() {
        let breakdown = running.ask(&format!("transactions/{}/breakdown/?range=1h", transaction["id"])).await;
        self_ms += breakdown[0]["self_ms"].as_f64().unwrap();
    }
    let breakdown = running.ask("breakdown/?range=1h").await;
    assert_eq!(breakdown[0]["self_ms"], self_ms, "{breakdown}");
    let apps: Value = read(&running, "").await.json().await.unwrap();
    assert_eq!(apps[0]["failed_share"], 0.5, "{apps}");
    let page = text(&running.page("/acme/shop/").await);
    assert!(page.contains("failed 50 % 6 of 12"), "{page}");
}

#[tokio::test]
async fn an_agent_cannot_add_to_the_sums_of_its_app_by_their_kind() {
    let running = Running::start().await;
    let body = json!({"transactions": [{"transaction": "", "kind": "\u{1}total", "result": 200, "durations": [10.0]}], "traces": []});
    running.accept("transactions", &body).await;
    running.drained().await;
    let list = running.ask("transactions/?range=1h").await;
    assert_eq!((&list["total"], &list["transactions"][0]["count"]), (&json!(1), &json!(1)), "{list}");
    assert_eq!(list["transactions"][0]["kind"], "total");
}
