//! Escapes in front of a name or a token, as in `\npin=1` and `%3Aghp_…`. Their letters do not belong to what follows.

/// Returns the length of the escape at the end of a text: `%3A`, `\n`, `\x27`, `\u0022`. It is 0 without an escape.
pub(super) fn at_end(text: &[u8]) -> usize {
    let ends_with = |mark: &[u8], digits: usize| {
        let Some(start) = text.len().checked_sub(mark.len() + digits) else { return false };
        text[start..].starts_with(mark) && text[start + mark.len()..].iter().all(u8::is_ascii_hexdigit)
    };
    if let [.., b'\\', b'n' | b'r' | b't'] = text {
        return "\\n".len();
    }
    let forms: [(&[u8], usize); 3] = [(b"%", 2), (b"\\x", 2), (b"\\u", 4)];
    let found = forms.iter().find(|(mark, digits)| ends_with(mark, *digits));
    found.map_or(0, |(mark, digits)| mark.len() + digits)
}
