//! The host and the port of a service, as they stand in a `Host` header, in an origin, and in what services pass on to be verified.
//!
//! One reader for the whole workspace: what one place accepts as a host, all do.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

/// The text before the port, and the text of the port. The colons inside of `[::1]` are no port. Nothing is judged.
pub fn cut(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Host and port of `notes.example.com`, `my_svc:8081` or `[::1]:443`. An address of IPv6 is in brackets, a port without digits counts as none.
/// `None`: not a host, or a port beyond 65535.
pub fn read(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = cut(authority);
    if !is_host(host) || is_address(host) {
        return None;
    }
    match port {
        None | Some("") => Some((host, None)),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some((host, Some(digits.parse().ok()?))),
        Some(_) => None,
    }
}

/// Whether this can be a host: an address of IPv6 with or without brackets, or a name (an address of IPv4 looks like one).
pub fn is_host(text: &str) -> bool {
    is_address(within_brackets(text)) || is_name(text)
}

/// Whether two hosts are the same: letter case and the brackets of an address do not count.
pub fn same_host(one: &str, other: &str) -> bool {
    within_brackets(one).eq_ignore_ascii_case(within_brackets(other))
}

/// Whether a host is this machine: `localhost` and names below it, 127.0.0.0/8, `[::1]`.
pub fn is_loopback(host: &str) -> bool {
    is_this_machine(host) || host.to_ascii_lowercase().ends_with(".localhost")
}

/// Whether two hosts lead to the same listener where the port is the same: the names and the addresses of this machine do, however it is called.
/// A name below `localhost` is its own, because a proxy tells such names apart.
pub fn same_listener(one: &str, other: &str) -> bool {
    same_host(one, other) || (is_this_machine(one) && is_this_machine(other))
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || within_brackets(host).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The other way to write an address of IPv6: with brackets, as URLs have it, or without them, as some libraries give it and sign it.
pub fn other_spelling(host: &str) -> Option<Cow<'_, str>> {
    match within_brackets(host) {
        bare if bare.len() < host.len() => Some(Cow::Borrowed(bare)),
        bare if is_address(bare) => Some(Cow::Owned(format!("[{bare}]"))),
        _ => None,
    }
}

/// Letters, digits, hyphens, underscores and dots; labels of 1 to 63 that neither begin nor end with a hyphen; at most 253; one final dot is fine.
fn is_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let of_label = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &[u8]| {
        (1..=63).contains(&label.len()) && label.first() != Some(&b'-') && label.last() != Some(&b'-') && label.iter().all(of_label)
    };
    text.len() <= 253 && text.as_bytes().split(|byte| *byte == b'.').all(is_label)
}

fn is_address(text: &str) -> bool {
    text.contains(':') && text.parse::<Ipv6Addr>().is_ok()
}

fn within_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).filter(|address| is_address(address)).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities() {
        for (text, expected) in [
            ("localhost:60700", Some(("localhost", Some(60700)))),
            ("tc.example.com", Some(("tc.example.com", None))),
            ("[::1]:60700", Some(("[::1]", Some(60700)))),
            ("[::1]", Some(("[::1]", None))),
            ("my_svc:8081", Some(("my_svc", Some(8081)))),
            ("127.0.0.1:80", Some(("127.0.0.1", Some(80)))),
            ("a:", Some(("a", None))),
            ("::1", None),
            ("::1:80", None),
            ("a/b", None),
            ("", None),
            (":80", None),
            ("a:99999", None),
            ("a:+80", None),
            ("u@a", None),
            ("a b", None),
            ("[::1", None),
            ("[a]", None),
            ("[]", None),
            ("[127.0.0.1]", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    /// Origins with an underscore or an address of IPv6 could be granted and guarded, and then nothing that was signed for them could be verified.
    #[test]
    fn hosts() {
        for good in
            ["a", "h.example", "127.0.0.1", "a-b.c", "x.", "my_svc", "_a", &"a".repeat(63), "[::1]", "::1", "fe80::1", "[2001:DB8::1]"]
        {
            assert!(is_host(good), "{good}");
        }
        let (long_label, long_name) = ("a".repeat(64), "a.".repeat(200));
        let bad = [
            "",
            ".",
            "a:80",
            "[::1]:80",
            "[]",
            "[a]",
            "[::1",
            "::1]",
            "-a",
            "a-",
            "a..b",
            "fe80::1%eth0",
            "*.a",
            "é",
            &long_label,
            &long_name,
        ];
        for bad in bad {
            assert!(!is_host(bad), "{bad}");
        }
        assert!(same_host("A.example", "a.EXAMPLE") && same_host("[::1]", "::1") && same_host("[fe80::A]", "fe80::a"));
        assert!(!same_host("a", "b") && !same_host("[a]", "a"));
        for loopback in ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "::1"] {
            assert!(is_loopback(loopback), "{loopback}");
        }
        for elsewhere in ["localhost.example", "nolocalhost", "128.0.0.1", "[::2]", "0.0.0.0", "127.0.0.1.example"] {
            assert!(!is_loopback(elsewhere) && !same_listener(elsewhere, "localhost"), "{elsewhere}");
        }
        assert!(same_listener("127.0.0.1", "localhost") && same_listener("[::1]", "127.0.0.2") && same_listener("a.example", "A.example"));
        assert!(same_listener("a.localhost", "a.localhost") && !same_listener("a.localhost", "localhost"));
        assert_eq!((other_spelling("[::1]").as_deref(), other_spelling("::1").as_deref()), (Some("::1"), Some("[::1]")));
        assert_eq!((other_spelling("[a]"), other_spelling("a.example"), other_spelling("127.0.0.1")), (None, None, None));
    }
}
