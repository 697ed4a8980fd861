//! From the bytes of a body to its report.

use super::inflate::{InflateError, inflate};
use super::releases::{parse_deployment, parse_release};
use super::report::{Endpoint, Report, Undecodable};
use super::validate::{parse_errors, parse_transactions};

/// Decodes a body. `limit` is the largest size of the inflated body, in bytes.
///
/// # Errors
///
/// Returns an error if the body is too large, damaged, or no report.
pub(crate) fn decode(endpoint: Endpoint, body: &[u8], limit: usize) -> Result<Report, Undecodable> {
    let json = inflate(body, limit).map_err(|error| match error {
        InflateError::TooLarge(limit) => Undecodable::TooLarge(limit),
        InflateError::Damaged(..) => Undecodable::field("body", error.to_string()),
    })?;
    match endpoint {
        Endpoint::Errors => Ok(Report::Error(Box::new(parse_errors(&json)?))),
        Endpoint::Transactions => Ok(Report::Transactions(Box::new(parse_transactions(&json)?))),
        Endpoint::Releases => Ok(Report::Release(parse_release(&json)?)),
        Endpoint::Deployments => Ok(Report::Deployment(parse_deployment(&json)?)),
    }
}
