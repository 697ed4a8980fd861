//! A large database: thousands of apps with 30 days of figures, as compaction would have left them.
//!
//! The server creates the file, and stores the errors, samples, releases and check-ins of one app. The rows of durations are
//! written into its tables, because they would take days to arrive. They follow from a seed.
//!
//! | app | names | when each name runs |
//! |---|---|---|
//! | `acme/shop` | `--names` | in each minute |
//! | `acme/wide` | `--wide` | in one minute of each day |
//! | the others | `--names` | in one minute of each `--pause` hours |

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, Transaction, params};
use serde_json::{Value, json};

use crate::http::Client;
use crate::load::{Kind, deflate};
use crate::scale::{REPORTING, Scale};
use crate::server::{App, Server, create_app};
use crate::{Options, Result, occurrences};

const DAY: i64 = 86_400;

/// The time for which rows by minute are kept, in seconds.
const MINUTES_KEPT: i64 = 14 * DAY;

/// The lengths of time of rows, in seconds.
const RESOLUTIONS: [i64; 4] = [60, 600, 3_600, DAY];

/// The kind under which the server stores the sums of an app.
const TOTAL_KIND: &str = "\u{1}total";

/// The number of error groups of each app that no body is posted to.
const GROUPS: u64 = 20;

/// Creates the database in a folder, and prints its size.
pub(crate) fn fill(options: &Options, scale: &Scale, folder: &Path) -> Result<()> {
    let started = Instant::now();
    fs::create_dir_all(folder)?;
    let apps = create_apps(options, folder)?;
    post_details(options, folder, &apps, scale.occurrences)?;
    let mut connection = Connection::open(folder.join("opbeat.sqlite"))?;
    connection.execute_batch(
        "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;",
    )?;
    let now = jiff::Timestamp::now().as_second();
    let ids = insert_apps(&mut connection, scale, now)?;
    println!("| apps | names | active name-minutes | rows of durations | MB | bytes per name-minute |");
    println!("|---|---|---|---|---|---|");
    let activity = |period: i64, names_together: u64| Activity { seed: scale.seed, now, period, names_together };
    phase(&mut connection, "shop", &ids[..1], scale.names, &activity(60, 1))?;
    phase(&mut connection, "wide", &ids[1..2], scale.wide, &activity(DAY, 10))?;
    phase(&mut connection, "the others", &ids[2..], scale.names, &activity(scale.pause * 3_600, 20))?;
    errors(&mut connection, scale, &ids[REPORTING..], now)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA optimize;")?;
    drop(connection);
    let megabytes = fs::metadata(folder.join("opbeat.sqlite"))?.len() as f64 / 1e6;
    println!("\n{megabytes:.0} MB in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Creates the apps that bodies are posted to: `shop`, `wide` and others.
pub(crate) fn create_apps(options: &Options, folder: &Path) -> Result<Vec<App>> {
    let names = (0..REPORTING).map(name_of);
    names.map(|name| create_app(options, folder, &format!("acme/{name}"))).collect()
}

/// Returns the short name of the app with a number.
fn name_of(number: usize) -> String {
    match number {
        0 => "shop".to_owned(),
        1 => "wide".to_owned(),
        number => format!("app-{number:04}"),
    }
}

/// Posts errors of 500 groups, samples, releases, machines and jobs of the first app, and occurrences of errors of all.
fn post_details(options: &Options, folder: &Path, apps: &[App], occurrences_of_all: usize) -> Result<()> {
    let app = &apps[0];
    let template: Value =
        serde_json::from_str(include_str!("../../../opbeat-server/tests/fixtures/agents/python-flask/01-errors.json"))?;
    let server = Server::start(options, folder)?;
    let mut client = Client::connect(&server.address)?;
    let mut post = |kind: &str, content_type: &str, body: &[u8]| -> Result<()> {
        let path = if kind.starts_with('/') { kind.to_owned() } else { format!("{}{kind}/", app.path) };
        client.post(&path, &app.token, content_type, body)
    };
    for number in 0..2_000 {
        post("errors", Kind::Errors.content_type(), &Kind::Errors.body(&template, number, 500))?;
    }
    let error = json!({"message": "no books", "client_supplied_id": "e1"});
    post("errors", Kind::Errors.content_type(), &deflate(&error))?;
    for number in 0..20 {
        post("/v1/traces", Kind::Spans.content_type(), &Kind::Spans.body(&template, number, 1))?;
    }
    for number in 0..200 {
        let release = json!({"rev": format!("{number:040x}"), "branch": "main", "status": "completed"});
        post("releases", "application/octet-stream", &deflate(&release))?;
    }
    for machine in 0..50 {
        let modules: Vec<Value> = (0..300)
            .map(|module| json!({"module": {"name": format!("package-{module}"), "type": "deb"}, "version": "1.0"}))
            .collect();
        let body = json!({"machines": [{"hostname": format!("web-{machine}")}], "releases": modules});
        post("deployments", "application/octet-stream", &deflate(&body))?;
    }
    let now = jiff::Timestamp::now().as_second();
    let check_in = |job: i64, run: i64| {
        json!({"monitor": format!("job-{job}"), "schedule": "every 3600s", "timezone": "UTC",
               "started": now - run * 3_600 - job, "duration_ms": 1_500.0, "result": "ok"})
    };
    for job in 0..50 {
        let check_ins: Vec<Value> = (0..48).map(|run| check_in(job, run)).collect();
        let body = json!({"transactions": [], "check_ins": check_ins});
        post("transactions", "application/octet-stream", &deflate(&body))?;
    }
    occurrences::post(&server, apps, occurrences_of_all)?;
    server.drained()
}

/// Inserts the other apps, and returns the ids of all.
fn insert_apps(connection: &mut Connection, scale: &Scale, now: i64) -> Result<Vec<String>> {
    let organization: String = connection.query_row("SELECT id FROM organizations", [], |row| row.get(0))?;
    let transaction = connection.transaction()?;
    for number in REPORTING..scale.apps {
        let id = format!("{:010x}", hash(&[scale.seed, 1, number as u64]) >> 24);
        transaction.execute(
            "INSERT INTO apps (id, organization_id, short_name, created_at) VALUES (?, ?, ?, ?)",
            params![id, organization, name_of(number), now * 1_000_000],
        )?;
    }
    transaction.commit()?;
    let ids: BTreeMap<String, String> = connection
        .prepare("SELECT short_name, id FROM apps")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<std::result::Result<_, _>>()?;
    (0..scale.apps).map(|number| Ok(ids.get(&name_of(number)).ok_or("an app is missing")?.clone())).collect()
}

/// When the names of apps run.
struct Activity {
    seed: u64,
    /// The end of the last minute, in seconds since 1970.
    now: i64,
    /// The seconds from one minute in which a name runs to the next.
    period: i64,
    /// The number of names that run in the same minute.
    names_together: u64,
}

/// Inserts the figures of apps, and prints how much space they take.
fn phase(connection: &mut Connection, label: &str, apps: &[String], names: usize, activity: &Activity) -> Result<()> {
    let size: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let before = pages(connection)?;
    let (mut minutes, mut rows) = (0_u64, 0_u64);
    let apps: Vec<(usize, &String)> = apps.iter().enumerate().collect();
    for chunk in apps.chunks(20) {
        let transaction = connection.transaction()?;
        for (number, id) in chunk {
            let added = insert_app(&transaction, (*number as u64, id.as_str()), names as u64, activity)?;
            minutes += added.0;
            rows += added.1;
        }
        transaction.commit()?;
    }
    let bytes = (pages(connection)? - before) * size;
    println!(
        "| {label}: {} | {} | {minutes} | {rows} | {:.0} | {:.0} |",
        apps.len(),
        apps.len() * names,
        bytes as f64 / 1e6,
        bytes as f64 / minutes.max(1) as f64
    );
    Ok(())
}

fn pages(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("PRAGMA page_count", [], |row| row.get(0))?)
}

/// Inserts the figures of an app. Returns the number of minutes in which its names ran, and of rows.
fn insert_app(
    transaction: &Transaction<'_>,
    (number, app): (u64, &str),
    names: u64,
    activity: &Activity,
) -> Result<(u64, u64)> {
    let now = activity.now;
    let key = hash(&[activity.seed, names, number]);
    let mut until = [i64::MAX; RESOLUTIONS.len()];
    let mut limit = now - 300;
    for (until, length) in until.iter_mut().zip(RESOLUTIONS).skip(1) {
        limit -= limit.rem_euclid(length);
        *until = limit;
        transaction.execute(
            "INSERT INTO compactions (app_id, resolution, since, until) VALUES (?, ?, 0, ?)
             ON CONFLICT (app_id, resolution) DO UPDATE SET since = 0, until = excluded.until",
            params![app, length, limit],
        )?;
    }
    transaction.execute(
        "INSERT INTO compactions (app_id, resolution, since, until) VALUES (?, 0, 0, 0)
         ON CONFLICT (app_id, resolution) DO UPDATE SET since = 0",
        [app],
    )?;
    let first = (now - 30 * DAY).div_euclid(DAY) * DAY;
    let mut totals: Rows = BTreeMap::new();
    let (mut minutes, mut rows) = (0, 0);
    for name in 0..names {
        let offset = (hash(&[key, name / activity.names_together]) % activity.period as u64) as i64;
        let mut own: Rows = BTreeMap::new();
        let (mut minute, mut last) = (first + offset - offset.rem_euclid(60), first);
        while minute < now - 60 {
            let durations = Durations::generate(key, name, minute);
            for (length, until) in RESOLUTIONS.into_iter().zip(until) {
                let is_kept = length > 60 || minute >= now - MINUTES_KEPT;
                if is_kept && minute < until {
                    let start = minute - minute.rem_euclid(length);
                    own.entry((length, start)).or_default().add(&durations);
                    totals.entry((length, start)).or_default().add(&durations);
                }
            }
            minutes += 1;
            last = minute;
            minute += activity.period;
        }
        let id = transaction_id(transaction, app, "web.axum", &format!("GET /shop/{name}"), (first, last))?;
        rows += insert_rows(transaction, id, &own, activity.period == 60)?;
    }
    let id = transaction_id(transaction, app, TOTAL_KIND, "", (first, now))?;
    rows += insert_rows(transaction, id, &totals, activity.period == 60)?;
    Ok((minutes, rows))
}

fn transaction_id(
    transaction: &Transaction<'_>,
    app: &str,
    kind: &str,
    name: &str,
    (first, last): (i64, i64),
) -> Result<i64> {
    let id = (hash(&[text_hash(app), text_hash(kind), text_hash(name)]) >> 12) as i64;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO transactions (id, app_id, kind, name, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (app_id, kind, name) DO UPDATE SET first_seen = excluded.first_seen RETURNING id",
    )?;
    Ok(statement.query_row(params![id, app, kind, name, first * 1_000_000, last * 1_000_000], |row| row.get(0))?)
}

/// Figures by resolution and start.
type Rows = BTreeMap<(i64, i64), Durations>;

fn insert_rows(transaction: &Transaction<'_>, id: i64, rows: &Rows, has_breakdown: bool) -> Result<u64> {
    let mut rollups = transaction.prepare_cached(
        "INSERT INTO rollups (transaction_id, resolution, start, result, count, failed, sum_ms, min_ms, max_ms, sketch)
         VALUES (?, ?, ?, '200', ?, 0, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )?;
    let mut breakdowns = transaction.prepare_cached(
        "INSERT INTO breakdowns (transaction_id, resolution, start, kind, count, self_ms, samples)
         VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING",
    )?;
    for ((resolution, start), row) in rows {
        rollups.execute(params![id, resolution, start, row.count, row.sum, row.min, row.max, row.sketch()])?;
        if has_breakdown {
            breakdowns.execute(params![id, resolution, start, "app", row.count, row.sum])?;
        }
    }
    Ok(rows.len() as u64)
}

/// The durations of one row.
#[derive(Default)]
struct Durations {
    count: i64,
    sum: f64,
    min: f64,
    max: f64,
    /// Counts by bucket of the server's sketch.
    buckets: BTreeMap<i32, u64>,
}

/// The logarithm of the ratio of consecutive bounds of buckets: (1 + 0.01) / (1 - 0.01).
const LN_GAMMA: f64 = 0.020_000_666_706_669_4;

/// The first bucket, which the encoding counts from: that of a nanosecond.
const FIRST: i32 = -690;

impl Durations {
    /// Returns those of a name in a minute: one to five, around the name's own duration.
    fn generate(app: u64, name: u64, minute: i64) -> Self {
        let mut durations = Self { min: f64::MAX, ..Self::default() };
        let number = hash(&[app, name, minute as u64]);
        for index in 0..=number % 5 {
            let noise = hash(&[number, index]) % 1_000;
            let duration = (5.0 + (hash(&[app, name]) % 200) as f64) * (1.0 + noise as f64 / 1_000.0);
            durations.count += 1;
            durations.sum += duration;
            durations.min = durations.min.min(duration);
            durations.max = durations.max.max(duration);
            *durations.buckets.entry((duration.ln() / LN_GAMMA).ceil() as i32).or_default() += 1;
        }
        durations
    }

    fn add(&mut self, other: &Self) {
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum += other.sum;
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
    }

    /// Returns the distribution as the server encodes it: distances of buckets and counts, as LEB128.
    fn sketch(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.buckets.len() * 2 + 4);
        let mut last = FIRST;
        for (bucket, count) in &self.buckets {
            for mut value in [u64::from(bucket.abs_diff(last)), *count] {
                while value >= 0x80 {
                    bytes.push(value as u8 | 0x80);
                    value >>= 7;
                }
                bytes.push(value as u8);
            }
            last = *bucket;
        }
        bytes
    }
}

/// Inserts error groups with their counts by day.
fn errors(connection: &mut Connection, scale: &Scale, apps: &[String], now: i64) -> Result<()> {
    for chunk in apps.chunks(200) {
        let transaction = connection.transaction()?;
        for app in chunk {
            for number in 1..=GROUPS {
                let key = hash(&[scale.seed, text_hash(app), number]);
                let id = (key >> 12) as i64;
                let last = now - (key % 20) as i64 * DAY;
                let (name, culprit) = (format!("Error{number}"), format!("shop::part_{number}::run"));
                transaction.prepare_cached(
                    "INSERT INTO error_groups (id, app_id, number, fingerprint, type_name, message, culprit, level, status,
                         first_seen, last_seen, times_seen)
                     VALUES (?, ?, ?, ?, ?, 'the cart is gone', ?, 'error', 'open', ?, ?, 30)",
                )?
                .execute(params![
                    id, app, number as i64, key.to_be_bytes(), name, culprit, (now - 30 * DAY) * 1_000_000, last * 1_000_000
                ])?;
                for day in 0..30 {
                    let start = (now - day * DAY).div_euclid(DAY) * DAY;
                    transaction
                        .prepare_cached(
                            "INSERT INTO error_rollups (group_id, resolution, start, count) VALUES (?, ?, ?, 1)",
                        )?
                        .execute(params![id, DAY, start])?;
                }
            }
            transaction
                .execute("UPDATE apps SET next_error_number = ? WHERE id = ?", params![GROUPS as i64 + 1, app])?;
        }
        transaction.commit()?;
    }
    Ok(())
}

fn text_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Returns a number that follows from others: SplitMix64 over them.
fn hash(values: &[u64]) -> u64 {
    values.iter().fold(0x9e37_79b9_7f4a_7c15, |state, value| {
        let mut mixed = (state ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}
