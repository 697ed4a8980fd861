//! The page of an app that waits for its first data.

use reqwest::StatusCode;
use reqwest::header::REFRESH;
use serde_json::json;

use crate::pages::text;
use crate::running::Running;

#[tokio::test]
async fn a_waiting_app_has_set_up_steps_with_its_own_values() {
    let running = Running::start().await;
    assert!(text(&running.page("/").await).contains("no data yet"));
    let url = running.server.url();
    let (organization, id) = (&running.app.organization_id, &running.app.app_id);
    let variables =
        format!("OPBEAT_SERVER_URL={url} export OPBEAT_ORGANIZATION_ID={organization} export OPBEAT_APP_ID={id}");
    for (setup, step) in [
        ("", "cargo add opbeat-axum"),
        ("?setup=axum", "cargo add opbeat-axum"),
        ("?setup=actix", "cargo add opbeat-actix"),
        ("?setup=tower", "cargo add opbeat-tower"),
        ("?setup=python", "opentelemetry-instrument python app.py"),
        ("?setup=node", "auto-instrumentations-node/register app.js"),
        ("?setup=otlp", "OTEL_SERVICE_NAME=shop"),
        ("?setup=curl", &format!("{url}/api/v1/organizations/{organization}/apps/{id}/transactions/")),
        ("?setup=what", "cargo add opbeat-axum"),
    ] {
        let response = running.get(&format!("/acme/shop/{setup}")).await;
        assert_eq!(response.headers()[REFRESH], "10", "{setup}");
        let page = text(&response.text().await.unwrap());
        assert!(page.contains("Waiting for the first request of shop Nothing has arrived yet."), "{page}");
        assert!(page.contains(&variables), "{page}");
        assert!(page.contains("opbeat app create acme/shop") && page.contains(step), "{page}");
    }
    for path in ["/acme/shop/errors/", "/acme/shop/setup/"] {
        let response = running.get(path).await;
        assert_eq!(response.headers()[REFRESH], "10", "{path}");
        assert!(response.text().await.unwrap().contains(&format!("href=\"{path}?setup=node\"")), "{path}");
    }
    let response = running.get("/acme/shop/?setup=node&renew=off").await;
    assert_eq!(response.headers().get(REFRESH), None);
    assert!(response.text().await.unwrap().contains("?setup=curl&amp;renew=off"), "the tabs do not renew either");
}

#[tokio::test]
async fn a_waiting_page_turns_when_data_arrives() {
    let running = Running::start().await;
    let body = json!({"transactions": [{"transaction": "GET /", "durations": [1.0]}], "traces": []});
    running.accept("transactions", &body).await;
    running.drained().await;
    let response = running.get("/acme/shop/?setup=node").await;
    assert_eq!((response.url().path(), response.url().query()), ("/acme/shop/", None), "it was redirected");
    let response = running.get("/acme/shop/").await;
    assert_eq!(response.headers().get(REFRESH), None);
    let page = running.page("/acme/shop/setup/?setup=node").await;
    assert!(text(&page).contains("Connect another program to shop"), "{page}");
}

#[tokio::test]
async fn a_waiting_page_says_why_data_was_refused() {
    let running = Running::start().await;
    let own = running.intake("errors");
    // Ids that do not exist, and names, concern no app.
    for app in [&*running.app.app_id, "00", "shop"] {
        let url = own.replace(&running.app.app_id, app);
        let answer = running.client.post(url).bearer_auth("wrong").body("{}").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
    // A stop stores the counts.
    let running = running.restart().await;
    running.drained().await;
    let page = text(&running.page("/acme/shop/").await);
    assert!(
        page.contains("first request of shop Data was refused , ") && page.contains("is missing, unknown or revoked"),
        "{page}"
    );
    let intake = text(&running.page("/acme/shop/intake/").await);
    assert!(intake.contains("refused 1 bodies"), "{intake}");
    // Anybody can send them: the page Performance does not mention them.
    running
        .accept("transactions", &json!({"transactions": [{"transaction": "GET /", "durations": [1.0]}], "traces": []}))
        .await;
    running.drained().await;
    let page = text(&running.page("/acme/shop/").await);
    assert!(!page.contains("refused"), "{page}");
}
