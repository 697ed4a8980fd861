//! Notifications: webhooks and chats that a test listens for, with the limits that keep messages few.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, Mac};
use opbeat_server::ServerConfig;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::browser::{Browser, join};
use crate::database::Database;
use crate::pages::text;
use crate::running::{Looks, PATIENCE, Running, local_url, session_of};

const PAGE: &str = "/acme/shop/notifications/";
const ANA: &str = "0000000000000000000000000000000a";

type Answer = fn() -> Response;

/// A server on this machine that keeps what it gets.
pub(crate) struct Hook {
    pub(crate) url: String,
    received: UnboundedReceiver<Received>,
}

impl Hook {
    async fn start(answer: Answer) -> Self {
        let (sender, received) = mpsc::unbounded_channel();
        let router = Router::new().fallback(receive).with_state((sender, answer));
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks/7", socket.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self { url, received }
    }

    pub(crate) async fn ok() -> Self {
        Self::start(|| StatusCode::OK.into_response()).await
    }

    /// Waits for the next message.
    pub(crate) async fn next(&mut self) -> (HeaderMap, Value) {
        let received = tokio::time::timeout(PATIENCE, self.received.recv()).await;
        let (headers, body) = received.expect("no message came").unwrap();
        (headers, serde_json::from_str(&body).unwrap())
    }

    /// Returns the actions of the messages that have come.
    fn actions(&mut self) -> Vec<String> {
        let mut actions = Vec::new();
        while let Ok((_, body)) = self.received.try_recv() {
            let body: Value = serde_json::from_str(&body).unwrap();
            actions.push(body["action"].as_str().unwrap().to_owned());
        }
        actions
    }
}

type Received = (HeaderMap, String);

async fn receive(
    State((sender, answer)): State<(UnboundedSender<Received>, Answer)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // The test may have ended.
    let _ = sender.send((headers, String::from_utf8(body.to_vec()).unwrap()));
    answer()
}

/// A socket that accepts connections, and never answers.
async fn hanging() -> String {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = socket.accept().await {
            open.push(stream);
        }
    });
    url
}

pub(crate) fn allow_loopback(config: &mut ServerConfig) {
    config.notifications.allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
}

/// A server whose owner adds channels.
struct Acme {
    running: Running,
    token: String,
}

impl Acme {
    async fn start(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let running = Running::start_with(|config| {
            allow_loopback(config);
            change(config);
        })
        .await;
        let token = running.command(&["token", "create", "acme", "--write", "--name", "Ada"]).await.trim().to_owned();
        Self { running, token }
    }

    fn owner(&self) -> Browser<'_> {
        Browser::new(&self.running.server, &self.running.cookie)
    }

    /// Adds a channel, and returns the page after it.
    async fn add(&self, kind: &str, name: &str, target: &str, activities: &str) -> String {
        self.add_with_token(kind, name, target, activities, "").await
    }

    async fn add_with_token(&self, kind: &str, name: &str, target: &str, activities: &str, token: &str) -> String {
        let fields = [
            ("action", "add"),
            ("kind", kind),
            ("name", name),
            ("target", target),
            ("activities", activities),
            ("token", token),
        ];
        let added = self.owner().post(PAGE, &fields).await;
        let (status, page) = (added.status(), added.text().await.unwrap());
        assert!(status.is_success() || status == StatusCode::SEE_OTHER, "{status}: {page}");
        page
    }

    async fn fail(&self, message: &str) {
        self.running
            .accept("errors", &json!({"message": message, "exception": {"type": "TypeError", "value": message}}))
            .await;
        self.running.drained().await;
    }

    async fn change(&self, number: i64, change: Value) {
        let url = format!("{}/api/v2/organizations/acme/apps/shop/errors/{number}/", local_url(&self.running.server));
        let request = self.running.client.request(Method::PATCH, url).bearer_auth(&self.token);
        let response =
            request.header("content-type", "application/json").body(change.to_string()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{}", response.text().await.unwrap());
    }

    async fn database(&self) -> Database {
        Database::of(&self.running).await
    }

    /// Returns the page as text as soon as it contains something.
    async fn page_with(&self, wanted: &str) -> String {
        let mut looks = Looks::new();
        loop {
            let page = text(&self.running.page(PAGE).await);
            if page.contains(wanted) {
                return page;
            }
            looks.next(format_args!("{wanted:?} is not in {page}")).await;
        }
    }
}

#[tokio::test]
async fn a_new_error_is_one_activity_of_opbeat_with_a_signature() {
    let acme = Acme::start(|config| {
        config.public_url = Some("https://monitor.example/opbeat/".parse().unwrap());
        config.notifications.cool_down = Duration::ZERO;
    })
    .await;
    let mut hook = Hook::ok().await;
    let organization = &acme.running.app.organization_id;
    let people = format!(
        "INSERT INTO people (id, email, name, is_owner, created_at) VALUES ('{ANA}', 'ana@acme.example', 'Ana', 0, 0);
         INSERT INTO memberships (organization_id, person_id, role, created_at) VALUES ('{organization}', '{ANA}', 'member', 0);
         INSERT INTO teams (id, organization_id, name) VALUES (7, '{organization}', 'Writers');
         UPDATE apps SET team_id = 7 WHERE short_name = 'shop'"
    );
    acme.database().await.run(&people).await;
    let page = acme.add("webhook", "Tickets", &hook.url, "all").await;
    let key = page.split_once("new webhook is <code>").unwrap().1.split('<').next().unwrap().to_owned();
    acme.fail("no ink").await;

    let (headers, activity) = hook.next().await;
    let url = "https://monitor.example/opbeat/acme/shop/errors/1/";
    for (member, expected) in [
        ("type_name", json!("activity")),
        ("html_url", json!(url)),
        ("author", Value::Null),
        ("title", json!("Error group E#1")),
        ("summary", json!("The error group was first seen and auto-assigned to Writers.")),
        ("organization", json!({"id": organization, "name": "acme", "short_name": "acme"})),
        ("app", json!({"id": acme.running.app.app_id, "name": "shop", "short_name": "shop"})),
        ("subject_type", json!("assignmentlog")),
        ("action", json!("created_and_assigned")),
    ] {
        assert_eq!(activity[member], expected, "{member}: {activity}");
    }
    let group = &activity["subject"]["errorgroup"];
    assert_eq!(
        (&group["number"], &group["times_seen"], &group["html_url"]),
        (&json!(1), &json!({"total": 1}), &json!(url))
    );
    assert_eq!(activity["id"].as_str().unwrap().len(), 32);
    assert!(activity["occurred"].as_str().unwrap().ends_with('Z'), "{activity}");
    assert_eq!(headers["x-opbeat-delivery"], *activity["id"].as_str().unwrap());
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    // Members of an object have an order, so that the text is that of the body.
    mac.update(format!("{}.{activity}", headers["x-opbeat-timestamp"].to_str().unwrap()).as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(headers["x-opbeat-signature"], *format!("v1={signature}"));

    // Changes by people, and the error that happens again. Nothing was sent twice before.
    acme.change(1, json!({"status": "resolved"})).await;
    let (_, fixed) = hook.next().await;
    assert_eq!((&fixed["action"], &fixed["author"]), (&json!("fixed"), &json!({"name": "Ada"})));
    acme.fail("no ink").await;
    let (_, regressed) = hook.next().await;
    assert_eq!((&regressed["subject_type"], &regressed["action"]), (&json!("errorgroup"), &json!("regressed")));
    assert_eq!(regressed["subject"]["times_seen"]["total"], 2);
    acme.fail("no ink").await;
    acme.change(1, json!({"assignee": {"person": "ana@acme.example"}})).await;
    let (_, assigned) = hook.next().await;
    assert_eq!(assigned["summary"], "The error group was assigned to Ana by Ada.", "an open error is no news");

    let page = acme.page_with("sent just now").await;
    assert!(page.contains("Tickets") && !page.contains(&key) && !page.contains("/hooks/7"), "{page}");
    let audit = text(&acme.running.page("/acme/people/audit/").await);
    assert!(audit.contains("added the channel Tickets to shop"), "{audit}");
}

#[tokio::test]
async fn repeats_wait_for_the_cool_down_and_are_counted() {
    let acme = Acme::start(|_| {}).await;
    let (mut hook, mut chat) = (Hook::ok().await, Hook::ok().await);
    acme.add("webhook", "Tickets", &hook.url, "all").await;
    acme.add("slack", "Room", &chat.url, "important").await;
    acme.fail("<b>no ink</b>\r\nBcc: eve@x & <!channel>").await;
    assert_eq!(hook.next().await.1["action"], "created");
    let said = chat.next().await.1["text"].as_str().unwrap().to_owned();
    let title =
        "[acme/shop] New error E#1: TypeError: &lt;b&gt;no ink&lt;/b&gt; Bcc: eve@\u{200b}x &amp; &lt;!channel&gt;";
    assert!(said.contains(&format!("/acme/shop/errors/1/|{title}>")), "{said}");
    let regress = async |hook: &mut Hook| {
        acme.change(1, json!({"status": "resolved"})).await;
        assert_eq!(hook.next().await.1["action"], "fixed");
        acme.fail("<b>no ink</b>\r\nBcc: eve@x & <!channel>").await;
    };
    for _ in 0..3 {
        regress(&mut hook).await;
    }
    // A message about something else passes, and shows that the others wait.
    acme.fail("no pens").await;
    let other = hook.next().await.1;
    assert_eq!((&other["action"], &other["subject"]["number"]), (&json!("created"), &json!(2)));
    let ended = "UPDATE error_groups SET notified_at = 0; UPDATE activities SET notify_at = 0 WHERE notify_at > 0";
    acme.database().await.run(ended).await;
    let regressed = hook.next().await.1;
    assert_eq!((&regressed["action"], &regressed["suppressed"]["repeats"]), (&json!("regressed"), &json!(2)));
    let summary = regressed["summary"].as_str().unwrap();
    assert!(summary.contains("Suppressed 2: earlier notifications of this error"), "{summary}");
    // The room has the new errors and the one regression.
    for expected in ["New error E#2", "Regressed E#1"] {
        let said = chat.next().await.1["text"].as_str().unwrap().to_owned();
        assert!(said.contains(expected), "{said}");
    }
    // Of an error that was resolved meanwhile nobody hears again.
    regress(&mut hook).await;
    acme.change(1, json!({"status": "resolved"})).await;
    assert_eq!(hook.next().await.1["action"], "fixed");
    acme.database().await.run(ended).await;
    acme.fail("no type").await;
    assert_eq!(hook.next().await.1["subject"]["number"], 3);
    assert!(hook.actions().is_empty());
}

#[tokio::test]
async fn messages_beyond_the_budget_are_suppressed_and_that_is_said() {
    let acme = Acme::start(|config| config.notifications.hourly = 2).await;
    let mut hook = Hook::ok().await;
    acme.add("webhook", "Tickets", &hook.url, "important").await;
    for message in ["no ink", "no pens", "no type", "no glue", "no press"] {
        acme.fail(message).await;
    }
    for number in [1, 2] {
        assert_eq!(hook.next().await.1["subject"]["number"], number);
    }
    let database = acme.database().await;
    let mut looks = Looks::new();
    let an_hour_later = "UPDATE notification_budgets SET started_at = 1 WHERE suppressed = 3";
    while database.execute(an_hour_later).await == 0 {
        looks.next("the messages are not counted").await;
    }
    let told = hook.next().await.1;
    assert_eq!((&told["action"], &told["suppressed"]["over_budget"]), (&json!("suppressed"), &json!(3)));
    assert!(told["summary"].as_str().unwrap().starts_with("Suppressed 3: "), "{told}");
    acme.fail("no room").await;
    let next = hook.next().await.1;
    assert_eq!((&next["action"], &next["suppressed"]["over_budget"]), (&json!("created"), &json!(0)));
}

#[tokio::test]
async fn bad_receivers_have_a_plain_reason_and_do_not_delay_others() {
    let acme = Acme::start(|_| {}).await;
    let (mut inner, mut hook) = (Hook::ok().await, Hook::ok().await);
    let redirecting =
        Hook::start(|| (StatusCode::TEMPORARY_REDIRECT, [("location", "http://127.0.0.1:1/admin")]).into_response());
    let failing = Hook::start(|| (StatusCode::INTERNAL_SERVER_ERROR, "no\u{7}room").into_response());
    let (redirecting, mut failing) = (redirecting.await, failing.await);
    acme.add("webhook", "Hanging", &hanging().await, "all").await;
    acme.add("webhook", "Redirecting", &redirecting.url, "all").await;
    acme.add("webhook", "Failing", &failing.url, "all").await;
    acme.add("webhook", "Private", "http://[::1]:1/", "all").await;
    acme.add("webhook", "Good", &hook.url, "all").await;
    for message in ["no ink", "no pens"] {
        acme.fail(message).await;
        assert_eq!(hook.next().await.1["action"], "created");
    }
    let page = acme.page_with("it did not answer within 5 s").await;
    for reason in [
        "it answered 307 and redirects to http://127.0.0.1:1/admin; redirects are not followed, so set the final URL",
        "it answered 500: no room",
        "the host ::1 has the private address ::1; the operator of this server can allow it by notifications.allowed_networks",
    ] {
        assert!(page.contains(reason), "{page}");
    }
    assert!(inner.actions().is_empty());
    // One failure lets the other message wait too.
    assert_eq!(failing.actions(), ["created"]);
    let database = acme.database().await;
    for attempt in 1..=5 {
        acme.page_with(&format!("attempt {attempt} failed: it answered 500: no room")).await;
        // Both are due, and the older one is sent first.
        let again = "UPDATE notifications SET due_at = 0 WHERE due_at IS NOT NULL AND error LIKE '%500%';
                     UPDATE notification_channels SET last_tried_at = 0";
        database.run(again).await;
        failing.next().await;
    }
    acme.page_with("given up: it answered 500: no room").await;
}

#[tokio::test]
async fn a_message_of_a_worker_that_died_is_sent_by_the_next_one() {
    let acme = Acme::start(|_| {}).await;
    let mut hook = Hook::ok().await;
    acme.add("webhook", "Hanging", &hanging().await, "all").await;
    acme.add("webhook", "Good", &hook.url, "all").await;
    acme.fail("no ink").await;
    hook.next().await;
    // The other message is claimed now, and its worker dies.
    let running = acme.running.restart_with(allow_loopback).await;
    let later = format!(
        "UPDATE notification_channels SET target = '{}' WHERE name = 'Hanging';
         UPDATE notifications SET due_at = 0 WHERE due_at > 0",
        hook.url
    );
    Database::of(&running).await.run(&later).await;
    assert_eq!(hook.next().await.1["action"], "created");
}

#[tokio::test]
async fn only_admins_change_channels() {
    let acme = Acme::start(|_| {}).await;
    let mut hook = Hook::ok().await;
    acme.add("slack", "Room", &hook.url, "important").await;
    let owner = acme.owner();
    for (target, reason) in [
        ("ftp://hooks.example/", "must start with https:// or http://"),
        ("https://a:b@hooks.example/", "must not contain a user or a password"),
    ] {
        let fields = [("action", "add"), ("kind", "slack"), ("name", "x"), ("target", target), ("activities", "all")];
        let refused = owner.refused(PAGE, &fields, StatusCode::BAD_REQUEST).await;
        assert!(refused.contains(reason), "{refused}");
    }
    let id = acme.running.page(PAGE).await;
    let id = id.split_once("name=\"test\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    owner.change(PAGE, &[("action", "change"), ("test", &id)]).await;
    let said = hook.next().await.1["text"].as_str().unwrap().to_owned();
    assert!(said.contains("[acme/shop] Test message") && said.contains("to test the channel"), "{said}");

    let reader = sign_in_as_reader(&acme).await;
    let page = text(&reader.page(PAGE).await);
    assert!(page.contains("Room") && !page.contains("Remove") && !page.contains("127.0.0.1"), "{page}");
    for fields in [[("action", "change"), ("remove", &*id)], [("action", "change"), ("test", &*id)]] {
        reader.refused(PAGE, &fields, StatusCode::FORBIDDEN).await;
    }
    owner.change(PAGE, &[("action", "change"), ("remove", &id)]).await;
    assert!(text(&acme.running.page(PAGE).await).contains("The app has no channel yet."));
    let gone = owner.refused(PAGE, &[("action", "change"), ("test", &id)], StatusCode::NOT_FOUND).await;
    assert!(gone.contains("There is no channel"), "{gone}");
}

async fn sign_in_as_reader(acme: &Acme) -> Browser<'_> {
    let token = [("token", &*acme.running.read_token)];
    let signed_in = Browser::new(&acme.running.server, "").post("/sign-in", &token).await;
    Browser::new(&acme.running.server, session_of(&signed_in))
}

#[tokio::test]
async fn phones_get_messages_of_ntfy_and_pushover() {
    let acme = Acme::start(|_| {}).await;
    let (mut ntfy, mut pushover) = (Hook::ok().await, Hook::ok().await);
    acme.add_with_token("ntfy", "Phones", &ntfy.url, "important", "tk_secret").await;
    acme.add_with_token("pushover", "Ana's phone", &pushover.url, "important", "app-token user-key").await;
    for (kind, target, token, reason) in [
        ("pushover", "", "app-token", "the token of the application, a space, and the key of the user"),
        ("ntfy", "https://ntfy.example/", "", "must end with a topic"),
        ("ntfy", "https://ntfy.example/shop", "two words", "has no spaces"),
    ] {
        let fields = [("kind", kind), ("target", target), ("token", token), ("name", "x"), ("activities", "all")];
        let fields = [&[("action", "add")][..], &fields].concat();
        let refused = acme.owner().refused(PAGE, &fields, StatusCode::BAD_REQUEST).await;
        assert!(refused.contains(reason), "{refused}");
    }
    acme.fail("no\r\nink").await;
    let url = format!("{}/acme/shop/errors/1/", local_url(&acme.running.server));
    let title = "[acme/shop] New error E#1: TypeError: no ink";
    let (headers, message) = ntfy.next().await;
    assert_eq!(headers["authorization"], "Bearer tk_secret");
    let expected = json!({"topic": "7", "title": title, "message": "The error group was first seen.", "click": url,
                          "tags": ["opbeat"]});
    assert_eq!(message, expected);
    let message = pushover.next().await.1;
    let expected = json!({"token": "app-token", "user": "user-key", "title": title, "url": url,
                          "message": "The error group was first seen.", "url_title": "Error group E#1"});
    assert_eq!(message, expected);
    acme.page_with("sent just now").await;
    let page = acme.running.page(PAGE).await;
    assert!(!page.contains("tk_secret") && !page.contains("user-key"), "{page}");
}

#[tokio::test]
async fn an_error_that_happens_much_more_often_is_a_spike() {
    let acme = Acme::start(|_| {}).await;
    let mut hook = Hook::ok().await;
    acme.add("webhook", "Tickets", &hook.url, "important").await;
    let many = |message: &'static str, count| std::iter::repeat_n(message, count);
    for message in many("no ink", 31).chain(many("no pens", 29)).chain(many("no type", 31)) {
        acme.running.accept("errors", &json!({"message": message})).await;
    }
    acme.running.drained().await;
    for _ in 0..3 {
        assert_eq!(hook.next().await.1["action"], "created");
    }
    // The first two are three days old, and the third one is new.
    let older = "UPDATE error_groups SET first_seen = first_seen - 259200000000, notified_at = 0 WHERE number < 3";
    acme.database().await.run(older).await;
    let running = acme.running.restart_with(allow_loopback).await;
    let spike = hook.next().await.1;
    assert_eq!((&spike["action"], &spike["subject"]["number"]), (&json!("spiked"), &json!(1)));
    let expected = "The error group happened 31 times in the last hour, after 0 times a day in the ";
    assert!(spike["summary"].as_str().unwrap().starts_with(expected), "{spike}");
    let page = text(&running.page("/acme/shop/errors/1/").await);
    assert!(page.contains("It happened 31 times in an hour, after 0 times a day"), "{page}");
    // Errors of another kind follow, and nothing else came before.
    running.accept("errors", &json!({"message": "no glue"})).await;
    assert_eq!(hook.next().await.1["action"], "created");
    running.drained().await;
}

#[tokio::test]
async fn a_person_chooses_when_mails_come() {
    // Nothing listens there.
    let acme = Acme::start(|config| config.notifications.mail.server = Some("smtp://127.0.0.1:1".to_owned())).await;
    let owner = acme.owner();
    let ana = join(&owner, "acme", "ana", "member").await;
    let assign = async |message: &str, number| {
        acme.fail(message).await;
        acme.change(number, json!({"assignee": {"person": "ana@acme.example"}})).await;
    };
    let choose = async |mails: &str, from: &str, to: &str| {
        let fields = [
            ("action", "mails"),
            ("mails", mails),
            ("quiet_from", from),
            ("quiet_to", to),
            ("time_zone", "Asia/Tokyo"),
        ];
        ana.change("/me/", &fields).await;
    };
    choose("digest", "", "").await;
    assign("no ink", 1).await;
    assign("no pens", 2).await;
    let page = acme.page_with("E#2").await;
    assert!(page.matches("waiting").count() == 2 && !page.contains("attempt"), "{page}");
    // The hour is over: both are in one mail, and so have the same attempt.
    let database = acme.database().await;
    assert_eq!(database.execute("UPDATE notifications SET due_at = 0 WHERE attempts = 0").await, 2);
    let page = acme.page_with("attempt 1 failed: the mail server refused it or failed").await;
    assert_eq!(page.matches("attempt 1 failed").count(), 2, "{page}");

    let refused = ana.refused(
        "/me/",
        &[("action", "mails"), ("mails", "digest"), ("quiet_from", "22:00")],
        StatusCode::BAD_REQUEST,
    );
    assert!(refused.await.contains("Quiet hours need a start and another end"));
    let fields = [("action", "mails"), ("mails", "digest"), ("time_zone", "Mars/Olympus")];
    let refused = ana.refused("/me/", &fields, StatusCode::BAD_REQUEST).await;
    assert!(refused.contains("No time zone has this name."), "{refused}");
    choose("at_once", "22:00", "07:00").await;
    let me = ana.page("/me/").await;
    assert!(me.contains("value=\"22:00\"") && me.contains("<option value=\"at_once\" selected>"), "{me}");
    assert!(me.contains("value=\"Asia/Tokyo\""), "{me}");
    choose("never", "", "").await;
    let page = acme.page_with("given up: the person turned mails off").await;
    assert_eq!(page.matches("given up").count(), 2, "{page}");
    let mut hook = Hook::ok().await;
    acme.add("webhook", "Tickets", &hook.url, "all").await;
    assign("no type", 3).await;
    hook.next().await;
    let page = text(&acme.running.page(PAGE).await);
    assert!(page.contains("no type Tickets") && !page.contains("no type ana"), "{page}");
    let none = ana.get(&format!("/unsubscribe/{}/", "0".repeat(32))).await;
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
}
