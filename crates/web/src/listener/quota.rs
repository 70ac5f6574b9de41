//! How much of the server one address may hold at once: connections, and bytes of requests and answers that are under way.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all addresses together and one of them may hold; an amount of one kind.
pub(crate) struct Quota {
    most: usize,
    /// For one address, or one network of IPv6.
    most_of_one: usize,
    in_use: Mutex<InUse>,
}

#[derive(Default)]
struct InUse {
    all: usize,
    by: HashMap<IpAddr, usize>,
}

/// There is no room: for anybody, or for this address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much is under way")]
pub(crate) struct Full;

impl Quota {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Arc<Quota> {
        Arc::new(Quota { most, most_of_one, in_use: Mutex::default() })
    }

    /// A share of nothing yet. Without an address only the whole is bounded: that is for proxies, behind which are many.
    pub(crate) fn share(self: &Arc<Self>, address: Option<IpAddr>) -> Share {
        Share { quota: Arc::clone(self), address: address.map(network), amount: 0 }
    }

    fn in_use(&self) -> MutexGuard<'_, InUse> {
        // Nothing in here can panic halfway, so that a poisoned lock still holds a whole value.
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Holds more, or nothing more than before. One address gets at most half of what the others leave, so that however many have their
    /// share, whoever comes next finds room.
    pub(crate) fn grow(&mut self, more: usize) -> Result<(), Full> {
        if more == 0 {
            return Ok(());
        }
        let mut in_use = self.quota.in_use();
        if in_use.all.saturating_add(more) > self.quota.most {
            return Err(Full);
        }
        if let Some(address) = self.address {
            let before = in_use.by.get(&address).copied().unwrap_or(0);
            let of_one = before.saturating_add(more);
            let left_by_others = self.quota.most.saturating_sub(in_use.all.saturating_sub(before));
            if of_one > self.quota.most_of_one.min(left_by_others / 2) {
                return Err(Full);
            }
        }
        self.add(&mut in_use, more);
        drop(in_use);
        self.amount = self.amount.saturating_add(more);
        Ok(())
    }

    /// Holds more, whether there is room or not: for what can't be taken back.
    pub(crate) fn grow_anyway(&mut self, more: usize) {
        let mut in_use = self.quota.in_use();
        self.add(&mut in_use, more);
        drop(in_use);
        self.amount = self.amount.saturating_add(more);
    }

    fn add(&self, in_use: &mut InUse, more: usize) {
        in_use.all = in_use.all.saturating_add(more);
        if let Some(address) = self.address {
            let of_one = in_use.by.entry(address).or_default();
            *of_one = of_one.saturating_add(more);
        }
    }

    /// Gives everything back.
    pub(crate) fn release(&mut self) {
        if self.amount == 0 {
            return;
        }
        let mut in_use = self.quota.in_use();
        in_use.all = in_use.all.saturating_sub(self.amount);
        if let Some(address) = self.address {
            let left = in_use.by.get(&address).copied().unwrap_or(0).saturating_sub(self.amount);
            if left == 0 {
                in_use.by.remove(&address);
            } else {
                in_use.by.insert(address, left);
            }
        }
        drop(in_use);
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
        assert!(!take(Some("2001:db8:0:1::1"), 2) && take(Some("2001:db8:0:1::1"), 1), "half of what is left is for others");
        assert!(!take(None, 3), "all together hold ten");
        assert!(take(Some("198.51.100.1"), 0));
        shares.clear();
        assert!(quota.in_use().by.is_empty() && quota.in_use().all == 0);
        let mut proxy = quota.share(None);
        assert_eq!((proxy.grow(10), proxy.grow(1)), (Ok(()), Err(Full)));
    }
}
