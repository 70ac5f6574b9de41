//! What was signed: host, port and credentials of a request as the MAC covers them.

use std::borrow::Cow;
use std::net::SocketAddr;

use falconer_auth::{ApiError, Auth, Authentication, Reason, RequestParts, authority, is_signed_twice, payload};
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;

use crate::api::answer::failure::Failure;
use crate::api::request::body::media_type;
use crate::http::only::{Several, the_only};
use crate::{Network, Peer};

/// A request as its signer saw it.
pub(crate) struct Signed<'p> {
    method: &'p str,
    resource: &'p str,
    /// None: the request names no host that could have been signed.
    site: Option<(Cow<'p, str>, u16)>,
    authorization: Option<Cow<'p, str>>,
    /// What is wrong with how it is signed, before anything that was signed is looked at.
    ambiguous: Option<Reason>,
}

impl<'p> Signed<'p> {
    pub(crate) fn of(parts: &'p Parts, trusted: &[Network], is_own: impl Fn(&str, u16) -> bool) -> Signed<'p> {
        let sent = the_only(&parts.headers, &AUTHORIZATION);
        // An empty header counts as none.
        let authorization = sent.ok().flatten().map(|v| String::from_utf8_lossy(v.as_bytes())).filter(|v| !v.is_empty());
        let resource = parts.uri.path_and_query().map_or("/", |p| p.as_str());
        Signed {
            method: parts.method.as_str(),
            resource,
            site: site(parts, trusted, is_own),
            ambiguous: match sent {
                Err(Several) => Some(Reason::SeveralAuthorizations),
                Ok(_) => is_signed_twice(resource, authorization.as_deref()).then_some(Reason::TwoSchemes),
            },
            authorization,
        }
    }

    /// Host and port that it was signed for, as far as the head tells, where it is signed at all and they are none of ours.
    pub(crate) fn other_site(&self, is_own: impl Fn(&str, u16) -> bool) -> Option<String> {
        let (host, port) = self.site.as_ref()?;
        (self.authorization.is_some() && !is_own(host, *port)).then(|| format!("{host}:{port}"))
    }

    /// Asks who that is, as far as the head tells. Errors: a Host that is none (400), because nothing can have been signed for it.
    pub(crate) async fn authenticate_head(&self, auth: &Auth) -> Result<Authentication, Failure> {
        if let Some(reason) = &self.ambiguous {
            return Ok(Authentication::refused(reason.clone().into()));
        }
        Ok(auth.authenticate(&self.parts()?).await)
    }

    /// The same for head and body: a signed payload hash is that of this body.
    pub(crate) async fn authenticate(&self, auth: &Auth, body: Hashed<'_>) -> Result<Authentication, Failure> {
        let authentication = self.authenticate_head(auth).await?;
        let mismatch = authentication.caller().ok().and_then(|caller| payload_mismatch(caller.hash.as_deref(), body));
        Ok(mismatch.map_or(authentication, Authentication::refused))
    }

    /// The same for the methods that have a client of their own: what was signed, unless it is signed in several ways.
    pub(crate) fn parts_of_one_scheme(&self) -> Result<RequestParts<'_>, Failure> {
        if let Some(reason) = &self.ambiguous {
            return Err(ApiError::from(reason.clone()).into());
        }
        self.parts()
    }

    /// What was signed, as it was seen. Errors: a Host that is none.
    pub(crate) fn parts(&self) -> Result<RequestParts<'_>, Failure> {
        let Some((host, port)) = &self.site else {
            return Err(Failure::input("The Host header of the request is not the name of a host"));
        };
        Ok(RequestParts { method: self.method, resource: self.resource, host, port: *port, authorization: self.authorization.as_deref() })
    }
}

/// What a payload hash is over.
#[derive(Clone, Copy)]
pub(crate) struct Hashed<'b> {
    pub(crate) content_type: Option<&'b str>,
    pub(crate) text: &'b [u8],
}

/// The 401 for a signed payload hash that is not the hash of this body. Where there is nothing in a body its type does not count: signers differ in
/// whether a `Content-Type` of nothing is part of the hash.
pub(crate) fn payload_mismatch(signed: Option<&str>, body: Hashed<'_>) -> Option<ApiError> {
    let signed = signed?;
    if body.text.is_empty() && payload::is_of_nothing(signed) {
        return None;
    }
    let content_type = body.content_type.map(media_type).unwrap_or_default();
    let computed = payload::hash(&content_type, body.text);
    (computed != signed).then(|| Reason::PayloadHash { signed: signed.to_owned(), computed }.into())
}

/// Host in lower case and port that the caller must have meant. `X-Forwarded-Port` and `-Proto` of a trusted proxy count first, and then the port in
/// Host; of the two the one that makes it an origin of ours.
fn site<'p>(parts: &'p Parts, trusted: &[Network], is_own: impl Fn(&str, u16) -> bool) -> Option<(Cow<'p, str>, u16)> {
    let header = parts.headers.get(HOST).map(|v| v.to_str().ok());
    let authority = match header {
        Some(text) => text?,
        // HTTP/2 has its authority in the request target.
        None => parts.uri.authority()?.as_str(),
    };
    let (host, port) = authority::read(authority)?;
    let forwarded =
        parts.extensions.get::<Peer>().is_some_and(|Peer(peer)| is_trusted(*peer, trusted)).then(|| forwarded_port(parts)).flatten();
    let host: Cow<'_, str> = if host.bytes().any(|b| b.is_ascii_uppercase()) { host.to_ascii_lowercase().into() } else { host.into() };
    let own = [forwarded, port].into_iter().flatten().find(|port| is_own(&host, *port));
    Some((host, own.or(forwarded).or(port).unwrap_or(80)))
}

fn is_trusted(peer: SocketAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(peer.ip().to_canonical()))
}

fn forwarded_port(parts: &Parts) -> Option<u16> {
    // Each proxy on the way adds its own at the end: the first is what the caller used.
    let first = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).and_then(|text| text.split(',').next()).map(str::trim);
    if let Some(digits) = first("x-forwarded-port") {
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if let Some(port) = digits.get(..end).and_then(|d| d.parse().ok()) {
            return Some(port);
        }
    }
    first("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")).then_some(443)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Story: a proxy that passed on the port in Host, two hops, or upper case made every signed call a 401, and nothing was in any log.
    #[test]
    fn what_proxies_say_of_the_site() {
        for (host, forwarded, expected) in [
            ("auth.example.com:8443", &[("x-forwarded-proto", "https")][..], 8443),
            ("auth.example.com:8443", &[("x-forwarded-port", "443")], 8443),
            ("AUTH.example.com:8443", &[("x-forwarded-proto", "https")], 8443),
            ("auth.example.com:9", &[("x-forwarded-proto", "https")], 443),
            ("auth.example.com", &[("x-forwarded-proto", "https, http")], 443),
            ("auth.example.com", &[("x-forwarded-proto", "HTTPS")], 443),
            ("auth.example.com", &[("x-forwarded-proto", "http, https")], 80),
            ("auth.example.com", &[("x-forwarded-port", "8443, 80"), ("x-forwarded-proto", "http")], 8443),
        ] {
            let mut request = http::Request::builder().uri("/").header("host", host).extension(Peer("10.0.0.1:1".parse().unwrap()));
            for (name, value) in forwarded {
                request = request.header(*name, *value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let own = |host: &str, port: u16| (host, port) == ("auth.example.com", 8443);
            let (host, port) = site(&parts, &["10.0.0.0/8".parse().unwrap()], own).unwrap();
            assert_eq!((host.as_ref(), port), ("auth.example.com", expected), "{forwarded:?}");
        }
    }
}
