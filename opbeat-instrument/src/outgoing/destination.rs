//! The server that a call goes to.

/// Longer URLs are cut to this many bytes.
const MAX_URL: usize = 512;

/// Longer host names are cut to this many bytes: no domain name is longer.
const MAX_HOST: usize = 255;

/// The parts of a URL that are recorded. The query, the fragment and the user info may contain secrets, so they are
/// not.
pub(crate) struct Destination<'a> {
    pub(crate) scheme: Option<&'a str>,
    /// The name or the address. An address of IPv6 is in brackets.
    pub(crate) host: Option<&'a str>,
    pub(crate) port: Option<u16>,
    pub(crate) path: &'a str,
}

impl Destination<'_> {
    /// Returns the signature of the call, such as `GET prices.example` or `GET prices.example:8080`. The scheme's
    /// default port is left out. A path is never part of it, because paths may contain ids.
    pub(crate) fn signature(&self, method: &str) -> String {
        let mut signature = format!("{method} ");
        self.write_authority(&mut signature);
        signature.truncate(signature.trim_end().len());
        signature
    }

    /// Returns the URL without user info, query and fragment.
    pub(crate) fn url(&self) -> String {
        let mut url = String::with_capacity(self.path.len().min(MAX_URL) + 32);
        if self.host.is_some() {
            url.push_str(self.scheme.unwrap_or("http"));
            url.push_str("://");
            self.write_authority(&mut url);
        }
        url.push_str(cut(self.path, MAX_URL));
        url
    }

    fn write_authority(&self, out: &mut String) {
        let Some(host) = self.host else { return };
        out.extend(cut(host, MAX_HOST).chars().map(|character| character.to_ascii_lowercase()));
        let default_port = match self.scheme {
            Some("https" | "wss") => 443,
            _ => 80,
        };
        if let Some(port) = self.port.filter(|&port| port != default_port) {
            out.push(':');
            out.push_str(&port.to_string());
        }
    }
}

fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ports_that_are_not_the_default_are_shown() {
        let signature = |scheme, host, port| {
            Destination { scheme: Some(scheme), host: Some(host), port, path: "/books/42" }.signature("GET")
        };
        assert_eq!(signature("http", "Prices.Example", None), "GET prices.example");
        assert_eq!(signature("http", "prices.example", Some(80)), "GET prices.example");
        assert_eq!(signature("https", "prices.example", Some(443)), "GET prices.example");
        assert_eq!(signature("https", "prices.example", Some(80)), "GET prices.example:80");
        assert_eq!(signature("http", "[::1]", Some(8080)), "GET [::1]:8080");
    }

    #[test]
    fn unknown_hosts_and_long_urls_are_bounded() {
        let (scheme, path) = (Some("http"), "é".repeat(MAX_URL));
        let unknown = Destination { scheme: None, host: None, port: None, path: "/books" };
        assert_eq!((unknown.signature("GET"), unknown.url()), ("GET".to_owned(), "/books".to_owned()));
        let long = Destination { scheme, host: Some(&"h".repeat(1000)), port: None, path: &path };
        assert_eq!(long.signature("GET").len(), "GET ".len() + MAX_HOST);
        assert_eq!(long.url().len(), "http://".len() + MAX_HOST + MAX_URL);
    }
}
