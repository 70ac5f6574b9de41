//! How much one address has at once, so that one stranger cannot take all that there is.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts by address. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses(Arc<Mutex<HashMap<IpAddr, u32>>>);

/// One of the things that an address has, until it is dropped.
#[derive(Debug)]
pub(crate) struct AddressPermit(Addresses, IpAddr);

impl Addresses {
    /// One more for this address, or `None` if it has `most` of them. Networks of IPv6 count as one: whoever has one address there has all of them.
    pub(crate) fn hold(&self, address: IpAddr, most: u32) -> Option<AddressPermit> {
        let address = network(address);
        let mut counts = self.counts();
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(AddressPermit(self.clone(), address))
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        let mut counts = self.0.counts();
        match counts.get_mut(&self.1) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.1)),
        }
    }
}

/// An IPv4 address, also where it came over IPv6; of an IPv6 address the first 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_so_many_at_once_and_is_forgotten_afterwards() {
        let (addresses, at) = (Addresses::default(), |text: &str| -> IpAddr { text.parse().unwrap() });
        let one = addresses.hold(at("192.0.2.1"), 2).unwrap();
        let _two = addresses.hold(at("::ffff:192.0.2.1"), 2).unwrap();
        assert!(addresses.hold(at("192.0.2.1"), 2).is_none());
        let _other = addresses.hold(at("192.0.2.2"), 2).unwrap();
        drop(one);
        let second = addresses.hold(at("192.0.2.1"), 2).unwrap();
        let six = addresses.hold(at("2001:db8::1"), 1).unwrap();
        assert!(addresses.hold(at("2001:db8::ffff:0:0:1"), 1).is_none(), "the same network");
        assert!(addresses.hold(at("2001:db8:0:1::1"), 1).is_some(), "another one");
        drop((second, six, _two, _other));
        assert!(addresses.counts().is_empty());
    }
}
