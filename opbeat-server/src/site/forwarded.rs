//! The headers in which proxies pass on how a client reached them: `X-Forwarded-…`, and `Forwarded` of RFC 7239.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

/// The most hops that are read.
const MAX_HOPS: usize = 32;

/// The claims of proxies about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    /// The addresses that the request came from, the last one first. It ends at the first one that is not an address.
    pub(super) hops: Vec<IpAddr>,
    pub(super) is_https: Option<bool>,
    pub(super) host: Option<String>,
    pub(super) prefix: Option<String>,
}

/// Reads the headers. `Forwarded` counts only without the others: a proxy that sets those passes on what a client wrote
/// into it.
pub(super) fn read(headers: &HeaderMap) -> Forwarded {
    let prefix = first(headers, "x-forwarded-prefix").map(str::to_owned);
    let is_own =
        ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].iter().any(|name| headers.contains_key(*name));
    if !is_own {
        return Forwarded { prefix, ..standard(headers) };
    }
    let hops = parts(headers, "x-forwarded-for").rev().take(MAX_HOPS).map_while(address).collect();
    Forwarded {
        hops,
        is_https: first(headers, "x-forwarded-proto").map(is_https),
        host: first(headers, "x-forwarded-host").map(str::to_owned),
        prefix,
    }
}

/// Reads the header `Forwarded`.
fn standard(headers: &HeaderMap) -> Forwarded {
    let value = |hop: &str, name: &str| {
        let pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
    };
    let hops = parts(headers, "forwarded").rev().take(MAX_HOPS);
    let hops = hops.map_while(|hop| address(&value(hop, "for")?)).collect();
    let browser = parts(headers, "forwarded").next();
    let of_browser = |name| browser.and_then(|hop| value(hop, name));
    Forwarded {
        hops,
        is_https: of_browser("proto").map(|proto| is_https(&proto)),
        host: of_browser("host"),
        prefix: None,
    }
}

/// Returns the part that the first of several proxies wrote, which is the browser's.
fn first<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    parts(headers, name).next()
}

fn parts<'a>(headers: &'a HeaderMap, name: &'static str) -> impl DoubleEndedIterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

fn is_https(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("https")
}

/// Returns an address, which may have a port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName};

    use super::{Forwarded, read};

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn both_kinds_of_headers_are_read() {
        let expected = Forwarded {
            hops: vec!["10.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            is_https: Some(true),
            host: Some("monitor.example".to_owned()),
            prefix: None,
        };
        let own = headers(&[
            ("x-forwarded-for", "unknown, [2001:db8::1]:443, 10.0.0.1:80"),
            ("x-forwarded-proto", "HTTPS, http"),
            ("x-forwarded-host", "monitor.example"),
            ("forwarded", "for=192.0.2.1;proto=http;host=evil.example"),
        ]);
        assert_eq!(read(&own), expected);
        let standard = headers(&[("forwarded", "for=_hidden, For=\"[2001:db8::1]:4711\";proto=https , for=10.0.0.1")]);
        assert_eq!(read(&standard), Forwarded { is_https: None, host: None, ..expected.clone() });
        let standard =
            headers(&[("forwarded", "for=\"[2001:db8::1]\";Proto=https;host=\"monitor.example\", for=10.0.0.1")]);
        assert_eq!(read(&standard), expected);
        assert_eq!(read(&headers(&[("x-forwarded-prefix", "/a")])).prefix.as_deref(), Some("/a"));
        assert_eq!(read(&HeaderMap::new()), Forwarded::default());
    }
}
