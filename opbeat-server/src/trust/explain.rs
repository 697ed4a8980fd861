//! Says what to do about a handshake of TLS that failed.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

/// Returns the reason and the remedy if an error is a handshake of TLS that failed.
///
/// `of` is the server, and `parameter` the one of its URL that names the file with the authority.
pub(crate) fn explain(error: &(dyn Error + 'static), of: &str, parameter: &str) -> Option<String> {
    let error = of_tls(error)?;
    let rustls::Error::InvalidCertificate(invalid) = error else {
        return Some(match error {
            rustls::Error::InvalidMessage(_) => {
                format!(
                    "{of} does not speak TLS on this port ({error}); check the port, or use a URL without encryption"
                )
            }
            rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
                format!("{of} asks for a certificate of the client, which is not supported; use a password instead")
            }
            _ => format!("the encrypted connection to {of} failed: {error}"),
        });
    };
    let remedy = match invalid {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            format!("name the file with the certificate of its authority by {parameter} in the URL")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "use a name of the certificate as the host of the URL".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "renew it".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "check the clocks of both machines".to_owned()
        }
        _ => "give the server a certificate that an authority has signed for its name".to_owned(),
    };
    Some(format!("the certificate of {of} is not accepted ({error}); {remedy}"))
}

/// Finds the error of TLS among the causes of an error.
fn of_tls<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // The source of an error with a custom cause is the source of that cause.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(custom) => Some(custom as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_a_remedy() {
        let text = |error: rustls::Error| {
            let error = io::Error::new(io::ErrorKind::InvalidData, error);
            explain(&error, "PostgreSQL", "sslrootcert").unwrap()
        };
        let invalid = |error| text(rustls::Error::InvalidCertificate(error));
        assert_eq!(
            invalid(CertificateError::UnknownIssuer),
            "the certificate of PostgreSQL is not accepted (invalid peer certificate: UnknownIssuer); name the file with the \
             certificate of its authority by sslrootcert in the URL"
        );
        assert!(invalid(CertificateError::NotValidForName).ends_with("as the host of the URL"));
        assert!(invalid(CertificateError::Expired).ends_with("; renew it"));
        let alert = text(rustls::Error::AlertReceived(AlertDescription::CertificateRequired));
        assert!(alert.starts_with("PostgreSQL asks for a certificate of the client"), "{alert}");
        assert_eq!(explain(&io::Error::other("away"), "PostgreSQL", "sslrootcert"), None);
    }
}
