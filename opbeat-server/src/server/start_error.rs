//! The reasons for which a server cannot start.

use std::io;
use std::net::SocketAddr;

use super::tls::TlsError;
use crate::data_folder::DataFolderError;
use crate::queue::InvalidAddress;
use crate::store::StoreError;

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data folder cannot be used.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The database cannot be opened.
    #[error("cannot open the database in the data folder")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The queue cannot be opened.
    #[error("cannot open the queue in the data folder")]
    Queue(#[source] io::Error),
    /// The address of the queue is invalid.
    #[error(transparent)]
    QueueAddress(Box<dyn std::error::Error + Send + Sync>),
    /// The server cannot listen on the address.
    #[error("cannot listen on {address}; choose another address with --listen, or stop the program that uses it")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The certificate of HTTPS cannot be used.
    #[error("cannot use the certificate of HTTPS")]
    Tls(#[from] TlsError),
    /// The URL of the probe cannot be used.
    #[error("cannot send probes to the intake of probe.url")]
    Probe(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The handler of a signal cannot be installed.
    #[error("cannot handle the signal by which the certificate is read again")]
    Signal(#[source] io::Error),
    /// The configuration has no address to listen on.
    #[error("there is no address to listen on; give one with --listen")]
    NoAddress,
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Database(error.into())
    }
}

impl From<InvalidAddress> for StartError {
    fn from(error: InvalidAddress) -> Self {
        Self::QueueAddress(error.into())
    }
}
