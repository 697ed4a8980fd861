//! The addresses of repositories, and the hosts that may be contacted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

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
pub(super) fn check_literal(url: &Url, access: Access) -> Result<(), Error> {
    let host = url.host_str().unwrap_or_default();
    let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    match literal {
        Some(address) if !access.private_addresses && !is_public(address) => {
            Err(Error::PrivateAddress { host: clip(host, 300), address })
        }
        _ => Ok(()),
    }
}

/// Resolves names, and fails if one of the addresses is private.
///
/// The connection uses the very addresses that were checked, so a name that changes its address in between cannot lead
/// inwards.
pub(super) struct PublicOnly {
    pub(super) access: Access,
    pub(super) meter: Arc<Meter>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let (access, meter) = (self.access, Arc::clone(&self.meter));
        Box::pin(async move {
            // This runs on the client's own thread, which may block.
            let addresses: Vec<SocketAddr> = (name.as_str(), 0).to_socket_addrs()?.collect();
            for address in addresses.iter().map(SocketAddr::ip) {
                if !access.private_addresses && !is_public(address) {
                    let host = clip(name.as_str(), 300);
                    return Err(meter.fail(Failure::Private { host, address }, "the address is private").into());
                }
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Whether the Internet routes the address.
fn is_public(address: IpAddr) -> bool {
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
