//! The coding of bodies.

use std::borrow::Cow;
use std::io::Read;

use axum::http::StatusCode;
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};

use crate::decode::Undecodable;
use crate::intake::Rejection;

/// The coding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::otlp) enum Coding {
    /// The bytes as they are.
    Identity,
    /// gzip (RFC 1952).
    Gzip,
    /// zlib (RFC 1950), or the bare stream in it.
    Deflate,
}

impl Coding {
    /// Returns the coding with a name, as `Content-Encoding` and `grpc-encoding` have it.
    pub(super) fn named(name: &str) -> Result<Self, Rejection> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            _ => Err(Rejection::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body has an unknown compression. Use gzip, deflate, or none.",
            )),
        }
    }

    /// Inflates a body to at most `limit` bytes.
    pub(in crate::otlp) fn inflate(self, body: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, Undecodable> {
        match (self, body) {
            (Self::Identity, plain) if plain.len() > limit => Err(Undecodable::TooLarge(limit)),
            (Self::Identity, plain) => Ok(Cow::Borrowed(plain)),
            (Self::Gzip, _) => read(GzDecoder::new(body), limit),
            // The name stands for zlib (RFC 9110), but some senders leave the frame of zlib out.
            (Self::Deflate, [0x78, ..]) => read(ZlibDecoder::new(body), limit),
            (Self::Deflate, _) => read(DeflateDecoder::new(body), limit),
        }
    }
}

fn read(decoder: impl Read, limit: usize) -> Result<Cow<'static, [u8]>, Undecodable> {
    let mut inflated = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let damaged = |error: std::io::Error| Undecodable::Invalid {
        field: "body",
        reason: format!("it cannot be inflated: {error}"),
    };
    decoder.take(most).read_to_end(&mut inflated).map_err(damaged)?;
    if inflated.len() > limit { Err(Undecodable::TooLarge(limit)) } else { Ok(Cow::Owned(inflated)) }
}

/// Returns the message in the frame of a call: a flag for its compression, its length in four bytes, and the message.
pub(in crate::otlp) fn unframed(body: &[u8], coding: Coding) -> Result<(Coding, &[u8]), Undecodable> {
    let invalid = || Undecodable::Invalid { field: "body", reason: "it is not one message of gRPC".to_owned() };
    let (head, message) = body.split_first_chunk::<5>().ok_or_else(invalid)?;
    let [flag, length @ ..] = head;
    let is_complete = usize::try_from(u32::from_be_bytes(*length)).is_ok_and(|length| length == message.len());
    match flag {
        0 if is_complete => Ok((Coding::Identity, message)),
        1 if is_complete => Ok((coding, message)),
        _ => Err(invalid()),
    }
}
