//! The users that errors happen to, and the transactions that they happen in.

use jiff::{SignedDuration, Timestamp};
use opbeat_server::AppCredentials;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::running::{Running, intake_url, zlib};

/// Reports errors with users, each a second after the one before. The last one happens now.
async fn report(running: &Running, errors: &[(&str, Value)]) {
    report_to(running, &running.app, errors).await;
}

async fn report_to(running: &Running, app: &AppCredentials, errors: &[(&str, Value)]) {
    let start = Timestamp::now() - SignedDuration::from_secs(i64::try_from(errors.len()).unwrap());
    for (second, (message, user)) in errors.iter().enumerate() {
        let at = start + SignedDuration::from_secs(i64::try_from(second).unwrap());
        let name = format!("GET /{message}");
        let body = json!({
            "message": message, "timestamp": at.to_string(), "user": user, "transaction": {"name": name},
        });
        let request = running.client.post(intake_url(app, "errors")).bearer_auth(&app.secret_token);
        let response = request.body(zlib(&body.to_string())).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
    }
    running.drained().await;
}

fn id(id: impl Into<Value>) -> Value {
    json!({"id": id.into()})
}

/// Returns the ids of the listed users with their counts.
fn listed(error: &Value) -> Vec<(&str, i64)> {
    let users = error["affected_users"]["users"].as_array().unwrap();
    users.iter().map(|user| (user["id"].as_str().unwrap_or("-"), user["times_seen"].as_i64().unwrap())).collect()
}

#[tokio::test]
async fn different_users_are_counted_once() {
    let running = Running::start().await;
    let ada = json!({"id": 7, "username": "ada", "email": "ada@acme.example"});
    let renamed = json!({"id": "7", "username": "countess", "is_authenticated": true});
    report(&running, &[("no ink", id("grace")), ("no ink", ada), ("no ink", id("linus")), ("no ink", renamed)]).await;
    let error = running.ask("errors/1/").await;
    assert_eq!((&error["users"], &error["has_more_users"]), (&json!(3), &json!(false)));
    let affected = &error["affected_users"];
    assert_eq!((&affected["total"], &affected["last_24_hours"]), (&json!(3), &json!(3)));
    assert_eq!(listed(&error), [("7", 2), ("linus", 1), ("grace", 1)], "the most reports, then the latest");
    let first = &affected["users"][0];
    assert_eq!((&first["username"], &first["email"]), (&json!("countess"), &Value::Null), "the latest names");
    assert_eq!(first["last_seen"], error["last_seen"]);
    assert_eq!(first["occurrence"], error["occurrence"]["id"], "the user's newest occurrence");
    assert_eq!(affected["users"][2]["occurrence"], error["occurrences"][3]["id"]);
    let transactions = &error["affected_transactions"];
    assert_eq!(transactions["total"], 1);
    assert_eq!(
        (&transactions["transactions"][0]["name"], &transactions["transactions"][0]["times_seen"]),
        (&json!("GET /no ink"), &json!(4))
    );
}

#[tokio::test]
async fn anonymous_users_are_not_counted() {
    let running = Running::start().await;
    let anonymous = [Value::Null, json!({}), json!({"is_authenticated": false}), json!({"ip_address": "192.0.2.7"})];
    let errors: Vec<_> = anonymous.into_iter().map(|user| ("no ink", user)).collect();
    report(&running, &errors).await;
    let error = running.ask("errors/1/").await;
    assert_eq!((&error["times_seen"], &error["users"]), (&json!(4), &json!(0)));
    let page = running.page("/acme/shop/errors/1/").await;
    assert!(page.contains("No report of this error names a user."), "{page}");
    // The address of a client counts if the application sends it as the id.
    report(&running, &[("no ink", id("192.0.2.7"))]).await;
    assert_eq!(running.ask("errors/1/").await["users"], 1);
}

#[tokio::test]
async fn users_beyond_the_limit_are_counted_together() {
    let running = Running::start().await;
    for start in (0..1_000).step_by(50) {
        let mut requests = JoinSet::new();
        for number in start..start + 50 {
            let request = running.client.post(running.intake("errors")).bearer_auth(&running.app.secret_token);
            let body = json!({"message": "no ink", "user": {"id": number}}).to_string();
            requests.spawn(request.body(zlib(&body)).send());
        }
        while let Some(response) = requests.join_next().await {
            assert_eq!(response.unwrap().unwrap().status(), StatusCode::ACCEPTED);
        }
    }
    running.drained().await;
    assert_eq!(running.ask("errors/1/").await["has_more_users"], false);
    report(&running, &[1_000, 1_001, 3, 1_001].map(|number| ("no ink", id(number)))).await;
    let error = running.ask("errors/1/").await;
    assert_eq!(
        (&error["times_seen"], &error["users"], &error["has_more_users"]),
        (&json!(1_004), &json!(1_000), &json!(true))
    );
    let affected = &error["affected_users"];
    assert_eq!(
        (&affected["total"], &affected["has_more"], &affected["others_times_seen"]),
        (&json!(1_000), &json!(true), &json!(3))
    );
    assert_eq!((listed(&error)[0], listed(&error).len()), (("3", 2), 20));
    let page = running.page("/acme/shop/errors/1/").await;
    assert!(page.contains("Over 1,000 users") && page.contains("1\u{202f}000+"), "{page}");
}

#[tokio::test]
async fn users_of_merged_errors_count_once_until_a_split() {
    let running = Running::start().await;
    let token = running.command(&["token", "create", "acme", "--write"]).await.trim().to_owned();
    report(
        &running,
        &[("no ink", id("ada")), ("no ink", id("grace")), ("no glue", id("ada")), ("no glue", id("linus"))],
    )
    .await;
    let change = async |path: &str, number: i64| {
        let url = format!("{}/api/v2/organizations/acme/apps/shop/errors/{path}", running.server.url());
        let request = running.client.post(url).bearer_auth(&token).header("content-type", "application/json");
        let response = request.body(json!({"errors": [number]}).to_string()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        serde_json::from_str::<Value>(&response.text().await.unwrap()).unwrap()
    };
    let all = change("1/merge/", 2).await;
    assert_eq!((&all["users"], listed(&all)), (&json!(3), vec![("ada", 2), ("linus", 1), ("grace", 1)]));
    assert_eq!(all["affected_transactions"]["total"], 2);
    report(&running, &[("no glue", id("new")), ("no glue", id("grace"))]).await;
    let all = running.ask("errors/1/").await;
    assert_eq!((&all["users"], &all["affected_users"]["total"]), (&json!(4), &json!(4)));
    let ink = change("1/split/", 2).await;
    assert_eq!((&ink["users"], listed(&ink)), (&json!(2), vec![("grace", 1), ("ada", 1)]));
    let glue = running.ask("errors/2/").await;
    assert_eq!((&glue["users"], &glue["affected_users"]["total"]), (&json!(4), &json!(4)));
}

#[tokio::test]
async fn errors_are_listed_by_users_and_names_are_escaped() {
    let running = Running::start().await;
    let script = json!({"id": "<script>alert(1)</script>", "email": "\"><img src=x>"});
    report(&running, &[("many", script), ("many", id(2)), ("many", id(3)), ("few", id(2)), ("none", Value::Null)])
        .await;
    report(&running, &[("few", id(2)), ("few", id(2)), ("few", id(2)), ("few", id(3))]).await;
    let list = running.ask("errors/?order=users").await;
    let order: Vec<(&str, i64)> = list["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["message"].as_str().unwrap(), error["users"].as_i64().unwrap()))
        .collect();
    assert_eq!(order, [("many", 3), ("few", 2), ("none", 0)]);
    let page = running.page("/acme/shop/errors/?order=users").await;
    let place = |text: &str| page.find(&format!("<strong>{text}</strong>")).unwrap();
    assert!(place("many") < place("few") && place("few") < place("none"), "{page}");
    let page = running.page("/acme/shop/errors/1/").await;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
    assert!(!page.contains("<script>alert") && !page.contains("<img src"), "{page}");
    let url = format!("{}/api/v2/organizations/acme/apps/shop/errors/?order=people", running.app.server_url);
    let refused = running.client.get(url).bearer_auth(&running.read_token).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn apps_have_their_own_users() {
    let running = Running::start().await;
    let mut blog = running.server.create_app("acme", "blog").await.unwrap();
    blog.server_url.clone_from(&running.app.server_url);
    report(&running, &[("no ink", id("ada"))]).await;
    report_to(&running, &blog, &[("no ink", id("grace")), ("no ink", id("linus"))]).await;
    let shop = running.ask("errors/1/").await;
    assert_eq!((&shop["users"], listed(&shop)), (&json!(1), vec![("ada", 1)]));
    let blog = running.ask_of("blog", "errors/1/").await;
    assert_eq!((&blog["users"], listed(&blog)), (&json!(2), vec![("linus", 1), ("grace", 1)]));
}
