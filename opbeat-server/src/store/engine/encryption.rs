//! The encryption of connections to PostgreSQL, by the parameters `sslmode` and `sslrootcert` of its URL. The driver
//! knows neither files nor the modes that check certificates.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::{InvalidDnsNameError, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::{TlsConnector, client};

use super::error::{Error, Kind};
use crate::trust::{self, Verification};

/// The value of `sslrootcert` for the authorities that the system trusts.
const SYSTEM: &str = "system";

/// The encryption that a URL asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// None, as without the parameters.
    Off,
    /// TLS.
    Tls {
        /// The part of the certificate that is checked.
        verification: Verification,
        /// The file with the certificates of authorities, unless those of the system are used.
        roots: Option<PathBuf>,
    },
}

impl Encryption {
    /// Takes the parameters of the encryption from a URL. Returns the URL without them.
    pub(super) fn of_url(url: &str) -> Result<(String, Self), Error> {
        // A password may contain a question mark.
        let start = url.find('@').unwrap_or_default();
        let Some(query) = url[start..].find('?').map(|at| start + at) else { return Ok((url.to_owned(), Self::Off)) };
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for pair in url[query + 1..].split('&') {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(value),
                _ => others.push(pair),
            }
        }
        let has_roots = roots.is_some();
        let roots = roots.filter(|roots| *roots != SYSTEM).map(decoded).transpose()?.map(PathBuf::from);
        let verification = match mode {
            None if has_roots => return Err(mistake("sslrootcert needs sslmode=verify-full in the URL of PostgreSQL")),
            None | Some("disable") => None,
            Some("require") if !has_roots => Some(Verification::Nothing),
            Some("require" | "verify-ca") => Some(Verification::Authority),
            Some("verify-full") => Some(Verification::Full),
            Some(_) => {
                return Err(mistake(
                    "sslmode in the URL of PostgreSQL must be verify-full, verify-ca, require or disable; use verify-full, \
                     and name the file with the server's authority by sslrootcert",
                ));
            }
        };
        let encryption = verification.map_or(Self::Off, |verification| Self::Tls { verification, roots });
        let separator = if others.is_empty() { "" } else { "?" };
        Ok((format!("{}{separator}{}", &url[..query], others.join("&")), encryption))
    }

    /// Returns the mode of the driver.
    pub(super) const fn mode(&self) -> SslMode {
        match self {
            Self::Off => SslMode::Disable,
            Self::Tls { .. } => SslMode::Require,
        }
    }

    /// Reads the certificates of authorities, and returns what makes connections of TLS.
    pub(super) fn connector(&self) -> Result<Option<Connector>, Error> {
        let Self::Tls { verification, roots } = self else { return Ok(None) };
        let config = trust::client_config(*verification, roots.as_deref())
            .map_err(|error| Error::outage(format!("the connection to PostgreSQL cannot be encrypted: {error}")))?;
        Ok(Some(Connector(TlsConnector::from(Arc::new(config)))))
    }
}

/// Replaces the percent-encoded characters of a parameter.
fn decoded(value: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let digits = after.get(..2).and_then(|digits| str::from_utf8(digits).ok()).filter(|_| *first == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).map_err(|_| mistake("sslrootcert in the URL of PostgreSQL is not UTF-8"))
}

fn mistake(message: &str) -> Error {
    Error::new(Kind::Data, message)
}

/// Says what to do about a connection that failed.
pub(super) fn explain(error: tokio_postgres::Error) -> Error {
    let reason = trust::explain(&error, "PostgreSQL", "sslrootcert=FILE").or_else(|| {
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        if text.contains("server does not support TLS") {
            return Some(
                "PostgreSQL offers no TLS, which sslmode in its URL asks for; set `ssl = on` in postgresql.conf, or remove \
                 sslmode in a private network"
                    .to_owned(),
            );
        }
        let refusal = error.as_db_error()?.message();
        let is_plain = refusal.contains("no encryption") || refusal.contains("SSL off");
        is_plain.then(|| format!("PostgreSQL refuses the connection ({refusal}); try sslmode=verify-full in its URL"))
    });
    let error = Error::from(error);
    match reason {
        Some(reason) => error.with_message(reason),
        None => error,
    }
}

/// Makes connections of TLS.
#[derive(Clone)]
pub(super) struct Connector(TlsConnector);

/// A handshake with a host.
pub(super) struct Handshake {
    connector: TlsConnector,
    host: ServerName<'static>,
}

/// An encrypted connection.
pub(super) struct Encrypted<S>(client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Connector {
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, InvalidDnsNameError> {
        Ok(Handshake { connector: self.0.clone(), host: ServerName::try_from(host)?.to_owned() })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Handshake {
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { self.connector.connect(self.host, stream).await.map(Encrypted) })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, to)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_the_encryption_are_taken_from_the_url() {
        let tls = |verification, roots: Option<&str>| Encryption::Tls { verification, roots: roots.map(PathBuf::from) };
        for (query, rest, encryption) in [
            ("", "", Encryption::Off),
            ("?sslmode=disable", "", Encryption::Off),
            ("?sslmode=require", "", tls(Verification::Nothing, None)),
            ("?sslmode=require&sslrootcert=/a.crt", "", tls(Verification::Authority, Some("/a.crt"))),
            ("?a=b&sslmode=verify-ca&c=d&sslrootcert=system", "?a=b&c=d", tls(Verification::Authority, None)),
            ("?sslmode=verify-full&sslrootcert=%2Fa%20b", "", tls(Verification::Full, Some("/a b"))),
        ] {
            let server = "postgres://user:a?sslmode=no@host/database";
            let found = Encryption::of_url(&format!("{server}{query}")).unwrap();
            assert_eq!(found, (format!("{server}{rest}"), encryption), "{query}");
        }
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (query, remedy) in [
            ("sslmode=prefer", "must be verify-full, verify-ca, require or disable"),
            ("sslrootcert=/a.crt", "needs sslmode=verify-full"),
            ("sslmode=verify-full&sslrootcert=%ff", "is not UTF-8"),
        ] {
            let error = Encryption::of_url(&format!("postgres://user:hunter2@host/?{query}")).unwrap_err();
            let text = error.to_string();
            assert!(error.kind() == Kind::Data && text.contains(remedy) && !text.contains("hunter2"), "{text}");
        }
        let missing = Encryption::of_url("postgres://host/?sslmode=verify-full&sslrootcert=/none.crt").unwrap().1;
        let error = missing.connector().map(|_| ()).unwrap_err();
        assert!(error.kind() == Kind::Outage && error.to_string().contains("/none.crt"), "{error}");
    }
}
