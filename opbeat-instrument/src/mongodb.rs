//! Spans of MongoDB's commands.
//!
//! Give the event handler to the client's options:
//!
//! ```
//! # fn main() -> Result<(), mongodb::error::Error> {
//! use mongodb::options::ClientOptions;
//!
//! let options = ClientOptions::builder()
//!     .command_event_handler(opbeat_instrument::mongodb::command_events())
//!     .build();
//! # Ok(())
//! # }
//! ```
//!
//! A span contains the names of the command, the collection and the database; documents are never part of it. The
//! driver copies each command and each reply for its event handlers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mongodb::bson::{Bson, Document};
use mongodb::error::{Error, ErrorKind};
use mongodb::event::EventHandler;
use mongodb::event::command::{CommandEvent, CommandStartedEvent};
use opbeat_core::instrument::Position;

use crate::open_spans::OpenSpans;

/// The largest number of commands of a client that run at the same time and are recorded.
const MAX_OPEN: usize = 1024;

/// Makes an event handler that records the commands of a client.
///
/// Repeated attempts of a command are separate spans. The handler keeps nothing outside of transactions.
#[must_use]
pub fn command_events() -> EventHandler<CommandEvent> {
    let commands = Mutex::new(OpenSpans::new(MAX_OPEN));
    EventHandler::callback(move |event| handle(&commands, &event))
}

type Commands = Mutex<OpenSpans<i32>>;

fn handle(commands: &Commands, event: &CommandEvent) {
    match event {
        CommandEvent::Started(started) => start(commands, started),
        CommandEvent::Succeeded(succeeded) => end(commands, succeeded.request_id, || error_in(&succeeded.reply)),
        CommandEvent::Failed(failed) => end(commands, failed.request_id, || Some(name_of(&failed.failure))),
        _ => {}
    }
}

fn start(commands: &Commands, started: &CommandStartedEvent) {
    let Some(position) = Position::current() else { return };
    let signature = match collection(&started.command_name, &started.command) {
        Some(collection) => format!("{} {collection}", started.command_name),
        None => started.command_name.clone(),
    };
    let span = position.start(signature, "db.mongodb.query").leaf();
    span.set_extra("db", started.db.clone());
    lock(commands).insert(started.request_id, position, span);
}

fn end(commands: &Commands, request: i32, error: impl FnOnce() -> Option<String>) {
    let span = lock(commands).take(&request);
    if let Some(span) = span
        && let Some(error) = error()
    {
        span.set_extra("error", error);
    }
}

fn lock(commands: &Commands) -> MutexGuard<'_, OpenSpans<i32>> {
    commands.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the collection of a command: the value of its first field, which is named after the command.
fn collection<'a>(name: &str, command: &'a Document) -> Option<&'a str> {
    let value = match name {
        // Its first field is the id of a cursor.
        "getMore" => command.get("collection"),
        _ => command.get(name),
    };
    value.and_then(Bson::as_str)
}

/// Returns the first error of single documents in the reply to a write. The command itself succeeds in this case.
fn error_in(reply: &Document) -> Option<String> {
    let first = reply.get_array("writeErrors").ok()?.first()?;
    let code = first.as_document().and_then(|error| error.get_i32("code").ok());
    Some(code.map_or_else(|| "WriteError".into(), |code| format!("WriteError {code}")))
}

/// Returns the name of an error without its message, which may contain values.
fn name_of(error: &Error) -> String {
    match error.kind.as_ref() {
        ErrorKind::Command(error) if error.code_name.is_empty() => format!("Command {}", error.code),
        ErrorKind::Command(error) => error.code_name.clone(),
        ErrorKind::Authentication { .. } => "Authentication".into(),
        ErrorKind::ConnectionPoolCleared { .. } => "ConnectionPoolCleared".into(),
        ErrorKind::InvalidResponse { .. } => "InvalidResponse".into(),
        ErrorKind::Io(error) => error.kind().to_string(),
        ErrorKind::Write(_) | ErrorKind::BulkWrite(_) | ErrorKind::InsertMany(_) => "WriteError".into(),
        _ => "Other".into(),
    }
}
