//! How much of the server one address may hold at once: connections, and bytes of requests and answers that are under way.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all addresses together and one of them may hold; an amount of one kind.
pub(crate) struct Quota {
    most: usize,
    /// For one address, or one network of IPv6.
    most_of_one: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    all: usize,
    by: HashMap<IpAddr, usize>,
}

/// There is no room: for anybody, or for this address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much is under way")]
pub(crate) struct Full;

impl Quota {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Arc<Quota> {
        Arc::new(Quota { most, most_of_one, held: Mutex::default() })
    }

    /// A share of nothing yet. Without an address only the whole is bounded: that is for proxies, behind which are many.
    pub(crate) fn share(self: &Arc<Self>, address: Option<IpAddr>) -> Share {
        Share { quota: Arc::clone(self), address: address.map(network), amount: 0 }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing in here can panic halfway, so that a poisoned lock still holds a whole value.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever has an IPv6 address has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
        four @ IpAddr::V4(_) => four,
    }
}

/// What one connection or request holds; given back when it is dropped.
pub(crate) struct Share {
    quota: Arc<Quota>,
    address: Option<IpAddr>,
    amount: usize,
}

impl Share {
    /// Holds more, or nothing more than before.
    pub(crate) fn grow(&mut self, more: usize) -> Result<(), Full> {
        let mut held = self.quota.held();
        if held.all.saturating_add(more) > self.quota.most {
            return Err(Full);
        }
        if let Some(address) = self.address {
            let of_one = held.by.get(&address).copied().unwrap_or(0).saturating_add(more);
            if of_one > self.quota.most_of_one {
                return Err(Full);
            }
            held.by.insert(address, of_one);
        }
        held.all = held.all.saturating_add(more);
        drop(held);
        self.amount = self.amount.saturating_add(more);
        Ok(())
    }

    /// Gives everything back.
    pub(crate) fn release(&mut self) {
        if self.amount == 0 {
            return;
        }
        let mut held = self.quota.held();
        held.all = held.all.saturating_sub(self.amount);
        if let Some(address) = self.address {
            let left = held.by.get(&address).copied().unwrap_or(0).saturating_sub(self.amount);
            if left == 0 {
                held.by.remove(&address);
            } else {
                held.by.insert(address, left);
            }
        }
        drop(held);
        self.amount = 0;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_take_what_is_for_all() {
        let quota = Quota::new(10, 4);
        let mut shares = Vec::new();
        let mut take = |address: Option<&str>, amount: usize| {
            let mut share = quota.share(address.map(|text| text.parse().unwrap()));
            let taken = share.grow(amount).is_ok();
            shares.push(share);
            taken
        };
        assert!(take(Some("192.0.2.1"), 3) && take(Some("::ffff:192.0.2.1"), 1));
        assert!(!take(Some("192.0.2.1"), 1), "an address in other clothes is the same");
        assert!(take(Some("2001:db8::1"), 3) && !take(Some("2001:db8::ffff:2"), 2), "a /64 is one");
        assert!(take(Some("2001:db8:0:1::1"), 3));
        assert!(!take(None, 1), "all together hold ten");
        shares.clear();
        assert!(quota.held().by.is_empty() && quota.held().all == 0);
        let mut proxy = quota.share(None);
        assert_eq!((proxy.grow(10), proxy.grow(1)), (Ok(()), Err(Full)));
    }
}
