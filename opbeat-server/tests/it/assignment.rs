//! Assigning errors to authors, by a server and repositories that the command git makes.

use std::cell::Cell;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::database::Database;
use crate::pages::text;
use crate::running::{Looks, Running};

const ANA: &str = "0000000000000000000000000000000a";
const BEN: &str = "0000000000000000000000000000000b";

/// A repository with one commit an hour.
struct Repo {
    folder: TempDir,
    clock: Cell<i64>,
}

impl Repo {
    fn new() -> Self {
        let repo = Self { folder: tempfile::tempdir().unwrap(), clock: Cell::new(1_700_000_000) };
        repo.git("Ana", &["init", "--quiet", "--initial-branch=main", "."]);
        repo
    }

    fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn git(&self, author: &str, arguments: &[&str]) -> String {
        let (mail, date) = (format!("{}@acme.example", author.to_lowercase()), format!("@{} +0000", self.clock.get()));
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.folder.path()).env_remove("GIT_DIR");
        command.env("HOME", self.folder.path()).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), author).env(format!("GIT_{role}_EMAIL"), &mail);
            command.env(format!("GIT_{role}_DATE"), &date);
        }
        let output = command.output().expect("these tests run the command git: install git and put it on the path");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Writes a file and commits it. Returns the hash.
    fn commit(&self, author: &str, path: &str, content: &str, message: &str) -> String {
        self.clock.set(self.clock.get() + 3_600);
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self.git(author, &["add", "--all"]);
        self.git(author, &["commit", "--quiet", "--message", message]);
        self.git(author, &["rev-parse", "HEAD"]).trim().to_owned()
    }
}

const BEFORE: &str = "pub fn total(cart: &Cart) -> u64 {\n    let items = cart.items();\n    items.iter().sum()\n}\n";
const AFTER: &str =
    "pub fn total(cart: &Cart) -> u64 {\n    let items = cart.items().expect(\"items\");\n    items.iter().sum()\n}\n";

/// A server with the members Ana and Ben, and a repository in which Ben wrote a file and Ana changed a line of it.
struct Acme {
    running: Running,
    repo: Repo,
    /// The commits of Ben and of Ana.
    revs: [String; 2],
    token: String,
}

impl Acme {
    async fn start() -> Self {
        let running = Running::start().await;
        let organization = &running.app.organization_id;
        let people = format!(
            "INSERT INTO people (id, email, name, is_owner, created_at) VALUES
                 ('{ANA}', 'ana@acme.example', 'Ana', 0, 0), ('{BEN}', 'ben@home.example', 'Ben B.', 0, 0);
             INSERT INTO memberships (organization_id, person_id, role, created_at) VALUES
                 ('{organization}', '{ANA}', 'member', 0), ('{organization}', '{BEN}', 'member', 0);
             INSERT INTO aliases (organization_id, email, person_id) VALUES ('{organization}', 'ben@acme.example', '{BEN}')"
        );
        Database::of(&running).await.run(&people).await;
        let token = running.command(&["token", "create", "acme", "--write", "--name", "Ana"]).await.trim().to_owned();
        let repo = Repo::new();
        let first = repo.commit("Ben", "src/orders.rs", BEFORE, "totals of carts");
        let second = repo.commit("Ana", "src/orders.rs", AFTER, "carts may lack items, fixes #12");
        Self { running, repo, revs: [first, second], token }
    }

    async fn connect(&self) -> String {
        self.running.command(&["repository", "connect", "acme/shop", self.repo.path()]).await
    }

    async fn release(&self, rev: &str) {
        self.running.accept("releases", &json!({"rev": rev, "branch": "main", "status": "completed"})).await;
        self.running.drained().await;
    }

    /// Reports an error whose deepest frame of the application is a line of a file.
    async fn fail(&self, message: &str, file: &str, line: u32) {
        let frames = json!([
            {"filename": file, "lineno": line, "in_app": true, "function": "shop::orders::total"},
            {"filename": "/rustc/1a2b/library/core/src/result.rs", "lineno": 9, "in_app": false, "function": "unwrap"},
        ]);
        self.running.accept("errors", &json!({"message": message, "stacktrace": {"frames": frames}})).await;
        self.running.drained().await;
    }

    /// Returns an error as soon as it has the wanted state.
    async fn error(&self, number: i64, is_wanted: impl Fn(&Value) -> bool) -> Value {
        self.resource(&format!("errors/{number}/"), is_wanted).await
    }

    async fn resource(&self, path: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut looks = Looks::new();
        loop {
            let resource = self.running.ask(path).await;
            if is_wanted(&resource) {
                return resource;
            }
            looks.next(format_args!("{path}: {resource}")).await;
        }
    }

    /// Returns an error as soon as the worker has looked at it.
    async fn looked_at(&self, number: i64) -> Value {
        self.error(number, |error| error["assignment"]["reason"] != "").await
    }

    async fn patch(&self, number: i64, token: &str, change: &Value) -> (StatusCode, Value) {
        let path = format!("/api/v2/organizations/acme/apps/shop/errors/{number}/");
        let url = format!("{}{path}", crate::running::local_url(&self.running.server));
        let request = self.running.client.request(Method::PATCH, url).bearer_auth(token);
        let response =
            request.header("content-type", "application/json").body(change.to_string()).send().await.unwrap();
        (response.status(), response.json().await.unwrap_or_default())
    }
}

fn reason(error: &Value) -> &str {
    error["assignment"]["reason"].as_str().unwrap()
}

#[tokio::test]
async fn a_new_error_is_assigned_to_the_author_of_the_failing_line() {
    let acme = Acme::start().await;
    assert!(acme.connect().await.contains("acme/shop"));
    for rev in &acme.revs {
        acme.release(rev).await;
    }
    let release = acme.resource("releases/2/", |release| !release["changes"].is_null()).await;
    acme.fail("no items", "src/orders.rs", 2).await;
    acme.fail("no sum", "src/orders.rs", 3).await;

    let error = acme.error(1, |error| !error["assignee"].is_null()).await;
    assert_eq!(error["assignee"], json!({"kind": "person", "id": ANA, "name": "Ana"}));
    let hash = &acme.revs[1][..7];
    let expected = format!("Ana last changed src/orders.rs:2 in {hash} (R#2)");
    assert_eq!(error["assignment"], json!({"by": "blame", "reason": expected}));
    let event = &error["activity"][0];
    assert_eq!(
        (&event["kind"], &event["actor"], &event["assignee"]),
        (&json!("assigned"), &Value::Null, &json!("Ana"))
    );
    let page = text(&acme.running.page("/acme/shop/errors/1/").await);
    assert!(page.contains("Assigned to Ana") && page.contains(&format!(", because {expected}.")), "{page}");
    assert!(page.contains("It was assigned to Ana"), "{page}");

    let error = acme.error(2, |error| !error["assignee"].is_null()).await;
    assert_eq!(error["assignee"]["name"], "Ben B.", "by an alias: {error}");
    assert!(reason(&error).starts_with("Ben B. last changed src/orders.rs:3"), "{error}");

    let numbers = async |filter: &str| {
        let list = acme.running.ask(&format!("errors/?assignee={filter}")).await;
        list["errors"].as_array().unwrap().iter().map(|error| error["number"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((numbers(ANA).await, numbers(BEN).await, numbers("nobody").await), (vec![1], vec![2], vec![]));
    let page = text(&acme.running.page(&format!("/acme/shop/errors/?assignee={BEN}")).await);
    assert!(page.contains("E#2") && page.contains("Ben B.") && !page.contains("E#1"), "{page}");

    assert_eq!(release["changes"]["count"], 1);
    assert_eq!(release["commits"][0]["mentions"], json!([{"text": "#12", "url": null}]));
    let page = text(&acme.running.page("/acme/shop/releases/2/").await);
    assert!(page.contains("1 commit (+1/−1) by Ana"), "{page}");
    assert!(page.contains("carts may lack items") && page.contains("time to release"), "{page}");
}

#[tokio::test]
async fn an_author_who_is_no_member_is_named_and_the_team_gets_the_error() {
    let acme = Acme::start().await;
    let rev = acme.repo.commit("Eve", "src/pens.rs", "fn ink() {}\nfn pen() {}\n", "pens");
    acme.connect().await;
    acme.release(&rev).await;
    acme.fail("no ink", "src/pens.rs", 1).await;
    let error = acme.looked_at(1).await;
    let expected =
        format!("Eve last changed src/pens.rs:1 in {}, but eve@acme.example matches nobody: add an alias", &rev[..7]);
    assert_eq!((&error["assignee"], reason(&error)), (&Value::Null, &*expected));
    let page = text(&acme.running.page("/acme/shop/errors/1/").await);
    assert!(page.contains("Assigned to nobody") && page.contains(&format!(", because {expected}.")), "{page}");

    let organization = &acme.running.app.organization_id;
    let team = format!(
        "INSERT INTO teams (id, organization_id, name) VALUES (7, '{organization}', 'Writers');
         UPDATE apps SET team_id = 7 WHERE short_name = 'shop'"
    );
    Database::of(&acme.running).await.run(&team).await;
    acme.fail("no pen", "src/pens.rs", 2).await;
    let error = acme.looked_at(2).await;
    assert_eq!(error["assignee"], json!({"kind": "team", "id": "team-7", "name": "Writers"}));
    assert_eq!((&error["assignment"]["by"], reason(&error).contains("matches nobody")), (&json!("team"), true));
    // No line of the repository.
    acme.fail("no glue", "src/glue.rs", 1).await;
    let error = acme.looked_at(3).await;
    assert_eq!(error["assignee"]["name"], "Writers");
    assert!(reason(&error).contains("src/glue.rs:1: the file is not in the repository"), "{error}");
}

#[tokio::test]
async fn a_decision_of_a_person_stays() {
    let acme = Acme::start().await;
    acme.connect().await;
    acme.release(&acme.revs[1]).await;
    for message in ["no items", "few items", "odd items"] {
        acme.fail(message, "src/orders.rs", 2).await;
    }
    acme.error(3, |error| error["assignee"]["name"] == "Ana").await;
    let (status, error) = acme.patch(1, &acme.token, &json!({"assignee": {"person": "BEN@home.example"}})).await;
    assert_eq!((status, &error["assignee"]["id"]), (StatusCode::OK, &json!(BEN)));
    assert_eq!(error["assignment"], json!({"by": "person", "reason": "Ana decided it"}));
    assert_eq!((&error["activity"][0]["kind"], &error["activity"][0]["actor"]), (&json!("assigned"), &json!("Ana")));
    let change = json!({"assignee": "nobody", "status": "muted"});
    let (status, error) = acme.patch(2, &acme.token, &change).await;
    assert_eq!((status, &error["assignee"], &error["status"]), (StatusCode::OK, &Value::Null, &json!("muted")));

    // The worker looks at all again, and a later error shows that it did.
    acme.connect().await;
    acme.fail("late items", "src/orders.rs", 2).await;
    acme.error(4, |error| error["assignee"]["name"] == "Ana").await;
    assert_eq!(acme.running.ask("errors/1/").await["assignee"]["id"], BEN);
    assert_eq!(acme.running.ask("errors/2/").await["assignee"], Value::Null);

    for (change, token, expected) in [
        (json!({"assignee": {"person": "eve@acme.example"}}), &acme.token, StatusCode::BAD_REQUEST),
        (json!({"assignee": {"person": "0".repeat(32)}}), &acme.token, StatusCode::BAD_REQUEST),
        (json!({"assignee": {"team": "Writers"}}), &acme.token, StatusCode::BAD_REQUEST),
        (json!({}), &acme.token, StatusCode::BAD_REQUEST),
        (json!({"assignee": "nobody"}), &acme.running.read_token, StatusCode::FORBIDDEN),
        (json!({"assignee": {"person": "eve@acme.example"}}), &acme.running.read_token, StatusCode::FORBIDDEN),
    ] {
        let (status, answer) = acme.patch(1, token, &change).await;
        assert_eq!(status, expected, "{change}: {answer}");
    }
    assert_eq!(acme.patch(99, &acme.token, &json!({"assignee": "nobody"})).await.0, StatusCode::NOT_FOUND);

    // Several at once, by the form of the list.
    let url = format!("{}/acme/shop/errors/change", crate::running::local_url(&acme.running.server));
    let form = format!("number=1&number=3&action=assign&assignee={ANA}&back=%2Facme%2Fshop%2Ferrors%2F");
    let post = |form: String| {
        let request = acme.running.client.post(&url).header("cookie", &acme.running.cookie);
        request.header("content-type", "application/x-www-form-urlencoded").body(form).send()
    };
    assert!(post(form).await.unwrap().status().is_success());
    let list = acme.running.ask(&format!("errors/?assignee={ANA}")).await;
    assert_eq!(list["total"], 3, "{list}");
    let refused = post("number=1&action=assign&assignee=root".to_owned()).await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);

    // A browser with the token named Ana has a list of its own.
    let request = acme.running.client.post(format!("{}/sign-in", crate::running::local_url(&acme.running.server)));
    let request =
        request.header("content-type", "application/x-www-form-urlencoded").body(format!("token={}", acme.token));
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let session = crate::running::session_of(&browser.execute(request.build().unwrap()).await.unwrap());
    let url = format!("{}/acme/shop/errors/?assignee=me", crate::running::local_url(&acme.running.server));
    let page = browser.get(url).header("cookie", session).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<option value=\"me\" selected>mine</option>"), "{page}");
    let page = text(&page);
    assert!(page.contains("E#1") && page.contains("E#3") && !page.contains("E#2"), "{page}");
}

#[tokio::test]
async fn errors_are_looked_at_again_when_a_repository_is_connected_or_the_switch_is_on() {
    let acme = Acme::start().await;
    acme.release(&acme.revs[1]).await;
    acme.fail("no items", "src/orders.rs", 2).await;
    assert_eq!(reason(&acme.looked_at(1).await), "no Git repository is connected to this app");
    let told = acme.running.command(&["repository", "assign", "off", "acme/shop"]).await;
    assert_eq!(told, "New errors of acme/shop are not assigned to authors.\n");
    acme.connect().await;
    let off = acme.error(1, |error| reason(error) == "authors are not looked up for this app").await;
    assert_eq!(off["assignee"], Value::Null);
    assert!(acme.running.command(&["repository", "list"]).await.contains("\toff\t-"));
    acme.running.command(&["repository", "assign", "on", "acme/shop"]).await;
    acme.error(1, |error| error["assignee"]["name"] == "Ana").await;
    assert_eq!(
        acme.running.command(&["repository", "remove", "acme/shop"]).await,
        "Disconnected the repository of acme/shop.\n"
    );
    assert_eq!(acme.running.command(&["repository", "list"]).await, "");
    assert_eq!(acme.running.ask("errors/1/").await["assignee"]["name"], "Ana");
}

#[tokio::test]
async fn an_error_of_a_release_that_nobody_pushed_has_a_reason() {
    let acme = Acme::start().await;
    acme.connect().await;
    acme.fail("no items", "src/orders.rs", 2).await;
    let error = acme.looked_at(1).await;
    assert!(reason(&error).contains("the release of the error is not known"), "{error}");
    acme.release("feedface").await;
    acme.fail("few items", "src/orders.rs", 2).await;
    let error = acme.looked_at(2).await;
    assert_eq!(reason(&error), "the deployed revision feedface is not in the repository");
    let release = acme.resource("releases/1/", |release| !release["changes"].is_null()).await;
    assert_eq!(release["changes"]["reason"], "it is the first release");
    acme.running.command(&["repository", "connect", "acme/shop", acme.repo.path(), "--branch", "main"]).await;
    acme.error(1, |error| error["assignee"]["name"] == "Ana").await;
}

#[tokio::test]
async fn a_repository_that_cannot_be_fetched_stops_nothing() {
    let acme = Acme::start().await;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/shop.git");
    acme.running.command(&["repository", "connect", "acme/shop", &url, "--no-fetch"]).await;
    acme.release(&acme.revs[1]).await;
    acme.fail("no items", "src/orders.rs", 2).await;
    let error = acme.looked_at(1).await;
    assert!(reason(&error).contains("private address"), "{error}");
    assert!(acme.running.command(&["repository", "list"]).await.contains("private address"));
    let connect = ["repository", "connect", "acme/shop", &url, "--private-network", "--no-fetch"];
    acme.running.command(&connect).await;
    let error = acme.error(1, |error| reason(error).contains("cannot fetch http://")).await;
    assert_eq!(error["assignee"], Value::Null);
    // Another app is assigned meanwhile, and the first one as soon as its repository is there.
    acme.connect().await;
    acme.error(1, |error| error["assignee"]["name"] == "Ana").await;
}

#[tokio::test]
async fn strange_repositories_are_refused_with_a_plain_message() {
    let acme = Acme::start().await;
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    let damaged = folder.path().join("damaged");
    fs::create_dir_all(damaged.join("objects")).unwrap();
    fs::create_dir_all(damaged.join("refs")).unwrap();
    fs::write(damaged.join("HEAD"), "ref: ../../../etc/passwd\n").unwrap();
    for (url, expected) in [
        (empty, "is not a Git repository"),
        ("/nonexistent/shop", "is not a Git repository"),
        ("ext::sh -c touch% /tmp/x", "give an address with https:// or http://"),
        ("git@git.example:shop.git", "SSH is not supported"),
        ("https://ana:hunter2@git.example/shop.git", "--token-file"),
        ("http://127.0.0.1:1/shop.git", "private address"),
        ("", "give an address"),
    ] {
        let output = acme.running.output_of(&["repository", "connect", "acme/shop", url]).await;
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && message.contains(expected), "{url}: {message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    let missing = acme.running.output_of(&["repository", "connect", "acme/none", acme.repo.path()]).await;
    assert!(String::from_utf8_lossy(&missing.stderr).contains("there is no app \"acme/none\""));
    assert_eq!(acme.running.command(&["repository", "list"]).await, "");

    // A damaged one is connected, and costs its errors a reason.
    let damaged = damaged.to_str().unwrap();
    acme.running.command(&["repository", "connect", "acme/shop", damaged, "--no-fetch"]).await;
    acme.release(&acme.revs[1]).await;
    acme.fail("no items", "src/orders.rs", 2).await;
    let error = acme.looked_at(1).await;
    assert_eq!(error["assignee"], Value::Null);
    assert!(!Path::new("/tmp/x").exists());
}
