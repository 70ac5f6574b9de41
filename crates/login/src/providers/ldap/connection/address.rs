//! Where a directory is, and how the way there is kept secret.

use url::{Host, Url};

use crate::providers::ldap::settings::LdapSettingsError;

/// How others are kept from reading along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Protection {
    /// TLS from the beginning.
    Ldaps,
    /// TLS after one question in the clear that says nothing.
    StartTls,
    /// Nothing.
    #[default]
    Plain,
}

/// Where a directory is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) protection: Protection,
}

impl Address {
    pub(crate) fn parse(text: &str, start_tls: Option<bool>, insecure: bool) -> Result<Address, LdapSettingsError> {
        use LdapSettingsError as E;
        let wrong = || E::Url(text.to_owned());
        let url = Url::parse(text).map_err(|_| wrong())?;
        let (port, is_ldaps) = match url.scheme() {
            "ldaps" => (636, true),
            "ldap" => (389, false),
            _ => return Err(wrong()),
        };
        let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        if !bare || !matches!(url.path(), "" | "/") {
            return Err(wrong());
        }
        // The scheme is none of those that the web knows: its hosts are read as they are written.
        let host = match url.host().ok_or_else(wrong)? {
            Host::Domain(name) => name.to_ascii_lowercase(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        if host.is_empty() || !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte)) {
            return Err(wrong());
        }
        let protection = match (is_ldaps, start_tls) {
            (true, Some(_)) => return Err(E::StartTlsOfLdaps),
            (true, None) => Protection::Ldaps,
            (false, None | Some(true)) => Protection::StartTls,
            (false, Some(false)) => Protection::Plain,
        };
        let here = host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        match protection {
            Protection::Plain if !here && !insecure => return Err(E::Plain(text.to_owned())),
            Protection::Plain => {}
            _ if insecure => return Err(E::InsecureForNothing),
            _ => {}
        }
        Ok(Address { host, port: url.port().unwrap_or(port), protection })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let parse = Address::parse;
        let fine = |text: &str, start_tls, insecure| {
            let address = parse(text, start_tls, insecure).unwrap_or_else(|error| panic!("{text}: {error}"));
            (address.host, address.port, address.protection)
        };
        assert_eq!(fine("ldaps://LDAP.example.com", None, false), ("ldap.example.com".into(), 636, Protection::Ldaps));
        assert_eq!(fine("ldaps://ldap.example.com:1636/", None, false), ("ldap.example.com".into(), 1636, Protection::Ldaps));
        assert_eq!(fine("ldap://10.0.0.1", None, false), ("10.0.0.1".into(), 389, Protection::StartTls));
        assert_eq!(fine("ldap://[::1]:3890", Some(false), false), ("::1".into(), 3890, Protection::Plain));
        assert_eq!(fine("ldap://127.0.0.1", Some(false), false).2, Protection::Plain);
        assert_eq!(fine("ldap://ldap.example.com", Some(false), true).2, Protection::Plain);
        use LdapSettingsError as E;
        let error = |text: &str, start_tls, insecure| parse(text, start_tls, insecure).unwrap_err();
        for text in [
            "ldap.example.com",
            "https://ldap.example.com",
            "ldapi:///x",
            "ldaps://",
            "ldaps://u@h",
            "ldaps://h/dc=example",
            "ldaps://h?x",
            "ldaps://h#x",
            "ldaps://a b",
            "ldaps://h%00",
        ] {
            assert_eq!(error(text, None, false), E::Url(text.into()));
        }
        assert!(matches!(error("ldap://ldap.example.com", Some(false), false), E::Plain(_)));
        assert!(matches!(error("ldap://localhost.evil.example", Some(false), false), E::Plain(_)));
        assert_eq!(error("ldaps://h", Some(true), false), E::StartTlsOfLdaps);
        assert_eq!(error("ldaps://h", None, true), E::InsecureForNothing);
        assert_eq!(error("ldap://h", None, true), E::InsecureForNothing);
    }
}
