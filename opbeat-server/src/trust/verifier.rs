//! Verifiers of certificates that check other things than the usual one. All check that the server has the certificate's key.

use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// The certificates that a server presents, its own first, and the name by which it was connected to.
#[derive(Debug)]
pub(crate) struct Presented<'a> {
    /// The server's certificate.
    pub(crate) certificate: &'a CertificateDer<'a>,
    /// Those between it and an authority.
    intermediates: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp_response: &'a [u8],
    now: UnixTime,
}

/// A check of a server's certificate.
pub(crate) trait Check: fmt::Debug + Send + Sync {
    /// Returns an error unless the certificate is accepted.
    ///
    /// # Errors
    ///
    /// Returns the error that ends the handshake.
    fn check(&self, presented: &Presented<'_>) -> Result<(), Error>;
}

/// A verifier that accepts the certificates that a check accepts, if the server has their key.
#[derive(Debug)]
pub(crate) struct Checked<C>(pub(crate) C);

impl<C: Check> ServerCertVerifier for Checked<C> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0.check(&Presented { certificate, intermediates, name, ocsp_response, now })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &ring::default_provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &ring::default_provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Accepts any certificate.
#[derive(Debug)]
pub(super) struct AnyCertificate;

impl Check for AnyCertificate {
    fn check(&self, _presented: &Presented<'_>) -> Result<(), Error> {
        Ok(())
    }
}

/// Accepts certificates of trusted authorities, for whatever host they are.
#[derive(Debug)]
pub(super) struct AnyName(pub(super) Arc<WebPkiServerVerifier>);

impl Check for AnyName {
    fn check(&self, presented: &Presented<'_>) -> Result<(), Error> {
        let Presented { certificate, intermediates, name, ocsp_response, now } = *presented;
        match self.0.verify_server_cert(certificate, intermediates, name, ocsp_response, now) {
            // The name is checked last, when the authority, the times and the uses of the certificate are right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(()),
            result => result.map(|_| ()),
        }
    }
}
