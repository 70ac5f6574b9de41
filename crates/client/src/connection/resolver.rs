//! The system's resolver of names. The HTTP client has none whose failure could be told from others.

use std::io;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A name leads to no address.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct UnknownHost(io::Error);

/// Asks the system.
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(UnknownHost)?.collect();
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
