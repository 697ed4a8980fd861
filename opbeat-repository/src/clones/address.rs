//! The addresses of repositories, and the hosts that may be contacted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use url::Url;

use super::meter::{Failure, Meter};
use super::remote::{Access, Remote};
use crate::Error;
use crate::error::clip;

pub(super) enum Address {
    Local(PathBuf),
    Remote(Url),
}

const FORMS: &str = "give an address with https:// or http://, or a path on the server";

impl Address {
    pub(super) fn parse(remote: &Remote, access: Access) -> Result<Self, Error> {
        let unsupported = |reason| Err(Error::UnsupportedUrl { url: clip(remote.url(), 300), reason });
        let url = remote.url();
        let path = url.strip_prefix("file://").unwrap_or(url);
        if Path::new(path).is_absolute() {
            if !access.local_paths {
                return unsupported("paths on the server are not allowed");
            }
            return Ok(Self::Local(PathBuf::from(path)));
        }
        let Ok(parsed) = Url::parse(url) else {
            if url.contains('@') && url.contains(':') {
                return unsupported(
                    "SSH is not supported, because it needs another program; use https:// with a token",
                );
            }
            return unsupported(FORMS);
        };
        match parsed.scheme() {
            "http" | "https" => {}
            "ssh" | "git+ssh" => {
                return unsupported(
                    "SSH is not supported, because it needs another program; use https:// with a token",
                );
            }
            _ => return unsupported(FORMS),
        }
        check_literal(&parsed, access)?;
        Ok(Self::Remote(parsed))
    }
}

/// Rejects a host that is written as a private address. Names are checked when they are resolved.
fn check_literal(url: &Url, access: Access) -> Result<(), Error> {
    let host = url.host_str().unwrap_or_default();
    let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    match literal {
        Some(address) if !access.private_addresses && !is_public(address) => {
            Err(Error::PrivateAddress { host: clip(host, 300), address })
        }
        _ => Ok(()),
    }
}

/// Resolves hosts, and fails if one of the addresses is private.
///
/// The connection uses the very addresses that were checked, so a name that changes its address in between cannot lead
/// inwards.
pub(super) struct PublicOnly {
    inner: DefaultResolver,
    access: Access,
    meter: Arc<Meter>,
}

impl PublicOnly {
    pub(super) fn new(access: Access, meter: Arc<Meter>) -> Self {
        Self { inner: DefaultResolver::default(), access, meter }
    }
}

impl fmt::Debug for PublicOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicOnly").field("access", &self.access).finish_non_exhaustive()
    }
}

impl Resolver for PublicOnly {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.inner.resolve(uri, config, timeout)?;
        let private = addresses.iter().map(|address| address.ip()).find(|address| !is_public(*address));
        match private {
            Some(address) if !self.access.private_addresses => {
                let host = clip(uri.host().unwrap_or_default(), 300);
                let failure: io::Error = self.meter.fail(Failure::Private { host, address }, "the address is private");
                Err(failure.into())
            }
            _ => Ok(addresses),
        }
    }
}

/// Returns whether the Internet routes an address: it is neither private, nor of this machine, nor of its link.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b)) // shared by providers
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))) // benchmarks
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let [a, b, c, d] = [parts[6] >> 8, parts[6] & 255, parts[7] >> 8, parts[7] & 255];
    let last = Ipv4Addr::from([a, b, c, d].map(|part| u8::try_from(part).unwrap_or(0)));
    match parts {
        // Addresses of the old protocol in a new form: mapped, and translated by NAT64.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(last),
        // Tunnels carry an address of the old protocol, which need not be public.
        [0x2001, 0, ..] | [0x2002, ..] => false,
        [0x2001, 0xdb8, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}
