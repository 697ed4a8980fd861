//! Limits on texts that agents send.

/// Returns the start of a text: at most `max` characters.
pub(crate) fn start_of(text: &str, max: usize) -> &str {
    text.char_indices().nth(max).map_or(text, |(end, _)| &text[..end])
}

/// Returns a text of at most `max` characters. The last one of a longer text is an ellipsis.
pub(crate) fn shortened(text: &str, max: usize) -> String {
    let start = start_of(text, max);
    if start.len() == text.len() { text.to_owned() } else { format!("{}…", start_of(start, max.saturating_sub(1))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_in_characters() {
        assert_eq!(start_of("Bücher", 2), "Bü");
        assert_eq!(start_of("Bücher", 6), "Bücher");
        assert_eq!(start_of("Bücher", 7), "Bücher");
        assert_eq!(start_of("", 0), "");
        assert_eq!((shortened("Bücher", 6), shortened("Bücher", 3)), ("Bücher".to_owned(), "Bü…".to_owned()));
    }
}
