//! The values of all keys, with their types.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::server::{Roles, ServerConfig};

/// The values of all keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The configuration of the server.
    pub(crate) server: ServerConfig,
    /// The filter of the log's lines.
    pub(crate) log: String,
    /// The file with the certificate.
    pub(super) certificate: Option<PathBuf>,
    /// The file with the certificate's key.
    pub(super) certificate_key: Option<PathBuf>,
}

/// The use of a configuration, which decides which keys it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A server with all roles.
    Serve,
    /// A server that accepts data.
    Intake,
    /// A server that stores data.
    Worker,
    /// A server that shows data.
    Web,
    /// A command that reads or changes the store.
    Command,
}

impl Purpose {
    /// Returns the name of the command that runs the server.
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::Serve => "opbeat serve",
            Self::Intake => "opbeat intake",
            Self::Worker => "opbeat worker",
            Self::Web => "opbeat web",
            Self::Command => "this command",
        }
    }

    /// Returns the roles of the server.
    pub(super) fn roles(self) -> Roles {
        match self {
            Self::Serve | Self::Command => Roles::ALL,
            Self::Intake => Roles::INTAKE,
            Self::Worker => Roles::WORKER,
            Self::Web => Roles::WEB,
        }
    }
}

impl Settings {
    /// Makes settings in which the defaults of the keys are set next.
    pub(super) fn new(purpose: Purpose) -> Self {
        let server = ServerConfig::new("", SocketAddr::from(([127, 0, 0, 1], 0)));
        let server = ServerConfig { roles: purpose.roles(), listen: Vec::new(), ..server };
        Self { server, log: String::new(), certificate: None, certificate_key: None }
    }
}
