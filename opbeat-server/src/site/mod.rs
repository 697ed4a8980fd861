//! The address at which clients reach this server: directly, or through a proxy that serves it below a path.

mod forwarded;
mod identify;
mod networks;
mod public_url;

pub(crate) use identify::{Connection, Site, Sites, without_base};
pub(crate) use networks::loopback;
pub use networks::{Network, NetworkError};
pub(crate) use public_url::OWN_PATHS;
pub use public_url::{PublicUrl, PublicUrlError};
