//! HTTPS: the certificate and its key, which are read again when their files change.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::trust::{self, Check, Checked, Presented};

/// The time between two looks at the files.
const INTERVAL: Duration = Duration::from_mins(1);

/// The files of a certificate and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by the intermediate ones that lead to a known authority.
    pub certificate: PathBuf,
    /// The private key of the certificate.
    pub key: PathBuf,
}

/// The certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}; check the path and the permissions", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file does not contain a certificate, or a key, in PEM.
    #[error("{} contains no {wanted} in PEM; it must have a part that starts with `-----BEGIN`", .path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// The missing part.
        wanted: &'static str,
    },
    /// The certificate and the key do not fit together, or are of an unknown kind.
    #[error("the key {} cannot be used with the certificate {}; they must belong together", .key.display(), .certificate.display())]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// The error of the library of TLS.
        source: rustls::Error,
    },
}

/// Makes connections of TLS.
#[derive(Clone)]
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    files: TlsFiles,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

/// The certificate that new connections get.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

/// Lets this process connect to itself by an address that its certificate does not name: the certificate must be its own.
impl Check for Arc<Current> {
    fn check(&self, presented: &Presented<'_>) -> Result<(), rustls::Error> {
        match self.get().cert.first() {
            Some(own) if own == presented.certificate => Ok(()),
            _ => Err(rustls::Error::General("the certificate is not that of this server".to_owned())),
        }
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// Returns an error if they contain no certificate with its key.
    pub(super) fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let current = Arc::new(Current(RwLock::new(read(&files)?)));
        let builder = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("ring supports the versions of TLS");
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::clone(&current) as Arc<_>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), current, files })
    }

    /// Returns the settings with which this process connects to itself.
    pub(super) fn own_client(&self) -> Arc<ClientConfig> {
        let verifier = Checked(Arc::clone(&self.current));
        Arc::new(trust::client().dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
    }

    /// Makes a connection of TLS.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }

    /// Reads the files again when they change, and at each SIGHUP, until the server stops.
    pub(super) async fn watch(self, mut hang_up: HangUp, mut stopped: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut seen = self.stamps().await;
        loop {
            let is_asked = tokio::select! {
                _ = ticks.tick() => false,
                () = hang_up.received() => true,
                _ = stopped.wait_for(|stopped| *stopped) => return,
            };
            let stamps = self.stamps().await;
            if is_asked || stamps != seen {
                seen = stamps;
                self.reload().await;
            }
        }
    }

    /// Reads the files again. Keeps the certificate if they cannot be used.
    async fn reload(&self) {
        let files = self.files.clone();
        match tokio::task::spawn_blocking(move || read(&files)).await {
            Ok(Ok(key)) => {
                *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = key;
                tracing::info!("new connections get the certificate of {}", self.files.certificate.display());
            }
            Ok(Err(error)) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "the changed certificate is not used, and the one before stays; mend the files, then send SIGHUP or wait \
                 for a minute"
            ),
            Err(error) => tracing::error!(%error, "the certificate was not read again; send SIGHUP to try once more"),
        }
    }

    /// Returns the times and sizes of the files. They change with the files.
    async fn stamps(&self) -> [Option<(SystemTime, u64)>; 2] {
        let stamp = async |path: &Path| {
            let metadata = tokio::fs::metadata(path).await.ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        [stamp(&self.files.certificate).await, stamp(&self.files.key).await]
    }
}

fn read(files: &TlsFiles) -> Result<Arc<CertifiedKey>, TlsError> {
    let contents =
        |path: &PathBuf| std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.clone(), source });
    let not_pem = |path: &PathBuf, wanted| TlsError::NotPem { path: path.clone(), wanted };
    let chain = CertificateDer::pem_slice_iter(&contents(&files.certificate)?).collect::<Result<Vec<_>, _>>();
    let chain =
        chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| not_pem(&files.certificate, "certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(&contents(&files.key)?).map_err(|_| not_pem(&files.key, "private key"))?;
    let key = CertifiedKey::from_der(chain, key, &ring::default_provider());
    let mismatch =
        |source| TlsError::Mismatch { certificate: files.certificate.clone(), key: files.key.clone(), source };
    key.map(Arc::new).map_err(mismatch)
}

/// The signal SIGHUP, by which operators report that files have changed.
#[cfg(unix)]
pub(super) struct HangUp(tokio::signal::unix::Signal);

#[cfg(unix)]
impl HangUp {
    /// Installs the handler, so that the signal does not end the process.
    pub(super) fn install() -> io::Result<Self> {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).map(Self)
    }

    async fn received(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Other systems have no such signal.
#[cfg(not(unix))]
pub(super) struct HangUp;

#[cfg(not(unix))]
impl HangUp {
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self)
    }

    async fn received(&mut self) {
        std::future::pending::<()>().await;
    }
}
