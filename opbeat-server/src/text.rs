//! Limits on texts that agents send.

/// Returns the start of a text: at most `max` characters.
pub(crate) fn start_of(text: &str, max: usize) -> &str {
    text.char_indices().nth(max).map_or(text, |(end, _)| &text[..end])
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
    }
}
