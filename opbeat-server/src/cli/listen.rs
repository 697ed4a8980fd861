//! The options of the HTTP server: its addresses, its certificate, its proxies and its connections.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::server::{ServerConfig, TlsFiles};
use crate::site::{Network, PublicUrl};

#[derive(Debug, Args)]
pub(super) struct ListenOptions {
    /// An address to listen on. It can be given several times. `[::]:8200` is every address of this machine.
    ///
    /// On any address, pages require signing in: by the link that this command prints, or with a read token.
    #[arg(long, value_name = "ADDR", env = "OPBEAT_LISTEN", default_value = "127.0.0.1:8200", value_delimiter = ',')]
    listen: Vec<SocketAddr>,
    /// The file of the certificate of HTTPS, in PEM, with the intermediate certificates after it.
    ///
    /// A changed file is read again within a minute, and at once after SIGHUP.
    #[arg(long, value_name = "FILE", env = "OPBEAT_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The file of the certificate's private key, in PEM.
    #[arg(long, value_name = "FILE", env = "OPBEAT_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The URL at which browsers and agents reach the server through a proxy, such as
    /// `https://monitor.example/opbeat/`. All links start with it.
    #[arg(long, value_name = "URL", env = "OPBEAT_PUBLIC_URL")]
    public_url: Option<PublicUrl>,
    /// The address or network of a proxy whose headers `X-Forwarded-For`, `-Proto`, `-Host`, `-Prefix` and `Forwarded`
    /// are believed. It can be given several times. Default: this machine.
    #[arg(long, value_name = "NETWORK", env = "OPBEAT_TRUSTED_PROXIES", value_delimiter = ',')]
    trusted_proxy: Vec<Network>,
    /// The most connections at a time. Default: most of the files that this process may open, and at most 10,000.
    #[arg(long, value_name = "N", env = "OPBEAT_CONNECTIONS")]
    connections: Option<usize>,
}

impl ListenOptions {
    /// Changes a configuration as the options say.
    pub(super) fn apply(self, config: &mut ServerConfig) {
        config.listen = self.listen;
        config.tls = self.tls_cert.zip(self.tls_key).map(|(certificate, key)| TlsFiles { certificate, key });
        config.public_url = self.public_url;
        if !self.trusted_proxy.is_empty() {
            config.trusted_proxies = self.trusted_proxy;
        }
        config.connections.total = self.connections;
    }

    /// Returns the first address.
    pub(super) fn first(&self) -> SocketAddr {
        self.listen[0]
    }
}
