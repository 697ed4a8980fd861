//! Both forms of the server give the same answers to the same bodies, byte for byte.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use opbeat_server::{Server, ServerConfig};
use reqwest::header::HeaderMap;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use test_backends::Postgres;

use crate::api::{Api, PATIENCE, pause};
use crate::deployment::{Deployment, Embedded, Scaled, command, copy_folder, intake_url, opbeat, refused, with_token};
use crate::ledger::Ledger;
use crate::load::{Load, zlib};
use crate::recordings::{Recording, recordings};

const APP: &str = "/api/v2/organizations/acme/apps/shop";

/// The members that are times of arrival.
const ARRIVALS: [&str; 4] = ["received_at", "completed_at", "first_completed_at", "last_completed_at"];

/// The time within which answers about the last hour are equal, if they passed a full minute in between.
const MINUTE_PASSES: Duration = Duration::from_secs(5);

/// The path of an app in the description of the API.
const TEMPLATE: &str = "/api/v2/organizations/{organization}/apps/{app}";

/// The answers of one process do not depend on when it is killed.
pub(crate) async fn embedded() {
    let (plain, mut killed) = (Embedded::start(), Embedded::start());
    let walk = Walk::new();
    for (number, recording) in walk.recordings.iter().enumerate() {
        send(recording, plain.server.url()).await;
        send(recording, killed.server.url()).await;
        if number % 5 == 0 {
            killed.server.kill();
            killed.server.start_again();
        }
        plain.drained().await;
        killed.drained().await;
    }
    walk.compare(plain.api(), killed.api()).await;
}

/// The answers of the scaled form are those of one process.
pub(crate) async fn scaled() {
    let (one, many) = (Embedded::start(), Scaled::start());
    let walk = Walk::new();
    for (number, recording) in walk.recordings.iter().enumerate() {
        send(recording, one.server.url()).await;
        send(recording, many.intakes[number % many.intakes.len()].url()).await;
        one.drained().await;
        // Workers store bodies that wait together in any order.
        walk.wait_for_lists(one.api(), many.api(), &recording.name).await;
    }
    many.drained().await;
    walk.compare(one.api(), many.api()).await;
}

/// A backup that was made under load, with the queue, becomes a server with the answers of the first one.
pub(crate) async fn backup() {
    let one = Embedded::start();
    let walk = Walk::new();
    let (before, after) = walk.recordings.split_at(walk.recordings.len() / 2);
    let load = Load::start(&one.intakes());
    for recording in before {
        send(recording, one.server.url()).await;
    }
    load.accepted_more().await;
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("saved.sqlite"), folder.path().join("data"));
    let file = file.to_str().unwrap();
    let printed = opbeat(&["backup"], one.folder(), &["--to", file]);
    assert!(printed.starts_with("Saved "), "{printed}");
    load.accepted_more().await;
    for recording in after {
        send(recording, one.server.url()).await;
    }
    let ledger = load.finish().await;
    ledger.assert_none_refused();
    one.drained().await;

    // The backup has the position up to which it has the queue, and the queue has the rest.
    fs::create_dir(&data).unwrap();
    copy_folder(&one.folder().join("queue"), &data.join("queue"));
    let printed = opbeat(&["restore", file], &data, &[]);
    assert!(printed.starts_with("Restored "), "{printed}");
    let restored = one.start_copy(&data);
    restored.drained().await;
    walk.compare(one.api(), restored.api()).await;
}

/// A data folder that is imported into PostgreSQL, with an interruption, gives the answers of before.
pub(crate) async fn import() {
    let (mut one, postgres, folder) = (Embedded::start(), Postgres::start(), tempfile::tempdir().unwrap());
    let walk = Walk::new();
    let (stored, waiting) = walk.recordings.split_at(walk.recordings.len() * 3 / 4);
    for recording in stored {
        send(recording, one.server.url()).await;
    }
    one.drained().await;
    // The last bodies are in the queue only: the worker waits for a lock until it is killed.
    let lock = rusqlite::Connection::open(one.folder().join("opbeat.sqlite")).unwrap();
    lock.busy_timeout(PATIENCE).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    for recording in waiting {
        send(recording, one.server.url()).await;
    }
    let store = postgres.url();
    let options = ["--store", &*store];
    assert!(refused(&["import"], one.folder(), &options).contains("another opbeat server uses the data folder"));
    one.server.kill();
    drop(lock);
    copy_folder(one.folder(), &folder.path().join("copy"));

    let mut config = ServerConfig::new(folder.path().join("scaled"), "127.0.0.1:0".parse().unwrap());
    config.store = Some(store.clone());
    // The database may have been used, as long as it has no organization.
    Server::start(config.clone()).await.unwrap().shut_down().await;
    interrupt_import(&one, &store).await;
    assert!(refused(&["import"], one.folder(), &options).contains("finish it with --continue"));
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    assert!(refused(&serve, one.folder(), &[]).contains("was imported into PostgreSQL, or an import has begun"));
    let printed = opbeat(&["import", "--continue"], one.folder(), &options);
    assert!(printed.contains("Both databases have the same numbers of rows, and the same sums."), "{printed}");
    assert!(printed.contains(&format!(" and {} records that waited in the queue", waiting.len())), "{printed}");
    assert!(refused(&["import"], one.folder(), &options).contains("was imported already"));
    assert!(refused(&["import"], &folder.path().join("copy"), &options).contains("the database is not empty"));

    let copy = one.start_copy(&folder.path().join("copy"));
    copy.drained().await;
    let server = Server::start(config).await.unwrap();
    let api = one.api().at(&server.url());
    walk.compare(copy.api(), &api).await;

    // New rows get numbers after those of the imported ones.
    let path = format!("{APP}/errors/");
    let errors = api.list(&path, "errors").await.len();
    let body = zlib(&Ledger::body(0).json.to_string());
    let (name, endpoint, headers) = ("a new error".to_owned(), "errors".to_owned(), HeaderMap::new());
    send(&Recording { name, endpoint, headers, body }, &server.url()).await;
    let deadline = Instant::now() + PATIENCE;
    while api.list(&path, "errors").await.len() == errors {
        assert!(Instant::now() < deadline, "the new error was not stored");
        pause().await;
    }
    server.shut_down().await;
}

/// Begins an import, and kills it when some of the tables are copied.
async fn interrupt_import(one: &Embedded, store: &str) {
    let (client, connection) = tokio_postgres::connect(store, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    // Readers do not wait for this lock, and writers do.
    client.batch_execute("BEGIN; LOCK TABLE samples IN SHARE MODE").await.unwrap();
    let mut import = command(&["import"], one.folder(), &["--store", store]).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    let copied = "SELECT count(*) FROM rollups";
    while client.query_one(copied, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(import.try_wait().unwrap().is_none() && Instant::now() < deadline, "the import does not begin");
        pause().await;
    }
    import.kill().unwrap();
    import.wait().unwrap();
    client.batch_execute("ROLLBACK").await.unwrap();
}

async fn send(recording: &Recording, server: &str) {
    let request = Client::new().post(intake_url(server, &recording.endpoint)).headers(recording.headers.clone());
    let response = with_token(request).body(recording.body.clone()).send().await.unwrap();
    let status = response.status();
    assert_eq!(status, StatusCode::ACCEPTED, "{}: {}", recording.name, response.text().await.unwrap());
}

/// The bodies, and the range that all of their times are in.
struct Walk {
    recordings: Vec<Recording>,
    range: String,
}

impl Walk {
    fn new() -> Self {
        let now = Timestamp::now();
        let (from, to) = (now - SignedDuration::from_hours(3), now + SignedDuration::from_mins(2));
        let recordings = recordings(now - SignedDuration::from_mins(5));
        assert!(recordings.len() > 20, "{} bodies are recorded", recordings.len());
        Self { recordings, range: format!("from={from}&to={to}") }
    }

    /// Returns the paths that do not depend on other answers, with the templates of OpenAPI that they are from.
    fn lists(&self) -> Vec<(String, String)> {
        let range = &self.range;
        let list = |path: &str, query: &str| (format!("{TEMPLATE}{path}"), format!("{APP}{path}{query}"));
        let organization = "/api/v2/organizations/acme/apps/".to_owned();
        let mut lists = vec![("/api/v2/organizations/{organization}/apps/".to_owned(), organization)];
        lists.extend([
            list("/errors/", "?limit=200"),
            list("/errors/", "?order=times_seen"),
            list("/transactions/", &format!("?limit=200&{range}")),
            list("/series/", &format!("?{range}")),
            list("/breakdown/", &format!("?{range}")),
            list("/intake/", &format!("?{range}")),
            list("/queries/", &format!("?limit=200&{range}")),
            list("/calls/", &format!("?limit=200&{range}")),
            list("/jobs/", &format!("?{range}")),
            list("/crons/", ""),
            list("/channels/", ""),
            list("/releases/", ""),
            list("/findings/", ""),
            list("/deployments/", ""),
        ]);
        lists
    }

    /// Waits until both give the same lists, which is when a body is stored.
    async fn wait_for_lists(&self, one: &Api, other: &Api, name: &str) {
        for (_, path) in self.lists() {
            same(one, other, &path, name, PATIENCE).await;
        }
    }

    /// Asks both for all answers of the API, and fails at the first path whose answers differ.
    async fn compare(&self, one: &Api, other: &Api) {
        let mut asked = BTreeSet::new();
        let mut templates = BTreeSet::new();
        let mut waiting: VecDeque<(String, String)> = self.lists().into();
        while let Some((template, path)) = waiting.pop_front() {
            if !asked.insert(path.clone()) {
                continue;
            }
            let answer: Value =
                serde_json::from_str(&same(one, other, &path, "all bodies", MINUTE_PASSES).await).unwrap();
            waiting.extend(self.below(&template, &path, &answer));
            templates.insert(template);
        }
        let openapi = one.ask("/api/v2/openapi.json").await;
        let paths = openapi["paths"].as_object().unwrap().iter();
        for (template, _) in paths.filter(|(_, operations)| operations.get("get").is_some()) {
            assert!(templates.contains(template), "no answer of {template} was compared");
        }
    }

    /// Returns the paths of the resources that an answer mentions.
    fn below(&self, template: &str, path: &str, answer: &Value) -> Vec<(String, String)> {
        let range = &self.range;
        let folder = path.split_once('?').map_or(path, |(folder, _)| folder);
        let rows = |member: &str| answer[member].as_array().cloned().unwrap_or_default();
        // Each row is below its list.
        let rows_below = |rows: Vec<Value>, parameter: &str, key: &str, ends: &[&str]| {
            let mut paths = Vec::new();
            for row in rows {
                let key = row[key].as_str().map_or_else(|| row[key].to_string(), str::to_owned);
                for end in ends {
                    let (end, query) = end.split_once('?').unwrap_or((end, ""));
                    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
                    paths.push((format!("{template}{parameter}/{end}"), format!("{folder}{key}/{end}{query}")));
                }
            }
            paths
        };
        match template.strip_prefix(TEMPLATE).unwrap_or_default() {
            "/errors/" => rows_below(rows("errors"), "{number}", "number", &[""]),
            "/errors/{number}/" => {
                let occurrences = rows_below(rows("occurrences"), "{occurrence}", "id", &[""]);
                let below = |(of, path): (String, String)| {
                    let end = path.strip_prefix(folder).unwrap_or_default();
                    (of.replace("{number}/", "{number}/occurrences/"), format!("{folder}occurrences/{end}"))
                };
                occurrences.into_iter().map(below).collect()
            }
            "/errors/{number}/occurrences/{occurrence}/" => {
                let id = answer["occurrence"]["external_id"].as_str().filter(|id| !id.is_empty());
                let by_id =
                    |id: &str| (format!("{TEMPLATE}/errors/by-id/{{id}}/"), format!("{APP}/errors/by-id/{id}/"));
                id.map(by_id).into_iter().collect()
            }
            "/transactions/" => {
                let ends = ["?", "series/?", "breakdown/?", "samples/?", "samples/?order=newest&"];
                let ends = ends.map(|end| format!("{end}{range}"));
                let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
                rows_below(rows("transactions"), "{transaction}", "id", &ends)
            }
            "/queries/" => rows_below(rows("spans"), "{query}", "id", &[&format!("?{range}")]),
            "/calls/" => rows_below(rows("spans"), "{call}", "id", &[&format!("?{range}")]),
            "/transactions/{transaction}/samples/" => {
                rows_below(answer.as_array().cloned().unwrap_or_default(), "{sample}", "id", &[""])
            }
            "/releases/" => rows_below(rows("releases"), "{release}", "rev", &["", "errors/"]),
            "/deployments/" => rows_below(rows("deployments"), "{machine}", "machine", &[""]),
            _ => Vec::new(),
        }
    }
}

/// Returns the answer to a path, which both give within a time.
async fn same(one: &Api, other: &Api, path: &str, name: &str, within: Duration) -> String {
    let deadline = Instant::now() + within;
    loop {
        let (left, right) = tokio::join!(one.text(path), other.text(path));
        let (left, right) = (without_arrivals(left), without_arrivals(right));
        if left == right && left.0 == StatusCode::OK {
            return left.1;
        }
        assert!(Instant::now() < deadline, "{path}: after {name}, the answers differ:\n{left:?}\n{right:?}");
        pause().await;
    }
}

/// Removes the times at which bodies arrived: the second server received each body later than the first.
fn without_arrivals((status, mut text): (StatusCode, String)) -> (StatusCode, String) {
    for member in ARRIVALS {
        let start = format!(r#""{member}":""#);
        let mut parts = text.split(&start);
        let mut kept = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            kept += &start;
            kept += part.trim_start_matches(|c: char| c != '"');
        }
        text = kept;
    }
    (status, text)
}
