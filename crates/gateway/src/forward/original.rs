use std::net::IpAddr;

use falconer_credentials::authority;
use http::HeaderMap;
use http::request::Parts;

use crate::rules::Dialect;

/// Where proxies ask; Envoy puts the path of the request behind it.
const CHECK: &str = "/.falconer/check";

/// The request that a proxy asks about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Original<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) host: &'a str,
    /// Only the status of the answer counts, and only 401 and 403 are known: nginx asks in this way first.
    pub(crate) only_status: bool,
    /// The client's address, where the proxy says it by itself.
    pub(crate) address: Option<IpAddr>,
}

/// Rebuilds it from the headers that the proxy sets itself in any case, and from no others. Errors: what is wrong with the proxy's configuration. What the proxy
/// sends twice is refused: one of the two came from somewhere else.
pub(crate) fn original(dialect: Dialect, parts: &Parts) -> Result<Original<'_>, &'static str> {
    let headers = &parts.headers;
    let line = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let only_status = dialect == Dialect::Nginx && parts.uri.path() == CHECK;
    Ok(match dialect {
        Dialect::Nginx | Dialect::Haproxy => {
            // Neither a method nor a host has a space in it: what is made of one that has is no target.
            let line = one(headers, "x-original-request").ok_or("the proxy does not send X-Original-Request once")?;
            if line.is_empty() {
                return Ok(Original { method: "", target: "", host: "", only_status, address: None });
            }
            let (method, rest) = line.split_once(' ').ok_or("X-Original-Request is not METHOD HOST TARGET")?;
            let (host, target) = rest.split_once(' ').ok_or("X-Original-Request is not METHOD HOST TARGET")?;
            let (target, rest) = target.split_once(' ').map_or((target, None), |(target, rest)| (target, Some(rest)));
            // nginx serves by the host of the request line, where there is one, and tells both. HAProxy tells the client's address only.
            let (served, address) = match (dialect, rest) {
                (Dialect::Nginx, None) => return Err("X-Original-Request does not end with the host that nginx serves, $host"),
                (Dialect::Nginx, Some(rest)) => {
                    rest.split_once(' ').map_or((Some(rest), None), |(served, address)| (Some(served), Some(address)))
                }
                (_, rest) => (None, rest),
            };
            // A socket of unix has no address. Anything else that is none is a piece of a target.
            let address = address.filter(|address| !matches!(*address, "" | "unix:")).map(str::parse).transpose();
            let is_served = served.is_none_or(|served| authority::read(host).is_some_and(|(name, _)| served.eq_ignore_ascii_case(name)));
            let host = if is_served && address.is_ok() { host } else { "" };
            Original { method, target, host, only_status, address: address.unwrap_or(None) }
        }
        Dialect::Traefik | Dialect::Caddy => Original {
            method: one(headers, "x-forwarded-method").ok_or("the proxy does not send X-Forwarded-Method once")?,
            target: one(headers, "x-forwarded-uri").ok_or("the proxy does not send X-Forwarded-Uri once")?,
            host: one(headers, "x-forwarded-host").ok_or("the proxy does not send X-Forwarded-Host once")?,
            only_status,
            // They write the address of their client at the end.
            address: headers
                .get_all("x-forwarded-for")
                .iter()
                .next_back()
                .and_then(|said| said.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()),
        },
        Dialect::Envoy => Original {
            method: parts.method.as_str(),
            target: line.strip_prefix(CHECK).ok_or("the path_prefix of the proxy is not /.falconer/check")?,
            host: match parts.uri.authority() {
                Some(authority) => authority.as_str(),
                None => one(headers, "host").ok_or("the proxy sends no Host, or two")?,
            },
            only_status,
            address: None,
        },
    })
}

/// The value of a header that is there once. A client may write any bytes into its target: what is no text is empty, which is no target.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { Some(std::str::from_utf8(value.as_bytes()).unwrap_or_default()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const ALL: [Dialect; 5] = [Dialect::Nginx, Dialect::Haproxy, Dialect::Traefik, Dialect::Caddy, Dialect::Envoy];
    /// What a client may send under names that some proxy, service or library takes for true.
    const GUESSED: &[(&str, &str)] = &[
        ("x-forwarded-method", "GET"),
        ("x-forwarded-uri", "/public"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-path", "/public"),
        ("x-original-request", "GET evil.example /public"),
        ("x-original-method", "GET"),
        ("x-original-uri", "/public"),
        ("x-original-url", "/public"),
        ("x-rewrite-url", "/public"),
        ("x-http-method-override", "GET"),
        ("forwarded", "host=evil.example"),
    ];

    fn parts(dialect: Dialect, headers: &[(&str, &str)]) -> Parts {
        let (method, target) =
            if dialect == Dialect::Envoy { ("PUT", "/.falconer/check/books/red?page=2") } else { ("GET", "/.falconer/check?y=1") };
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn own(dialect: Dialect) -> Vec<(&'static str, &'static str)> {
        match dialect {
            Dialect::Nginx => vec![("x-original-request", "PUT notes.example /books/red?page=2 notes.example")],
            Dialect::Haproxy => vec![("x-original-request", "PUT notes.example /books/red?page=2")],
            Dialect::Traefik | Dialect::Caddy => {
                vec![("x-forwarded-method", "PUT"), ("x-forwarded-uri", "/books/red?page=2"), ("x-forwarded-host", "notes.example")]
            }
            Dialect::Envoy => vec![("host", "notes.example")],
        }
    }

    /// Bytes that are no text in the target of a client were called a mistake of the proxy's configuration, with 500.
    #[test]
    fn bytes_that_are_no_text_are_no_target() {
        for dialect in [Dialect::Nginx, Dialect::Haproxy, Dialect::Traefik, Dialect::Caddy] {
            let mut parts = parts(dialect, &own(dialect));
            let (name, value): (_, &[u8]) = match dialect {
                Dialect::Nginx | Dialect::Haproxy => ("x-original-request", b"GET notes.example /books/r\xe9d notes.example"),
                _ => ("x-forwarded-uri", b"/books/r\xe9d"),
            };
            parts.headers.insert(name, http::HeaderValue::from_bytes(value).unwrap());
            assert_eq!(original(dialect, &parts).unwrap().target, "", "{dialect:?}");
        }
    }

    #[test]
    fn a_dialect_reads_its_own_headers_only() {
        for dialect in ALL {
            let own = own(dialect);
            let mut headers = own.clone();
            headers.extend(GUESSED.iter().filter(|(name, _)| !own.iter().any(|(own, _)| own == name)));
            let only_status = dialect == Dialect::Nginx;
            let expected = Original { method: "PUT", target: "/books/red?page=2", host: "notes.example", only_status, address: None };
            assert_eq!(original(dialect, &parts(dialect, &headers)), Ok(expected), "{dialect:?}");
        }
    }

    /// `GET http://a.example/ HTTP/1.1` with `Host: b.example` is served as a.example: then nobody is asked about b.example.
    #[test]
    fn nginx_serves_the_host_that_is_asked_about() {
        for (line, host) in [
            ("GET notes.example:8443 / notes.example", Some("notes.example:8443")),
            ("GET Notes.example / notes.example", Some("Notes.example")),
            ("GET [::1]:8443 / [::1]", Some("[::1]:8443")),
            ("GET [::1] / [::1]", Some("[::1]")),
            ("GET b.example / a.example", Some("")),
            ("GET b.example:80 / a.example", Some("")),
            ("GET  / a.example", Some("")),
            ("GET b.example / ", Some("")),
            ("GET b.example /", None),
            ("GET notes.example / notes.example 192.0.2.1", Some("notes.example")),
            ("GET notes.example / notes.example unix:", Some("notes.example")),
            // A target with a space in it, which old versions of nginx take.
            ("GET notes.example /public notes.example notes.example 192.0.2.1", Some("")),
            ("GET notes.example /public notes.example 192.0.2.1 notes.example 192.0.2.1", Some("")),
        ] {
            let parts = parts(Dialect::Nginx, &[("x-original-request", line)]);
            assert_eq!(original(Dialect::Nginx, &parts).ok().map(|found| found.host), host, "{line}");
        }
    }

    /// What a client wrote stands in front of what the proxy adds.
    #[test]
    fn the_address_is_the_one_that_the_proxy_says() {
        let address = |dialect: Dialect, more: &[(&str, &str)]| {
            let headers: Vec<_> = own(dialect).into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name)).collect();
            let parts = parts(dialect, &[&headers, more].concat());
            original(dialect, &parts).unwrap().address.map(|address| address.to_string())
        };
        for (dialect, line) in
            [(Dialect::Nginx, "GET notes.example / notes.example 2001:db8::1"), (Dialect::Haproxy, "GET notes.example / 2001:db8::1")]
        {
            let found = address(dialect, &[("x-original-request", line), ("x-forwarded-for", "192.0.2.9")]);
            assert_eq!(found.as_deref(), Some("2001:db8::1"), "{dialect:?}");
            assert_eq!(address(dialect, &[("x-forwarded-for", "192.0.2.9")]), None, "{dialect:?}");
        }
        for dialect in [Dialect::Traefik, Dialect::Caddy] {
            assert_eq!(address(dialect, &[("x-forwarded-for", "192.0.2.9, 192.0.2.1")]).as_deref(), Some("192.0.2.1"), "{dialect:?}");
            assert_eq!(address(dialect, &[("x-forwarded-for", "192.0.2.1, nonsense")]), None, "{dialect:?}");
        }
        assert_eq!(address(Dialect::Envoy, &[("x-forwarded-for", "192.0.2.9")]), None);
    }

    #[test]
    fn what_is_missing_or_there_twice_is_not_guessed() {
        for dialect in ALL {
            for (number, (name, _)) in own(dialect).iter().enumerate() {
                let (mut twice, mut without) = (own(dialect), own(dialect));
                twice.push((name, "x"));
                without.remove(number);
                assert!(original(dialect, &parts(dialect, &twice)).is_err(), "{dialect:?} {name}");
                assert!(original(dialect, &parts(dialect, &without)).is_err(), "{dialect:?} {name}");
            }
        }
        let elsewhere = Request::get("/books").header("host", "notes.example").body(()).unwrap().into_parts().0;
        assert!(original(Dialect::Envoy, &elsewhere).is_err());
    }
}
