//! Errors in replies, as short codes.

use redis::{ErrorKind, RedisError, RedisResult, Value};

/// Errors that a server invents have any code. Longer ones than this, in bytes, are not shown.
const MAX_LEN: usize = 32;

/// Returns the code of the error in the result of a command.
pub(super) fn error(result: &RedisResult<Value>) -> Option<String> {
    match result {
        Ok(reply) => error_value(reply),
        Err(error) => Some(code(error)),
    }
}

/// Returns the code of the first error in the result of a pipeline.
pub(super) fn first_error(result: &RedisResult<Vec<Value>>) -> Option<String> {
    match result {
        Ok(replies) => replies.iter().find_map(error_value),
        Err(error) => Some(code(error)),
    }
}

fn error_value(reply: &Value) -> Option<String> {
    match reply {
        Value::ServerError(error) => Some(shown(error.code())),
        _ => None,
    }
}

/// Returns the code of an error without its message, which may contain keys.
fn code(error: &RedisError) -> String {
    match (error.kind(), error.code()) {
        (ErrorKind::Io, _) if error.is_timeout() => "timeout".into(),
        (_, Some(code)) => shown(code),
        _ => error.category().to_owned(),
    }
}

fn shown(code: &str) -> String {
    if code.len() <= MAX_LEN && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
        code.to_owned()
    } else {
        "extension error".to_owned()
    }
}
