//! Form bodies, as `curl -d rev=… -d status=completed` sends them.

use std::borrow::Cow;

/// Returns whether a body is a form and not JSON: it starts like a name, and a `=` follows.
pub(super) fn is_form(body: &[u8]) -> bool {
    let body = body.trim_ascii_start();
    let name = body.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'%' | b'.'));
    let length = name.count();
    length > 0 && body.get(length) == Some(&b'=')
}

/// Returns the names and values of a form. Bytes that are not UTF-8 are replaced.
pub(super) fn pairs(body: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Decoded)> {
    // Some scripts separate by line breaks.
    let fields = body.split(|byte| matches!(byte, b'&' | b'\n' | b'\r')).filter(|field| !field.is_empty());
    fields.map(|field| {
        let split = field.iter().position(|byte| *byte == b'=').unwrap_or(field.len());
        let value = field.get(split + 1..).unwrap_or_default();
        (String::from_utf8_lossy(field[..split].trim_ascii()), decode(value.trim_ascii()))
    })
}

/// A decoded value.
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) is_utf8: bool,
}

/// Decodes `%20` and `+`. An invalid escape stays as it is.
fn decode(value: &[u8]) -> Decoded {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, tail @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high * 16 + low);
                    rest = tail;
                }
                _ => bytes.push(b'%'),
            },
            _ => bytes.push(*byte),
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Decoded { text, is_utf8: true },
        Err(error) => Decoded { text: String::from_utf8_lossy(error.as_bytes()).into_owned(), is_utf8: false },
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
