//! Limits on texts that agents send, and texts that may be shown.

/// Returns the start of a text: at most `max` characters.
pub(crate) fn start_of(text: &str, max: usize) -> &str {
    text.char_indices().nth(max).map_or(text, |(end, _)| &text[..end])
}

/// Returns a text of at most `max` characters. The last one of a longer text is an ellipsis.
pub(crate) fn shortened(text: &str, max: usize) -> String {
    let start = start_of(text, max);
    if start.len() == text.len() { text.to_owned() } else { format!("{}…", start_of(start, max.saturating_sub(1))) }
}

/// Returns a URL without the password in it, for logs and the terminal.
///
/// A text that is no URL is hidden completely, since it may be a password.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return HIDDEN.to_owned() };
    // The last one: passwords may contain this character too.
    let rest = match rest.rsplit_once('@') {
        Some((login, host)) if login.contains(':') => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{user}:{HIDDEN}@{host}")
        }
        _ => rest.to_owned(),
    };
    let without_value = |part: &str| match part.split_once('=') {
        Some((name, value)) if ["pass", "secret", "token", "key"].iter().any(|word| name.contains(word)) => {
            let end = if value.ends_with('&') { "&" } else { "" };
            format!("{name}={HIDDEN}{end}")
        }
        _ => part.to_owned(),
    };
    let parts = rest.split_inclusive(['?', '&']).map(without_value);
    format!("{scheme}://{}", parts.collect::<String>())
}

/// The text in the place of a secret.
const HIDDEN: &str = "***";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_urls_are_hidden() {
        let hidden = [
            ("amqp://opbeat:s3cret@queue:5672/%2f", "amqp://opbeat:***@queue:5672/%2f"),
            ("postgres://opbeat:p@ss:w/o?rd@db/opbeat", "postgres://opbeat:***@db/opbeat"),
            (
                "postgres://db/opbeat?password=s3cret&sslmode=require",
                "postgres://db/opbeat?password=***&sslmode=require",
            ),
            ("postgres://db/opbeat?password=s3@cret", "postgres://db/opbeat?password=***"),
            ("postgres://opbeat@db/opbeat", "postgres://opbeat@db/opbeat"),
            ("s3cret", "***"),
        ];
        for (url, shown) in hidden {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn limits_are_in_characters() {
        assert_eq!(start_of("Bücher", 2), "Bü");
        assert_eq!(start_of("Bücher", 6), "Bücher");
        assert_eq!(start_of("Bücher", 7), "Bücher");
        assert_eq!(start_of("", 0), "");
        assert_eq!((shortened("Bücher", 6), shortened("Bücher", 3)), ("Bücher".to_owned(), "Bü…".to_owned()));
    }
}
