use falconer_credentials::authority;
use http::request::Parts;
use http::{HeaderName, header};

use super::refused::Refused;
use crate::serve::one_host;

/// What only browsers send. Every page that is open in one can send requests to this machine, and none may have them signed.
const OF_BROWSERS: [HeaderName; 3] = [header::ORIGIN, HeaderName::from_static("sec-fetch-site"), header::UPGRADE_INSECURE_REQUESTS];

/// How the name of each browser begins.
const BROWSER: &[u8] = b"Mozilla/";

/// Refuses what a page may have sent: what browsers mark as theirs, and, because a page can give its own name the address of this machine, names that are not the
/// proxy's own. `names`: those beside addresses and `localhost`; `None` where no browser can reach the proxy, as on a unix socket.
pub(super) fn refuse_pages(parts: &Parts, names: Option<&[String]>) -> Result<(), Refused> {
    if OF_BROWSERS.iter().any(|name| parts.headers.contains_key(name)) {
        return Err(Refused::Browser);
    }
    let Some(names) = names else { return Ok(()) };
    let host = one_host(&parts.headers).unwrap_or_default();
    let name = authority::read(host).map(|(name, _)| name).unwrap_or_default().to_ascii_lowercase();
    // INVARIANT: an address is no name, so no page can have made it stand for this machine.
    let address = name.parse::<std::net::Ipv4Addr>().is_ok() || (name.starts_with('[') && name.ends_with(']'));
    if address || name == "localhost" || names.iter().any(|own| own.eq_ignore_ascii_case(&name)) {
        // Browsers send `Sec-Fetch-Site` over TLS and to loopback only, and no `Origin` for a picture or a link.
        let names_browser = parts.headers.get_all(header::USER_AGENT).iter().any(|agent| agent.as_bytes().starts_with(BROWSER));
        return if names_browser && !authority::is_loopback(&name) { Err(Refused::Browser) } else { Ok(()) };
    }
    Err(Refused::OtherHost(host.chars().filter(char::is_ascii_graphic).take(255).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(headers: &[(&str, &str)], names: Option<&[String]>) -> Option<&'static str> {
        let mut request = http::Request::builder().uri("/api/auth/v1/ping");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        refuse_pages(&parts, names).err().map(|refused| refused.reason())
    }

    #[test]
    fn only_the_proxys_own_names_are_served() {
        let names = ["taskcluster".to_owned()];
        for own in [
            "localhost",
            "LOCALHOST:8090",
            "127.0.0.1:8090",
            "172.17.0.1",
            "[::1]:8090",
            "[::1]",
            "taskcluster",
            "Taskcluster:80",
            "localhost:",
        ] {
            assert_eq!(refused(&[("host", own)], Some(&names)), None, "{own}");
        }
        for other in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8090",
            "::1",
            "taskcluster.",
            "localhost:x",
            "localhost:99999",
            "[::1",
        ] {
            assert_eq!(refused(&[("host", other)], Some(&names)), Some("other-host"), "{other}");
        }
        assert_eq!(refused(&[], Some(&names)), Some("other-host"));
        assert_eq!(refused(&[("host", "localhost"), ("host", "evil.example")], Some(&names)), Some("other-host"));
        assert_eq!(refused(&[("host", "evil.example")], None), None);
    }

    #[test]
    fn no_browser_is_served() {
        for (name, value) in
            [("origin", "null"), ("origin", "http://localhost:8090"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "none")]
        {
            assert_eq!(refused(&[("host", "localhost"), (name, value)], Some(&[])), Some("browser"));
            assert_eq!(refused(&[("host", "localhost"), (name, value)], None), Some("browser"));
        }
        // A picture of a page elsewhere was signed for: a browser marks nothing of it where the proxy is beyond loopback.
        let firefox = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        for (host, verdict) in [
            ("172.17.0.1:8090", Some("browser")),
            ("[fd00::1]:8090", Some("browser")),
            ("taskcluster", Some("browser")),
            ("localhost:8090", None),
            ("127.0.0.1:8090", None),
            ("[::1]", None),
            ("evil.example", Some("other-host")),
        ] {
            assert_eq!(refused(&[("host", host), firefox], Some(&["taskcluster".to_owned()])), verdict, "{host}");
            assert_eq!(
                refused(&[("host", host), ("user-agent", "curl/8")], Some(&["taskcluster".to_owned()])).is_some(),
                host == "evil.example"
            );
        }
        assert_eq!(refused(&[("host", "localhost"), ("upgrade-insecure-requests", "1")], Some(&[])), Some("browser"));
        // Programs send this one too.
        assert_eq!(refused(&[("host", "localhost"), ("sec-fetch-mode", "cors")], Some(&[])), None);
    }
}
