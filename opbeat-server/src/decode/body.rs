//! From the bytes of a body to its report.

use opbeat_protocol::read::{Notes, Oddity, ReadLimits, Received, read_error, read_transactions};

use super::inflate::{InflateError, inflate};
use super::releases::{parse_deployment, parse_release};
use super::report::{Endpoint, Report, Undecodable};

/// A report, and the notes on what was changed in it.
#[derive(Clone, Debug)]
pub(crate) struct Decoded {
    /// The report.
    pub(crate) report: Report,
    /// The notes.
    pub(crate) notes: Notes,
}

/// A report without notes.
impl From<Report> for Decoded {
    fn from(report: Report) -> Self {
        Self { report, notes: Notes::default() }
    }
}

/// Decodes a body. `limit` is the largest size of the inflated body, in bytes.
///
/// # Errors
///
/// Returns an error if the body is too large, damaged, or no report.
pub(crate) fn decode(endpoint: Endpoint, body: &[u8], limit: usize) -> Result<Decoded, Undecodable> {
    let inflated = inflate(body, limit).map_err(|error| match error {
        InflateError::TooLarge(limit) => Undecodable::TooLarge(limit),
        InflateError::Damaged(..) => Undecodable::Damaged(error.to_string()),
    })?;
    let limits = ReadLimits::default();
    let bytes = &inflated.bytes;
    let mut decoded = match endpoint {
        Endpoint::Errors => typed(read_error(bytes, &limits)?, |body| Report::Error(Box::new(body))),
        Endpoint::Transactions => {
            typed(read_transactions(bytes, &limits)?, |body| Report::Transactions(Box::new(body)))
        }
        Endpoint::Releases => typed(parse_release(bytes)?, Report::Release),
        Endpoint::Deployments => typed(parse_deployment(bytes)?, Report::Deployment),
    };
    if inflated.is_raw_deflate {
        decoded.notes.add(Oddity::RawDeflate, 1, "");
    }
    Ok(decoded)
}

fn typed<T>(received: Received<T>, report: impl FnOnce(T) -> Report) -> Decoded {
    Decoded { report: report(received.body), notes: received.notes }
}
