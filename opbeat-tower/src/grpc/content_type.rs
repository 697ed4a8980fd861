//! The content type of gRPC.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The content type of calls, to which clients may add a codec: `application/grpc+proto`.
const GRPC: &[u8] = b"application/grpc";

/// Returns whether the content type is that of gRPC. That of gRPC-Web, `application/grpc-web`, is another protocol.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], |content_type| content_type.as_bytes());
    content_type.strip_prefix(GRPC).is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn calls_have_the_content_type_of_grpc() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc; charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/json", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            assert_eq!(is_grpc(&headers), expected, "{content_type}");
        }
    }
}
