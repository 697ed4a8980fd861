//! The time and the size of each page, and of each answer of the API.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::Client;
use crate::server::Server;
use crate::{Options, Result};

/// The longest time that 95 % of the requests may take, in milliseconds.
const MAX_P95: f64 = 50.0;

/// The largest page, in bytes.
const MAX_BYTES: usize = 100_000;

const RANGES: [&str; 4] = ["1h", "24h", "7d", "30d"];

/// Requests each path from one connection, and from four at once, and prints the times.
pub(crate) fn measure(options: &Options, data: &Path, requests: usize) -> Result<()> {
    let token = output(options, &["token", "create", "acme"], data)?;
    let server = Server::start(options, data)?;
    let link = output(options, &["link"], data)?;
    let link = link.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).ok_or("no link")?;
    let mut client = Client::connect(&server.address)?;
    let answer = client.get(link, "")?;
    let cookie = answer.headers.iter().find(|(name, _)| name == "set-cookie").ok_or("no session")?;
    let cookie = cookie.1.split(';').next().unwrap_or_default();
    let headers = format!("Authorization: Bearer {token}\r\nCookie: {cookie}\r\n");
    let paths = paths(&mut client, &headers)?;
    println!("| path | KB | p50 | p95 | max | 4 at once: p50 | p95 | max | |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut over = 0;
    for path in paths {
        let (bytes, one) = times(&server.address, &path, &headers, requests, 1)?;
        let (_, four) = times(&server.address, &path, &headers, requests, 4)?;
        let is_page = !path.starts_with("/api/");
        let is_over = one[1] > MAX_P95 || (is_page && bytes > MAX_BYTES);
        over += usize::from(is_over);
        let texts: Vec<String> = one.iter().chain(&four).map(|time| format!("{time:.1}")).collect();
        let mark = if is_over { "over" } else { "" };
        println!("| `{path}` | {:.0} | {} | {mark} |", bytes as f64 / 1e3, texts.join(" | "));
    }
    println!("\n{over} over {MAX_P95} ms at one request at a time, or over {} KB", MAX_BYTES / 1_000);
    Ok(())
}

/// Returns all paths with the ids of things that exist.
fn paths(client: &mut Client, headers: &str) -> Result<Vec<String>> {
    let api = "/api/v2/organizations/acme/apps/";
    let mut ask = |path: &str| -> Result<Value> {
        let answer = client.get(&format!("{api}{path}"), headers)?;
        if answer.status != 200 {
            return Err(format!("{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)).into());
        }
        Ok(serde_json::from_slice(&answer.body)?)
    };
    let mut paths: Vec<String> = ["/", "/?page=20", "/?search=app-19"].map(str::to_owned).into();
    paths.extend([api.to_owned(), format!("{api}?limit=100&offset=1000"), "/api/v2/openapi.json".to_owned()]);
    for app in ["shop", "wide", "app-0100"] {
        for range in RANGES {
            paths.push(format!("/acme/{app}/?range={range}"));
            for list in ["transactions", "series", "breakdown"] {
                paths.push(format!("{api}{app}/{list}/?range={range}"));
            }
        }
        for list in ["errors", "intake", "jobs", "queries", "calls", "releases"] {
            paths.push(format!("/acme/{app}/{list}/"));
            paths.push(format!("{api}{app}/{list}/"));
        }
        paths.extend([format!("/acme/{app}/notifications/"), format!("/acme/{app}/setup/")]);
        paths.extend([format!("{api}{app}/crons/"), format!("{api}{app}/findings/")]);
    }
    paths.push("/acme/wide/?range=7d&page=100&search=shop".to_owned());
    let busiest = ask("shop/transactions/?range=24h&limit=200")?;
    let all = busiest["transactions"].as_array().ok_or("no transactions")?;
    let id = &all.first().ok_or("no transaction")?["id"];
    for range in RANGES {
        paths.push(format!("/acme/shop/transactions/{id}?range={range}"));
        paths.push(format!("{api}shop/transactions/{id}/?range={range}"));
        for list in ["series", "breakdown", "samples"] {
            paths.push(format!("{api}shop/transactions/{id}/{list}/?range={range}"));
        }
    }
    let mut sampled = None;
    // Sampled ones are not among the busiest.
    let others = ask("shop/transactions/?range=24h&limit=200&offset=200")?;
    for transaction in all.iter().chain(others["transactions"].as_array().into_iter().flatten()) {
        let samples = ask(&format!("shop/transactions/{}/samples/?range=24h", transaction["id"]))?;
        if let Some(sample) = samples.as_array().or(samples["samples"].as_array()).and_then(|list| list.first()) {
            sampled = Some((transaction["id"].clone(), sample["id"].clone()));
            break;
        }
    }
    let (id, sample) = sampled.ok_or("no sample")?;
    paths.push(format!("/acme/shop/transactions/{id}?range=24h"));
    paths.push(format!("{api}shop/transactions/{id}/samples/?range=24h"));
    paths.push(format!("/acme/shop/transactions/{id}/samples/{sample}"));
    paths.push(format!("{api}shop/transactions/{id}/samples/{sample}/"));
    paths.extend(["/acme/shop/errors/1/".to_owned(), format!("{api}shop/errors/1/")]);
    let occurrence = ask("shop/errors/1/")?["occurrence"]["id"].clone();
    paths.push(format!("{api}shop/errors/1/occurrences/{occurrence}/"));
    paths.push(format!("{api}shop/errors/by-id/e1/"));
    paths.extend(["/acme/shop/errors/?page=5", "/acme/shop/errors/?order=times_seen"].map(str::to_owned));
    for list in ["releases/1/", "deployments/", "deployments/web-1/"] {
        paths.push(format!("{api}shop/{list}"));
    }
    Ok(paths)
}

/// Requests a path several times. Returns the size of the answer and the median, the 95th percentile and the maximum of the
/// times, in milliseconds.
fn times(address: &str, path: &str, headers: &str, requests: usize, connections: usize) -> Result<(usize, [f64; 3])> {
    let request = |number: usize| -> Result<(usize, Vec<Duration>)> {
        let mut client = Client::connect(address)?;
        let (mut bytes, mut times) = (0, Vec::with_capacity(number));
        for _ in 0..number {
            let sent = Instant::now();
            let answer = client.get(path, headers)?;
            times.push(sent.elapsed());
            if answer.status != 200 {
                return Err(format!("{path}: {}", answer.status).into());
            }
            bytes = answer.body.len();
        }
        Ok((bytes, times))
    };
    let (mut bytes, mut all) = (0, Vec::new());
    thread::scope(|scope| -> Result<()> {
        let clients: Vec<_> = (0..connections).map(|_| scope.spawn(|| request(requests / connections))).collect();
        for client in clients {
            let (size, times) = client.join().map_err(|_| "a client panicked")??;
            bytes = size;
            all.extend(times);
        }
        Ok(())
    })?;
    all.sort_unstable();
    let at = |share: f64| {
        let rank = ((share * all.len() as f64).ceil() as usize).clamp(1, all.len());
        all[rank - 1].as_secs_f64() * 1e3
    };
    Ok((bytes, [at(0.5), at(0.95), at(1.0)]))
}

fn output(options: &Options, arguments: &[&str], data: &Path) -> Result<String> {
    let output = Command::new(&options.opbeat).args(arguments).arg("--data").arg(data).output()?;
    let text = String::from_utf8(output.stdout)?.trim().to_owned();
    if text.is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(text)
}
