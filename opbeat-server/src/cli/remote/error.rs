//! The command `opbeat error`.

use std::error::Error;

use clap::Args;
use serde_json::Value;

use super::client::Reader;
use super::lists::title;
use super::table::{ago, json, line, plain, text};
use crate::cli::names::{Names, parse_names};

/// The largest number of frames that are printed.
const MAX_FRAMES: usize = 30;

/// The largest number of lines of a message.
const MAX_LINES: usize = 20;

/// Shows an error: its status, and the stack of its newest occurrence.
#[derive(Debug, Args)]
pub(crate) struct ShowError {
    /// The names of the organization and the app, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    app: Names,
    /// The number of the error: `7` or `E#7`.
    #[arg(value_name = "NUMBER", value_parser = parse_number)]
    number: u64,
    #[command(flatten)]
    reader: Reader,
}

fn parse_number(text: &str) -> Result<u64, String> {
    let digits = text.trim_start_matches(['E', 'e']).trim_start_matches('#');
    digits.parse().map_err(|_| "an error has a number, such as `7` or `E#7`".to_owned())
}

impl ShowError {
    pub(in crate::cli) async fn run(self) -> Result<(), Box<dyn Error>> {
        let error = self.reader.get(&self.app.path(&format!("errors/{}/", self.number))).await?;
        if self.reader.json {
            return json(&error);
        }
        for (index, part) in title(&error).lines().take(MAX_LINES).enumerate() {
            let number = if index == 0 { format!("E#{} ", error["number"]) } else { String::new() };
            line(&format!("{number}{}", plain(part)))?;
        }
        let (first, last) = (ago(&error, "first_seen"), ago(&error, "last_seen"));
        let times = format!("{} times, first {first}, last {last}", error["times_seen"]);
        line(&format!("{}, {times}", plain(&text(&error, "status"))))?;
        line(&format!("in {}", plain(&text(&error, "culprit"))))?;
        let report = &error["occurrence"]["report"];
        let frames = report["stacktrace"]["frames"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !frames.is_empty() {
            line("")?;
        }
        for frame in frames.iter().rev().take(MAX_FRAMES) {
            line(&plain(&format!("  {}", described(frame))))?;
        }
        if frames.len() > MAX_FRAMES {
            line(&format!("  and {} frames below", frames.len() - MAX_FRAMES))?;
        }
        Ok(())
    }
}

/// Returns a frame in one line, such as `place_order  src/orders.rs:34`.
fn described(frame: &Value) -> String {
    let place = match frame["lineno"].as_u64() {
        Some(number) => format!("{}:{number}", text(frame, "filename")),
        None => text(frame, "filename"),
    };
    format!("{}  {place}", text(frame, "function"))
}
