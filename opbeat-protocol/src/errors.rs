//! The body of `errors/`: one error, or one message.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::{Machine, or_default};
use super::timestamp::Timestamp;

/// The body that agents post to `errors/`: one error per request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The message: the line that a reader sees first.
    #[serde(default, deserialize_with = "or_default")]
    pub message: String,
    /// The time of the error. Browsers send none; the server then uses the time of receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The severity: `debug`, `info`, `warning`, `error`, `fatal` or similar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The name of the logger that reported the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// The culprit: the function that the agent considers responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<String>,
    /// The machine that the error happened on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    /// The error's id, which the agent also returned to the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_supplied_id: Option<String>,
    /// The exception; absent if the body is a plain message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
    /// The message before its parameters were filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param_message: Option<ParamMessage>,
    /// The stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace>,
    /// The template that failed. Only Django sends it; the culprit is then the template's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// The database query that failed. Only the Python agent sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Query>,
    /// The request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Map<String, Value>>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Map<String, Value>>,
    /// Extra values that the application added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
    /// *Extension.* Tags, by which the error can be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Map<String, Value>>,
    /// *Extension.* The transaction that the error happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionReference>,
    /// The release that the application runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<String>,
    /// The environment, such as `production`. Only Ruby agent 2 sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// *Extension.* The number of similar errors that this body stands for, if there were too many to send each; 1 if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrences: Option<u64>,
}

/// An error value: thrown, returned, or the payload of a panic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exception {
    /// The type's name, without its module.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub type_name: String,
    /// The message of the error value.
    #[serde(default, deserialize_with = "or_default")]
    pub value: String,
    /// The module that defines the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// *Extension.* The causes, the direct cause first.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Self>,
}

/// A message before its parameters were filled in: an object from Python, a string from Node.js.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamMessage {
    /// The bare template.
    Template(String),
    /// The template and its parameters.
    Parts {
        /// The template.
        message: String,
        /// The parameters: any JSON.
        #[serde(default)]
        params: Value,
    },
    /// Any other JSON. No known agent sends this, but it is not a reason to reject the body.
    Other(Value),
}

impl ParamMessage {
    /// Returns the template, if there is one.
    #[must_use]
    pub fn template(&self) -> Option<&str> {
        match self {
            Self::Template(template) | Self::Parts { message: template, .. } => Some(template),
            Self::Other(_) => None,
        }
    }
}

/// A stack of calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stacktrace {
    /// The frames; nearly all agents send the oldest call first, the throwing frame last.
    #[serde(default, deserialize_with = "or_default")]
    pub frames: Vec<Frame>,
}

/// One call of a stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The shortened path of the source file.
    #[serde(default, deserialize_with = "or_default")]
    pub filename: String,
    /// The full path of the source file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abs_path: Option<String>,
    /// The line, from 1; 0 if unknown.
    #[serde(default, deserialize_with = "or_default")]
    pub lineno: u32,
    /// The column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colno: Option<u32>,
    /// The function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Whether the frame is the application's own code. The Python agent does not send this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_app: Option<bool>,
    /// Source lines before the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_context: Option<Vec<Option<String>>>,
    /// The source line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_line: Option<String>,
    /// Source lines after the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_context: Option<Vec<Option<String>>>,
    /// Local variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vars: Option<Value>,
}

/// A template that failed, and the lines around the failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// The template's name.
    #[serde(default, deserialize_with = "or_default")]
    pub filename: String,
    /// The full path of the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abs_path: Option<String>,
    /// The line, from 1; 0 if unknown.
    #[serde(default, deserialize_with = "or_default")]
    pub lineno: u32,
    /// Lines before the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_context: Option<Vec<Option<String>>>,
    /// The line. Django escapes its HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_line: Option<String>,
    /// Lines after the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_context: Option<Vec<Option<String>>>,
}

/// A database query that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The statement.
    #[serde(default, deserialize_with = "or_default")]
    pub query: String,
    /// The database, such as `postgresql`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
}

/// *Extension.* A reference to the transaction that an error happened in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionReference {
    /// The transaction's id, which its sample contains too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The transaction's name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// The transaction's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The transaction's result, if it was known when the error was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
}
