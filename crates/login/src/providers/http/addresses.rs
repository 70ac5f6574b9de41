//! Which addresses a host may have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Which addresses count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowedAddresses {
    /// Those of the internet: for hosts that a provider has named.
    Public,
    /// Those of this network too, for the host that the operator has named. Never link-local ones: machines in clouds ask for their own secrets there.
    Own,
}

impl AllowedAddresses {
    /// Whether an address counts.
    pub fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let address = match address {
            IpAddr::V6(v6) => inner_v4(v6).map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        match (self, address) {
            (AllowedAddresses::Own, IpAddr::V4(v4)) => !(v4.is_link_local() || nowhere_v4(v4)),
            (AllowedAddresses::Own, IpAddr::V6(v6)) => !(v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast()),
            (AllowedAddresses::Public, IpAddr::V4(v4)) => is_public_v4(v4),
            (AllowedAddresses::Public, IpAddr::V6(v6)) => is_public_v6(v6),
        }
    }
}

/// 0.0.0.0/8 (this host), multicast, and everything above it.
fn nowhere_v4(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    first == 0 || first >= 224
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && b & 0xc0 == 64;
    let protocol = a == 192 && b == 0 && c == 0;
    let benchmark = a == 198 && b & 0xfe == 18;
    !(nowhere_v4(address)
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || shared
        || protocol
        || benchmark)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // What is handed out to the internet is 2000::/3, but for protocols (2001::/23: Teredo, benchmarks, names of hosts) and documentation.
    first & 0xe000 == 0x2000 && !(first == 0x2001 && (second == 0x0db8 || second < 0x0200)) && first & 0xfff0 != 0x3ff0
}

/// The IPv4 address that an IPv6 one stands for: NAT64 and 6to4.
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match (a, b) {
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => Some(of(g, h)),
        (0x2002, _) => Some(of(b, c)),
        _ => None,
    }
}

/// Plain HTTP on this machine.
pub(crate) fn is_plain_here(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "http" && here
}

#[cfg(test)]
mod tests {
    use super::AllowedAddresses;

    #[test]
    fn what_is_inside() {
        let allows = |allowed_addresses: AllowedAddresses, text: &str| allowed_addresses.allows(text.parse().unwrap());
        for public in ["8.8.8.8", "93.184.216.34", "2606:4700::1", "64:ff9b::808:808", "::ffff:8.8.8.8", "172.32.0.1", "100.128.0.1"] {
            assert!(allows(AllowedAddresses::Public, public) && allows(AllowedAddresses::Own, public), "{public}");
        }
        for own in
            ["10.0.0.1", "127.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"]
        {
            assert!(!allows(AllowedAddresses::Public, own) && allows(AllowedAddresses::Own, own), "{own}");
        }
        for never in ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "::ffff:169.254.169.254"] {
            assert!(!allows(AllowedAddresses::Public, never) && !allows(AllowedAddresses::Own, never), "{never}");
        }
        for not_public in [
            "2002:7f00:1::",
            "2001:db8::1",
            "192.0.2.1",
            "198.18.0.1",
            "192.0.0.8",
            "2001:0:7f00:1::",
            "2001:2::1",
            "64:ff9b:1::a00:1",
            "3fff::1",
            "fec0::1",
        ] {
            assert!(!allows(AllowedAddresses::Public, not_public), "{not_public}");
        }
    }
}
