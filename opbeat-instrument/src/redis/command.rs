//! Names of commands.

use std::borrow::Cow;

use redis::{Arg, Cmd};

/// The name of a command that has none, or a longer one than this, in bytes.
const UNNAMED: &str = "COMMAND";
const MAX_LEN: usize = 32;

/// Returns the name of a command: its first argument.
pub(super) fn name(command: &Cmd) -> Cow<'static, str> {
    match command.args_iter().next() {
        Some(Arg::Simple(name)) => shown(name),
        _ => UNNAMED.into(),
    }
}

/// Returns the name of an encoded command: `*2\r\n$3\r\nGET\r\n…`.
pub(super) fn name_of_encoded(command: &[u8]) -> Cow<'static, str> {
    shown(command.split(|byte| *byte == b'\n').nth(2).unwrap_or_default().trim_ascii_end())
}

/// Returns the name in upper case. Names of other characters than those of Redis are not shown: they may be values.
fn shown(name: &[u8]) -> Cow<'static, str> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    match std::str::from_utf8(name) {
        Ok(text) if (1..=MAX_LEN).contains(&name.len()) && name.iter().all(is_name) => text.to_ascii_uppercase().into(),
        _ => UNNAMED.into(),
    }
}
