//! The certificates that connections of this server to others trust.

mod explain;
mod verifier;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

pub(crate) use explain::explain;
use verifier::{AnyCertificate, AnyName};
pub(crate) use verifier::{Check, Checked, Presented};

/// The certificates of authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    /// The file cannot be read.
    #[error("cannot read the certificates of authorities in {}; check the path and the permissions: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file contains no certificate.
    #[error("{} contains no certificate in PEM; it must have a part that starts with `-----BEGIN CERTIFICATE-----`", .0.display())]
    NoCertificate(PathBuf),
    /// The system has no certificates of authorities.
    #[error(
        "this system has no certificates of authorities; install the package ca-certificates, or name a file with the \
         authority's certificate"
    )]
    NoSystemRoots,
}

/// The part of a server's certificate that a connection checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    /// Nothing. A machine on the way can pretend to be the server, and read everything.
    Nothing,
    /// It is of a trusted authority.
    Authority,
    /// It is of a trusted authority, and names the host.
    Full,
}

/// Returns the beginning of a client's settings for TLS 1.2 and 1.3.
pub(crate) fn client() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    builder.with_safe_default_protocol_versions().expect("ring supports the versions of TLS")
}

/// Returns a client's settings for TLS that trust the authorities in a file, or those of the system.
///
/// # Errors
///
/// Returns an error if there are none, although they are needed.
pub(crate) fn client_config(verification: Verification, file: Option<&Path>) -> Result<ClientConfig, TrustError> {
    let config = match verification {
        Verification::Full => client().with_root_certificates(roots(file)?),
        Verification::Nothing => {
            client().dangerous().with_custom_certificate_verifier(Arc::new(Checked(AnyCertificate)))
        }
        Verification::Authority => {
            let provider = Arc::new(ring::default_provider());
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(file)?), provider).build();
            let verifier = verifier.expect("there are authorities, and no lists of revoked certificates");
            client().dangerous().with_custom_certificate_verifier(Arc::new(Checked(AnyName(verifier))))
        }
    };
    Ok(config.with_no_client_auth())
}

/// Returns the authorities in a file in PEM, or those of the system.
fn roots(file: Option<&Path>) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = file else {
        // Certificates that cannot be read are left out, as long as there are others.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if roots.is_empty() { Err(TrustError::NoSystemRoots) } else { Ok(roots) };
    };
    let bytes = std::fs::read(path).map_err(|source| TrustError::Unreadable { path: path.to_owned(), source })?;
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&bytes).flatten());
    if roots.is_empty() { Err(TrustError::NoCertificate(path.to_owned())) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_says_what_to_do() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
        assert_eq!(roots(Some(&folder.join("first.crt"))).unwrap().len(), 1);
        for (name, message) in [("first.key", "contains no certificate in PEM"), ("none.crt", "check the path")] {
            let error = roots(Some(&folder.join(name))).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(message), "{error}");
        }
    }
}
