//! Readers that understand every dialect of the agents, and lose no body for one odd field.
//!
//! A body that is JSON-like is never refused for the type or value of a field. The reader converts the value, sets it to
//! the nearest valid one, cuts it or leaves it out, and adds a [`Note`]. Everything that it returns is within the
//! [`ReadLimits`], its numbers are finite, and its texts contain no NUL. Only a body without content, a truncated body,
//! and a body that is no JSON object are [`Unreadable`].
//!
//! Time is linear in the received bytes. The memory is a bounded multiple of them
//! ([`memory_factor`](ReadLimits::memory_factor)), however the body is built.
//!
//! # Examples
//!
//! ```
//! use opbeat_protocol::read::{Oddity, ReadLimits, Unreadable, read_error, read_transactions};
//!
//! let limits = ReadLimits::default();
//! let error = read_error(br#"{"message": "out of stock", "user": "bob", "extra": {"ratio": NaN}}"#, &limits)?;
//! assert_eq!(error.body.user.as_ref().and_then(|user| user["id"].as_str()), Some("bob"));
//! assert_eq!(error.notes.count(Oddity::NotANumber), 1);
//!
//! let body = br#"{"transactions": [{"transaction": "GET /", "durations": [1.5, -0.01, "2.5", null]}]}"#;
//! let transactions = read_transactions(body, &limits)?;
//! assert_eq!(transactions.body.transactions[0].durations, [1.5, 0.0, 2.5]);
//!
//! assert_eq!(read_error(br#"{"message": "out of st"#, &limits), Err(Unreadable::Truncated));
//! # Ok::<(), Unreadable>(())
//! ```

mod check_ins;
mod context;
mod deployments;
mod dropped;
mod errors;
mod form;
mod frames;
mod limits;
mod notes;
mod prose;
mod releases;
mod repair;
mod scalars;
mod take;
mod traces;
mod transactions;
mod unreadable;
mod untyped;

use serde::de::DeserializeSeed;

use self::context::{At, Context, Path};
use self::repair::repair;
use self::take::{Seed, Take};
use crate::deployments::DeploymentBody;
use crate::errors::ErrorBody;
use crate::releases::ReleaseBody;
use crate::transactions::TransactionsBody;

pub use self::limits::ReadLimits;
pub use self::notes::{Note, Notes, Oddity, Received};
pub use self::unreadable::Unreadable;

/// Reads the body of `errors/`.
///
/// # Errors
///
/// Returns an error if the body is not a JSON object, or has no message, exception, stack, template or query.
pub fn read_error(json: &[u8], limits: &ReadLimits) -> Result<Received<ErrorBody>, Unreadable> {
    let error = read_object(json, limits, errors::TakeError)?;
    let body = &error.body;
    let has_content = !body.message.is_empty()
        || body.exception.is_some()
        || body.param_message.is_some()
        || body.stacktrace.as_ref().is_some_and(|stack| !stack.frames.is_empty())
        || body.template.is_some()
        || body.query.is_some();
    if has_content { Ok(error) } else { Err(Unreadable::NoContent { needed: "`message` and `exception`" }) }
}

/// Reads the body of `transactions/`.
///
/// # Errors
///
/// Returns an error if the body is not a JSON object.
pub fn read_transactions(json: &[u8], limits: &ReadLimits) -> Result<Received<TransactionsBody>, Unreadable> {
    read_object(json, limits, transactions::TakeTransactions)
}

/// Reads the body of `releases/`: a JSON object, or a form such as `rev=a1b2c3&status=completed`.
///
/// The content type of real bodies is often wrong, so that the first byte decides.
///
/// # Errors
///
/// Returns an error if the body is neither a JSON object nor a form, or has no `rev`.
///
/// # Examples
///
/// ```
/// use opbeat_protocol::read::{ReadLimits, read_release};
///
/// let release = read_release(b"rev=a1b2c3&branch=fix%2Fcart&status=completed", &ReadLimits::default())?;
/// assert_eq!(release.body.branch.as_deref(), Some("fix/cart"));
/// # Ok::<(), opbeat_protocol::read::Unreadable>(())
/// ```
pub fn read_release(body: &[u8], limits: &ReadLimits) -> Result<Received<ReleaseBody>, Unreadable> {
    let release = if form::is_form(body) {
        releases::from_form(body, limits)
    } else {
        read_object(body, limits, releases::TakeRelease)?
    };
    match release.body.rev.is_empty() {
        false => Ok(release),
        true => Err(Unreadable::NoContent { needed: "`rev`" }),
    }
}

/// Reads the body of `deployments/`.
///
/// # Errors
///
/// Returns an error if the body is not a JSON object, or has no `releases`.
pub fn read_deployment(body: &[u8], limits: &ReadLimits) -> Result<Received<DeploymentBody>, Unreadable> {
    let deployment = read_object(body, limits, deployments::TakeDeployment)?;
    match deployment.body.releases.is_empty() {
        false => Ok(deployment),
        true => Err(Unreadable::NoContent { needed: "`releases`, with a module each" }),
    }
}

/// Reads a JSON object; repairs the body first if it is not strict JSON.
fn read_object<T: Take<Out: Default> + Copy>(
    body: &[u8],
    limits: &ReadLimits,
    take: T,
) -> Result<Received<T::Out>, Unreadable> {
    let mut notes = Notes::default();
    let json = without_mark(body);
    if json.len() < body.len() {
        notes.add(Oddity::ByteOrderMark, 1, "");
    }
    check_start(json)?;
    // One check of the whole body is faster than one for each text, which `serde_json::from_slice` does.
    if let Ok(text) = std::str::from_utf8(json) {
        let context = Context::new(limits, json.len(), notes.clone());
        if let Ok(body) = parse(text, &context, take) {
            return Ok(Received { body, notes: context.into_notes() });
        }
    }
    let repaired = repair(json, notes)?;
    check_start(repaired.json.as_bytes())?;
    let context = Context::new(limits, json.len(), repaired.notes);
    match parse(&repaired.json, &context, take) {
        Ok(body) => Ok(Received { body, notes: context.into_notes() }),
        Err(error) => {
            Err(Unreadable::NotJson { line: error.line(), column: error.column(), reason: error.to_string() })
        }
    }
}

fn parse<T: Take<Out: Default>>(json: &str, context: &Context<'_>, take: T) -> serde_json::Result<T::Out> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let seed = Seed { at: At { context, path: &Path::ROOT }, take, required: false };
    let body = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(body.unwrap_or_default())
}

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// Checks that the body can be an object.
fn check_start(json: &[u8]) -> Result<(), Unreadable> {
    let json = json.trim_ascii();
    let is_word = |word: &str| json == word.as_bytes();
    let found = match json.first() {
        None => return Err(Unreadable::Empty),
        Some(b'[') => "an array",
        Some(b'"') => "a text",
        Some(b'-' | b'0'..=b'9') => "a number",
        Some(_) if is_word("true") || is_word("false") => "a boolean",
        Some(_) if is_word("null") => "null",
        // Anything that is not JSON gets its error from the parser.
        Some(_) => return Ok(()),
    };
    Err(Unreadable::NotAnObject { found })
}
