//! The channels of notifications, set up by programs.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::notifications::{Hook, allow_loopback};
use crate::pages::text;
use crate::running::{Running, local_url};

/// A server, and a token that sets up its channels.
struct Channels {
    running: Running,
    token: String,
}

impl Channels {
    async fn start() -> Self {
        let running = Running::start_with(allow_loopback).await;
        let token =
            running.command(&["token", "create", "acme", "--manage", "--name", "terraform"]).await.trim().to_owned();
        Self { running, token }
    }

    async fn send_with(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = format!("{}/api/v2/organizations/acme/apps/shop/channels/{path}", local_url(&self.running.server));
        let mut request = self.running.client.request(method, url).bearer_auth(token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.send_with(&self.token, method, path, body).await
    }

    /// Adds a channel, and returns it.
    async fn add(&self, channel: Value) -> Value {
        let (status, added) = self.send(Method::POST, "", Some(channel)).await;
        assert_eq!(status, StatusCode::CREATED, "{added}");
        added
    }

    async fn list(&self) -> Value {
        self.running.ask("channels/").await["channels"].clone()
    }
}

#[tokio::test]
async fn programs_add_test_change_and_remove_channels() {
    let channels = Channels::start().await;
    let mut hook = Hook::ok().await;
    let added = channels.add(json!({"kind": "webhook", "name": "pager", "target": hook.url})).await;
    let path = format!("{}/", added["id"]);
    assert_eq!((&added["kind"], &added["activities"]), (&json!("webhook"), &json!("important")));
    assert_eq!(added["key"].as_str().unwrap().len(), 64, "the key is in this answer only");
    assert!(added["site"].as_str().unwrap().ends_with("/…") && !added.to_string().contains("/hooks/7"), "{added}");

    let tested = channels.send(Method::POST, &format!("{path}test/"), None).await;
    assert_eq!(tested, (StatusCode::ACCEPTED, Value::Null));
    let (_, message) = hook.next().await;
    assert!(message.to_string().contains("terraform"), "{message}");

    let change = json!({"name": "night shift", "activities": "all"});
    let (status, changed) = channels.send(Method::PATCH, &path, Some(change)).await;
    assert_eq!(
        (status, &changed["name"], &changed["activities"]),
        (StatusCode::OK, &json!("night shift"), &json!("all"))
    );
    assert_eq!((&changed["site"], changed.get("key")), (&added["site"], None));
    let listed = channels.list().await;
    assert_eq!(
        (&listed[0]["name"], &listed[0]["site"]),
        (&json!("night shift"), &Value::Null),
        "a reader sees no site"
    );

    let removed = channels.send(Method::DELETE, &path, None).await;
    assert_eq!(removed, (StatusCode::NO_CONTENT, Value::Null));
    assert_eq!(channels.list().await, json!([]));
    for (method, end) in [(Method::DELETE, ""), (Method::PATCH, ""), (Method::POST, "test/")] {
        let body = (method == Method::PATCH).then(|| json!({"name": "x"}));
        assert_eq!(channels.send(method, &format!("{path}{end}"), body).await.0, StatusCode::NOT_FOUND);
    }
    let audit = text(&channels.running.page("/acme/people/audit/").await);
    for entry in [
        "added the channel pager to shop",
        "changed the channel night shift of shop",
        "removed the channel night shift from shop",
    ] {
        assert!(audit.contains(entry), "{entry}: {audit}");
    }
    assert!(audit.contains("created the token &quot;terraform&quot;, which may manage"), "{audit}");
}

#[tokio::test]
async fn invalid_channels_are_refused_with_the_field() {
    let channels = Channels::start().await;
    let url = "https://93.184.216.34/hook";
    let refused = [
        (json!({"kind": "pigeon", "name": "a", "target": url}), "kind"),
        (json!({"kind": "webhook", "name": " ", "target": url}), "name"),
        (json!({"kind": "webhook", "name": "a", "target": "ftp://x"}), "target"),
        (json!({"kind": "webhook", "name": "a", "target": url, "token": "t"}), "token"),
        (json!({"kind": "webhook", "name": "a", "target": url, "activities": "some"}), "activities"),
        (json!({"kind": "ntfy", "name": "a", "target": "https://93.184.216.34/"}), "target"),
        (json!({"kind": "pushover", "name": "a", "token": "one"}), "token"),
        (json!({"kind": "webhook", "name": "a", "target": url, "colour": "red"}), "colour"),
    ];
    for (channel, field) in refused {
        let (status, answer) = channels.send(Method::POST, "", Some(channel)).await;
        assert!(status.is_client_error() && answer.to_string().contains(field), "{status} {answer}");
    }
    assert_eq!(channels.list().await, json!([]));
}

#[tokio::test]
async fn a_token_goes_to_the_place_that_it_was_sent_for() {
    let channels = Channels::start().await;
    let ntfy = json!({"kind": "ntfy", "name": "phone", "target": "https://93.184.216.34/shop", "token": "tk_secret"});
    let added = channels.add(ntfy).await;
    assert!(!added.to_string().contains("tk_secret"), "{added}");
    let path = format!("{}/", added["id"]);
    let elsewhere = json!({"target": "https://93.184.216.35/shop"});
    let (status, answer) = channels.send(Method::PATCH, &path, Some(elsewhere)).await;
    assert!(status == StatusCode::BAD_REQUEST && answer.to_string().contains("token"), "{status} {answer}");
    let both = json!({"target": "https://93.184.216.35/shop", "token": "tk_other"});
    assert_eq!(channels.send(Method::PATCH, &path, Some(both)).await.0, StatusCode::OK);
    let (status, answer) =
        channels.send(Method::PATCH, &path, Some(json!({"target": "https://93.184.216.35/", "token": ""}))).await;
    assert!(status == StatusCode::BAD_REQUEST && answer.to_string().contains("topic"), "{status} {answer}");
}

#[tokio::test]
async fn other_tokens_change_no_channels() {
    let channels = Channels::start().await;
    let url = "https://93.184.216.34/hook";
    let added = channels.add(json!({"kind": "slack", "name": "chat", "target": url})).await;
    assert_eq!(added["key"], Value::Null);
    let path = format!("{}/", added["id"]);
    let write = channels.running.command(&["token", "create", "acme", "--write"]).await.trim().to_owned();
    channels.running.server.create_app("rival", "shop").await.unwrap();
    let rival = channels.running.command(&["token", "create", "rival", "--manage"]).await.trim().to_owned();
    let read = channels.running.read_token.clone();
    for (token, expected) in
        [(read, StatusCode::FORBIDDEN), (write, StatusCode::FORBIDDEN), (rival, StatusCode::NOT_FOUND)]
    {
        let new = json!({"kind": "slack", "name": "chat", "target": url});
        let requests = [
            (Method::POST, String::new(), Some(new)),
            (Method::PATCH, path.clone(), Some(json!({"name": "x"}))),
            (Method::DELETE, path.clone(), None),
            (Method::POST, format!("{path}test/"), None),
        ];
        for (method, path, body) in requests {
            assert_eq!(channels.send_with(&token, method, &path, body).await.0, expected);
        }
    }
    let tokens = channels.running.command(&["token", "list", "acme"]).await;
    assert!(tokens.lines().any(|line| line.contains("\tmanage\t") && line.ends_with("terraform")), "{tokens}");
    // Channels of an app are not those of another one.
    channels.running.server.create_app("acme", "blog").await.unwrap();
    let url = format!("{}/api/v2/organizations/acme/apps/blog/channels/{path}", local_url(&channels.running.server));
    let response = channels.running.client.delete(url).bearer_auth(&channels.token).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(channels.list().await[0]["name"], "chat");
}
