//! `[mail]`, as far as it can be checked without asking the server.

use std::net::{Ipv4Addr, Ipv6Addr};

use falconer_store::Secret;
use lettre::transport::smtp::client::Certificate;
use thiserror::Error;
use url::{Host, Url};

use super::address::MailAddress;

/// Where mail goes.
#[derive(Clone)]
pub struct MailSettings {
    /// `smtps://host[:port]`: TLS from the beginning, port 465; `smtp://host[:port]`: STARTTLS, port 587.
    pub url: String,
    /// Who sends, if the server wants to know.
    pub login: Option<MailLogin>,
    /// The sender, `you@example.com` or `Name <you@example.com>`.
    pub from: String,
    /// Certificates in PEM that are trusted besides those of the system.
    pub ca_pem: Option<Vec<u8>>,
}

/// User and password.
#[derive(Clone)]
pub struct MailLogin {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MailSettingsError {
    /// The address of the server.
    #[error("url: {0:?} is no address of a mail server; write something like smtp://mail.example.com or smtps://mail.example.com:465")]
    Url(String),
    /// A URL ends up in logs.
    #[error("url: write user and password into `user` and `password`, not into the URL")]
    LoginInUrl,
    /// The sender.
    #[error("from: {0:?} is no sender; write something like falconer@example.com or `Falconer <falconer@example.com>`")]
    From(String),
    /// No user.
    #[error("user: it is empty")]
    User,
    /// No password.
    #[error("password: it is empty")]
    Password,
    /// Not PEM.
    #[error("ca_file: it holds no certificate in PEM")]
    Certificate,
}

/// Settings that were read.
pub(super) struct Checked {
    pub host: String,
    pub port: u16,
    /// TLS before anything is said.
    pub tls_first: bool,
    /// Without TLS nothing is sent.
    pub tls_required: bool,
    pub from_name: Option<String>,
    pub from: MailAddress,
    pub certificates: Vec<Certificate>,
}

impl MailSettings {
    /// What is wrong, if anything.
    pub fn check(&self) -> Result<(), MailSettingsError> {
        self.read().map(drop)
    }

    pub(super) fn read(&self) -> Result<Checked, MailSettingsError> {
        let wrong = || MailSettingsError::Url(self.url.clone());
        // A password in it would be shown with it.
        if self.url.contains('@') {
            return Err(MailSettingsError::LoginInUrl);
        }
        let url = Url::parse(&self.url).map_err(|_| wrong())?;
        let tls_first = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(wrong()),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong());
        }
        // Hosts of schemes that are unknown to the standard are not read as names or numbers by it.
        let host = url.host_str().and_then(|host| Host::parse(host).ok()).ok_or_else(wrong)?;
        let port = url.port().unwrap_or(if tls_first { 465 } else { 587 });
        if port == 0 {
            return Err(wrong());
        }
        let loopback = match &host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => Ipv4Addr::is_loopback(address),
            Host::Ipv6(address) => Ipv6Addr::is_loopback(address),
        };
        let host = match host {
            Host::Domain(name) => name,
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        if let Some(login) = &self.login {
            if login.user.is_empty() || login.user.chars().any(char::is_control) {
                return Err(MailSettingsError::User);
            }
            if login.password.expose().is_empty() {
                return Err(MailSettingsError::Password);
            }
        }
        let (from_name, from) = sender(&self.from).ok_or_else(|| MailSettingsError::From(self.from.clone()))?;
        let certificates = match &self.ca_pem {
            None => Vec::new(),
            Some(pem) => {
                // The library takes what holds none.
                let mark = b"-----BEGIN CERTIFICATE-----";
                let has_one = pem.windows(mark.len()).any(|part| part == mark);
                let read = Certificate::from_pem(pem).ok().filter(|_| has_one);
                vec![read.ok_or(MailSettingsError::Certificate)?]
            }
        };
        Ok(Checked { host, port, tls_first, tls_required: tls_first || !loopback, from_name, from, certificates })
    }
}

/// `Name <address>`, or the address alone.
fn sender(text: &str) -> Option<(Option<String>, MailAddress)> {
    let Some((name, rest)) = text.split_once('<') else { return Some((None, MailAddress::parse(text).ok()?)) };
    let address = MailAddress::parse(rest.trim_end().strip_suffix('>')?).ok()?;
    let name = name.trim().trim_matches('"');
    let plain =
        !name.is_empty() && name.chars().count() <= 60 && !name.chars().any(|c| c.is_control() || matches!(c, '"' | '\\' | '<' | '>'));
    plain.then(|| (Some(name.to_owned()), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(url: &str, from: &str) -> MailSettings {
        MailSettings { url: url.to_owned(), login: None, from: from.to_owned(), ca_pem: None }
    }

    #[test]
    fn where_tls_has_to_be() {
        for (url, host, port, first, required) in [
            ("smtp://mail.example.com", "mail.example.com", 587, false, true),
            ("smtp://mail.example.com:25/", "mail.example.com", 25, false, true),
            ("smtps://mail.example.com", "mail.example.com", 465, true, true),
            ("smtps://localhost", "localhost", 465, true, true),
            ("smtp://localhost:1025", "localhost", 1025, false, false),
            ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, false, false),
            ("smtp://[::1]:1025", "::1", 1025, false, false),
            ("smtp://10.0.0.1", "10.0.0.1", 587, false, true),
            ("smtp://localhost.example.com", "localhost.example.com", 587, false, true),
        ] {
            let checked = with(url, "falconer@example.com").read().unwrap();
            let read = (checked.host.as_str(), checked.port, checked.tls_first, checked.tls_required);
            assert_eq!(read, (host, port, first, required), "{url}");
        }
    }

    #[test]
    fn what_can_not_be() {
        for url in ["", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://a/b", "smtp://a?b", "smtp://a:0", "smtp://a b"] {
            assert!(matches!(with(url, "a@example.com").check(), Err(MailSettingsError::Url(_))), "{url}");
        }
        let login = with("smtp://user:canary@mail.example.com", "a@example.com").check().unwrap_err();
        assert!(login == MailSettingsError::LoginInUrl && !login.to_string().contains("canary"));
        for from in ["", "a", "a@b", "a <b>", "<a@example.com>", "x\r\ny <a@example.com>", "a@example.com\r\n", "\"x\"y\" <a@example.com>"]
        {
            assert!(matches!(with("smtp://a", from).check(), Err(MailSettingsError::From(_))), "{from}");
        }
        for (from, name) in
            [("A@Example.com", None), ("Falconer <a@example.com>", Some("Falconer")), ("\"F, x\" <a@example.com>", Some("F, x"))]
        {
            let checked = with("smtp://a", from).read().unwrap();
            assert_eq!((checked.from_name.as_deref(), checked.from.as_str()), (name, "a@example.com"), "{from}");
        }
        let wrong_pem = MailSettings { ca_pem: Some(b"no PEM".to_vec()), ..with("smtp://a", "a@example.com") };
        assert_eq!(wrong_pem.check(), Err(MailSettingsError::Certificate));
    }
}
