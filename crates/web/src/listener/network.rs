//! Who is at the other end: networks of trusted proxies, and the address that a request comes from.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use http::HeaderMap;

use crate::Peer;

/// `10.0.0.0/8`, `::1`, `192.0.2.7`: an address with the number of bits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// The text is no address or network.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no address and no network like 10.0.0.0/8")]
pub struct NetworkError(String);

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(wrong());
        }
        Ok(Network { address, bits })
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Network { address, bits: if address.is_ipv4() { 32 } else { 128 } }
    }
}

impl Network {
    /// Whether it holds more than any network that somebody has to themselves: those are at most 10.0.0.0/8 and fc00::/7.
    pub fn is_wide(&self) -> bool {
        self.bits < if self.address.is_ipv4() { 8 } else { 7 }
    }

    /// Whether the address lies in this network. An IPv4 address in IPv6 clothes is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                same_bits(u128::from(network.to_bits()) << 96, u128::from(address.to_bits()) << 96, self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => same_bits(network.to_bits(), address.to_bits(), self.bits),
            _ => false,
        }
    }
}

fn same_bits(a: u128, b: u128, bits: u8) -> bool {
    bits == 0 || (a ^ b).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
}

/// The address of the person or program that sent the request.
///
/// It is the peer's, unless the peer is a trusted proxy: then the last address of `X-Forwarded-For` that is not a trusted proxy's. A part that
/// is no address ends the search at the last good one, so that nobody can choose an address by sending the header.
pub fn client_address(peer: Option<&Peer>, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut address = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.0.ip().to_canonical());
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(address) {
        return address;
    }
    // Whatever a visitor sent stands before what the proxy added: bytes that are no text are a part that is no address.
    let values: Vec<_> = headers.get_all("x-forwarded-for").iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    for value in values.iter().rev() {
        for part in value.rsplit(',') {
            if !is_trusted(address) {
                return address;
            }
            match parse_forwarded(part.trim()) {
                Some(forwarded) => address = forwarded,
                None => return address,
            }
        }
    }
    address
}

/// An address, with or without port, IPv6 with or without brackets.
fn parse_forwarded(part: &str) -> Option<IpAddr> {
    let address = part
        .parse::<IpAddr>()
        .ok()
        .or_else(|| part.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| part.strip_prefix('[')?.strip_suffix(']')?.parse().ok())?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let peer = Peer(format!("{peer}:1").parse().unwrap());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client_address(Some(&peer), &headers, &trusted).to_string()
    }

    #[test]
    fn networks() {
        let network: Network = "10.0.0.0/8".parse().unwrap();
        assert!(network.contains("10.255.0.1".parse().unwrap()));
        assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!network.contains("11.0.0.1".parse().unwrap()));
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("203.0.113.9".parse().unwrap()));
        assert!(!all.contains("::2".parse().unwrap()));
        let six: Network = "2001:db8::/32".parse().unwrap();
        assert!(six.contains("2001:db8:1::1".parse().unwrap()));
        assert!(!six.contains("2001:db9::1".parse().unwrap()));
        for wrong in ["", "10.0.0.0/33", "::/129", "a", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn forwarded_headers_count_only_from_trusted_proxies() {
        assert_eq!(from("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(from("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(from("10.0.0.1", &["198.51.100.1"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(from("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }

    /// Story: a throttled address went on with `X-Forwarded-For: \xe9`, because the whole header then counted for nothing, and the proxy's own address
    /// was taken for the visitor's.
    #[test]
    fn bytes_that_are_no_text_hide_nobody() {
        let peer = Peer("10.0.0.1:1".parse().unwrap());
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", http::HeaderValue::from_bytes(b"\xe9, 198.51.100.1").unwrap());
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(client_address(Some(&peer), &headers, &trusted).to_string(), "198.51.100.1");
    }

    #[test]
    fn the_last_untrusted_address_counts_so_that_nobody_can_choose_one() {
        assert_eq!(from("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(from("10.0.0.1", &["1.1.1.1", "198.51.100.1"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(from("10.0.0.1", &["1.1.1.1, nonsense"], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &["[2001:db8::1]:443"], &["10.0.0.0/8"]), "2001:db8::1");
    }
}
