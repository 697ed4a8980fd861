//! The bodies that agents sent, as they were recorded, at times near now.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;

use crate::load::zlib;

/// Headers of the recorded connection rather than of the agent.
const OF_THE_CONNECTION: [&str; 5] = ["Host", "Authorization", "Content-Length", "Connection", "Content-Encoding"];

/// A recorded request.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) endpoint: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Returns all recorded bodies that need a token. The newest time in them becomes `now`.
pub(crate) fn recordings(now: Timestamp) -> Vec<Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/agents");
    let mut files: Vec<PathBuf> = entries(&folder).iter().flat_map(|agent| entries(agent)).collect();
    // Browsers send without a token, from origins that an app lists.
    files.retain(|file| {
        file.extension().is_some_and(|extension| extension == "json") && !file.starts_with(folder.join("browser"))
    });
    files.iter().map(|file| recording(file, now)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn recording(file: &Path, now: Timestamp) -> Recording {
    let headers = fs::read_to_string(file.with_extension("headers.txt")).unwrap();
    let lines = headers.lines().skip(1).take_while(|line| !line.is_empty());
    let pairs = lines.map(|line| line.split_once(": ").unwrap());
    let pairs = pairs.filter(|(name, _)| !OF_THE_CONNECTION.contains(name));
    let headers = pairs.map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect();

    let mut body: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let mut newest = None;
    each_time(&mut body, &mut |time| newest = newest.max(Some(*time)));
    if let Some(newest) = newest {
        // Whole minutes keep the seconds, and with them the minutes that the times are counted in.
        let minutes = now.duration_since(newest).as_mins();
        each_time(&mut body, &mut |time| *time += SignedDuration::from_mins(minutes));
    }
    let name = file.file_stem().unwrap().to_str().unwrap();
    let endpoint = name.split_once('-').unwrap().1.to_owned();
    let agent = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
    Recording { name: format!("{agent}/{name}"), endpoint, headers, body: zlib(&body.to_string()) }
}

/// Changes each string of a document that is a time.
fn each_time(value: &mut Value, change: &mut impl FnMut(&mut Timestamp)) {
    match value {
        Value::String(text) => {
            let bytes = text.as_bytes();
            let is_dated = bytes.len() > 19 && bytes[4] == b'-' && bytes[10] == b'T';
            if let Some(mut time) = is_dated.then(|| text.parse().ok()).flatten() {
                change(&mut time);
                *text = time.to_string();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| each_time(value, change)),
        Value::Object(members) => members.values_mut().for_each(|value| each_time(value, change)),
        _ => {}
    }
}
