//! The services that a token is bound to, as it carries them.

use sha2::{Digest as _, Sha256};

/// What stands for a service.
pub(super) const SERVICE: usize = 16;
/// To so many services a token can be bound.
pub(super) const MOST_SERVICES: usize = 4;

/// The services that a token is bound to. None: it is bound to none, and counts at each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoundServices {
    count: usize,
    digests: [[u8; SERVICE]; MOST_SERVICES],
}

impl BoundServices {
    /// Bound to none.
    pub const ANY: BoundServices = BoundServices { count: 0, digests: [[0; SERVICE]; MOST_SERVICES] };

    /// Binds to one more service, by its host as it stands in a URL, and its port. `None`: there are four already.
    pub fn and(mut self, host: &str, port: u16) -> Option<BoundServices> {
        *self.digests.get_mut(self.count)? = digest(host, port);
        self.count += 1;
        Some(self)
    }

    /// Whether a token counts at a service.
    pub fn allow(&self, host: &str, port: u16) -> bool {
        self.count == 0 || self.digests().contains(&digest(host, port))
    }

    /// Whether it counts at each.
    pub fn is_any(&self) -> bool {
        self.count == 0
    }

    pub(super) fn digests(&self) -> &[[u8; SERVICE]] {
        self.digests.get(..self.count).unwrap_or_default()
    }

    /// How many they are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn read(bytes: &[u8]) -> Option<BoundServices> {
        let mut services = BoundServices::default();
        let mut rest = bytes;
        while let Some((digest, more)) = rest.split_first_chunk() {
            *services.digests.get_mut(services.count)? = *digest;
            services.count += 1;
            rest = more;
        }
        rest.is_empty().then_some(services)
    }
}

fn digest(host: &str, port: u16) -> [u8; SERVICE] {
    let whole: [u8; 32] = Sha256::digest(format!("{}:{port}", host.to_ascii_lowercase())).into();
    let mut first = [0; SERVICE];
    first.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    first
}
