//! The body of `errors/`: one error, or one message.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient::or_default;
use super::{Machine, Timestamp};

/// The body that agents post to `errors/`: one error a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The line that a person reads first.
    #[serde(default, deserialize_with = "or_default")]
    pub message: String,
    /// When it happened; browsers send none, the time of receipt has to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The severity: `debug`, `info`, `warning`, `error`, `fatal` and relatives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The logger that it came through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// The function that the agent holds responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<String>,
    /// The machine that it happened on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    /// The id that the application was given for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_supplied_id: Option<String>,
    /// The exception; absent from plain messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
    /// The message before its parameters were filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param_message: Option<ParamMessage>,
    /// The stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace>,
    /// The request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Map<String, Value>>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Map<String, Value>>,
    /// Whatever the application added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
    /// *Extension.* Words to find the error by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Map<String, Value>>,
    /// *Extension.* The transaction that the error happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionReference>,
    /// The release that the application runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<String>,
    /// *Extension.* How many errors it stands for, where there were too many alike to send each; 1 where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrences: Option<u64>,
}

/// What was thrown, returned or panicked with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exception {
    /// The type's name, without its module.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub type_name: String,
    /// What it says.
    #[serde(default, deserialize_with = "or_default")]
    pub value: String,
    /// The module that defines the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// *Extension.* What caused it, the nearest cause first.
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
    /// Something else, which no agent is known to send and which is not worth a refusal.
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
    /// The source file, shortened.
    #[serde(default, deserialize_with = "or_default")]
    pub filename: String,
    /// The source file's whole path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abs_path: Option<String>,
    /// The line, from 1; 0 where it is not known.
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
    /// Whether it is the application's own code; the Python agent does not say.
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

/// *Extension.* Names the transaction that an error happened in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionReference {
    /// The transaction's id, which its sample carries too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The transaction's name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// The transaction's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The transaction's result, if it had one by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
}
