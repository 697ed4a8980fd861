//! Sends the messages of a signal.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::Request;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use prost::Message;
use serde::Serialize;

use super::answer::{Answer, answer};
use super::settings::{Protocol, SignalSettings};
use crate::export::http::Transport;
use crate::pipeline::ExportError;

/// The largest body in bytes before compression. OpenTelemetry's collector accepts 20 MiB by default.
const MAX_BODY: usize = 16 << 20;

/// A signal: spans, points or log records.
pub(super) struct Signal {
    pub(super) settings: SignalSettings,
}

impl Signal {
    /// Sends a message and returns the receiver's answer.
    ///
    /// # Errors
    ///
    /// Returns an error if another attempt may succeed.
    pub(super) fn send<M: Message + Serialize>(
        &self,
        transport: &mut Transport,
        message: &M,
    ) -> Result<Answer, ExportError> {
        let body = match self.encode(message) {
            Ok(body) => body,
            Err(reason) => return Ok(Answer::Rejected(format!("a body was not sent, because {reason}"))),
        };
        let SignalSettings { peer, uri, headers, protocol, is_gzip, timeout, .. } = &self.settings;
        let mut request = Request::post(uri);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request = request.header(
            CONTENT_TYPE,
            match protocol {
                Protocol::Protobuf => "application/x-protobuf",
                Protocol::Json => "application/json",
            },
        );
        if *is_gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        let response = transport.send(request, body, *timeout).map_err(|error| error.explain(peer))?;
        answer(&response, &self.settings)
    }

    fn encode<M: Message + Serialize>(&self, message: &M) -> Result<Vec<u8>, String> {
        let body = match self.settings.protocol {
            Protocol::Protobuf => message.encode_to_vec(),
            Protocol::Json => {
                serde_json::to_vec(message).map_err(|error| format!("it cannot be written as JSON: {error}"))?
            }
        };
        if body.len() > MAX_BODY {
            return Err(format!("it is larger than receivers accept: {} KiB", body.len() >> 10));
        }
        if !self.settings.is_gzip {
            return Ok(body);
        }
        gzip(&body).map_err(|error| format!("it cannot be compressed: {error}"))
    }
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}
