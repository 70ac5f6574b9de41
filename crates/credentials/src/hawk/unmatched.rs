//! What is kept of a request whose MAC was wrong, so that somebody who asks why can be told for which host, port, path or method it would have been right.
//!
//! The MAC itself is not kept: with it, and with the right host and port, the request could be sent again. In its place stands a hash of it under a secret
//! of the process.

use zeroize::Zeroizing;

use crate::AccessToken;
use crate::hawk::authentic::{Moment, Signed};
use crate::hawk::normalized::Normalized;
use crate::hawk::read::{RequestParts, read};
use crate::key::mac::Key;

/// Longer ones are not kept.
const LONGEST: usize = 4 * 1024;

/// A signature without its MAC.
pub struct Unmatched {
    kind: &'static str,
    id: Box<str>,
    key_owner: Box<str>,
    seed: Option<Box<str>>,
    time: Box<str>,
    nonce: Box<str>,
    hash: Option<Box<str>>,
    ext: Option<Box<str>>,
    app: Option<Box<str>>,
    dlg: Option<Box<str>>,
    method: Box<str>,
    /// Without a bewit.
    resource: Box<str>,
    host: Box<str>,
    port: u16,
    fingerprint: [u8; 32],
}

/// What a request may have been signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignedFor<'a> {
    /// In any letter case.
    pub method: &'a str,
    /// Path and query, without a bewit.
    pub resource: &'a str,
    /// Without the port.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

impl Unmatched {
    /// What is kept of a request; `None` where nothing in it was signed, where it has not the form of a MAC, and where it is long. `secret` is the process's.
    pub fn of(parts: &RequestParts<'_>, secret: &[u8; 32]) -> Option<Unmatched> {
        if parts.resource.len().saturating_add(parts.authorization.map_or(0, str::len)) > LONGEST {
            return None;
        }
        let signed = read(parts).ok().flatten()?;
        Unmatched::of_signed(&signed, secret)
    }

    fn of_signed(signed: &Signed<'_>, secret: &[u8; 32]) -> Option<Unmatched> {
        let (claim, covered, mac) = signed.pieces();
        let (kind, time) = match &claim.moment {
            Moment::Timestamp(ts) => ("header", ts),
            Moment::Expiry(exp) => ("bewit", exp),
            Moment::Arrived => return None,
        };
        let own = |text: Option<&str>| text.map(Box::from);
        Some(Unmatched {
            kind,
            id: signed.id().into(),
            key_owner: signed.key_owner().into(),
            seed: own(claim.ext.seed()),
            time: Box::from(&**time),
            nonce: covered.nonce.into(),
            hash: own(claim.hash.as_deref()),
            ext: own(covered.ext.as_deref()),
            app: own(covered.app),
            dlg: own(covered.dlg),
            method: covered.method.into(),
            resource: format!("{}{}", covered.resource.0, covered.resource.1).into(),
            host: Box::from(&*claim.host),
            port: claim.port,
            fingerprint: fingerprint(mac?, secret),
        })
    }

    /// The `id` of the header or bewit. Nothing proves it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whose key would have signed it. Nothing proves it.
    pub fn key_owner(&self) -> &str {
        &self.key_owner
    }

    /// What it was taken to be signed for.
    pub fn seen(&self) -> SignedFor<'_> {
        SignedFor { method: &self.method, resource: &self.resource, host: &self.host, port: self.port }
    }

    /// Whether it came as a bewit.
    pub fn is_bewit(&self) -> bool {
        self.kind == "bewit"
    }

    /// The `ts` of a header, in seconds since the epoch.
    pub fn ts_seconds(&self) -> Option<i64> {
        if self.is_bewit() { None } else { self.time.parse().ok() }
    }

    /// The payload hash that it names.
    pub fn hash(&self) -> Option<&str> {
        self.hash.as_deref()
    }

    /// Whether it is right for this, under the key owner's token. `secret` is the one that it was kept with.
    pub fn is_for(&self, what: SignedFor<'_>, token: &AccessToken, secret: &[u8; 32]) -> bool {
        let normalized = Normalized {
            kind: self.kind,
            time: &self.time,
            nonce: &self.nonce,
            method: if self.is_bewit() { "GET" } else { what.method },
            resource: (what.resource, ""),
            host: what.host,
            port: what.port,
            hash: self.hash.as_deref(),
            ext: self.ext.as_deref(),
            app: self.app.as_deref(),
            dlg: self.dlg.as_deref(),
        };
        let key = token.key();
        let expected = match &self.seed {
            Some(seed) => Key::new(&*key.temporary(seed)).mac(|text| normalized.write(text)),
            None => key.mac(|text| normalized.write(text)),
        };
        let expected = Zeroizing::new(expected.bytes());
        fingerprint(&expected, secret) == self.fingerprint
    }
}

/// What stands in place of a MAC.
fn fingerprint(mac: &[u8; 32], secret: &[u8; 32]) -> [u8; 32] {
    Key::new(secret).mac(|text| text.push_bytes(mac)).bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hawk::sign;

    const SECRET: [u8; 32] = [9; 32];

    fn token() -> AccessToken {
        AccessToken::new("token".to_owned())
    }

    fn header() -> String {
        let request = sign::Request {
            method: "get",
            resource: "/a?b",
            host: "h.example",
            port: 443,
            ts_seconds: 5,
            nonce: "n",
            ..Default::default()
        };
        sign::header("ann", &token(), &request)
    }

    #[test]
    fn it_says_for_what_it_was_signed() {
        let header = header();
        let parts = RequestParts { method: "GET", resource: "/a?b", host: "h.example", port: 8443, authorization: Some(&header) };
        let unmatched = Unmatched::of(&parts, &SECRET).unwrap();
        assert_eq!((unmatched.id(), unmatched.ts_seconds(), unmatched.hash()), ("ann", Some(5), None));
        let seen = unmatched.seen();
        assert_eq!(seen, SignedFor { method: "GET", resource: "/a?b", host: "h.example", port: 8443 });
        assert!(!unmatched.is_for(seen, &token(), &SECRET));
        assert!(unmatched.is_for(SignedFor { port: 443, ..seen }, &token(), &SECRET));
        assert!(!unmatched.is_for(SignedFor { port: 443, ..seen }, &AccessToken::new("other".to_owned()), &SECRET));
        assert!(!unmatched.is_for(SignedFor { port: 443, ..seen }, &token(), &[8; 32]), "the process is another");
    }

    #[test]
    fn a_bewit_says_it_too() {
        let bewit = sign::bewit("ann", &token(), "/a?b", "h.example", 443, 5, None);
        let resource = format!("/a?b&bewit={bewit}");
        let parts = RequestParts { method: "GET", resource: &resource, host: "h.example", port: 80, authorization: None };
        let unmatched = Unmatched::of(&parts, &SECRET).unwrap();
        assert!(unmatched.is_bewit() && !unmatched.seen().resource.contains("bewit"));
        assert!(unmatched.is_for(SignedFor { port: 443, ..unmatched.seen() }, &token(), &SECRET));
    }

    #[test]
    fn what_is_no_signature_or_long_is_not_kept() {
        let of = |resource: &str, authorization: Option<&str>| {
            Unmatched::of(&RequestParts { method: "GET", resource, host: "h", port: 1, authorization }, &SECRET).is_some()
        };
        let (header, long) = (header(), format!("/{}", "a".repeat(LONGEST)));
        assert!(of("/a", Some(&header)) && !of(&long, Some(&header)) && !of("/a", None) && !of("/a", Some("Bearer x")));
        assert!(!of("/a", Some("Hawk id=\"a\", ts=\"1\", nonce=\"n\", mac=\"no\"")));
    }

    /// With the MAC, and the right host and port, whoever reads it could send the request again.
    #[test]
    fn the_mac_is_nowhere_in_it() {
        let header = header();
        let parts = RequestParts { method: "GET", resource: "/a?b", host: "h.example", port: 1, authorization: Some(&header) };
        let signed = read(&parts).unwrap().unwrap();
        let (.., mac) = signed.pieces();
        assert_ne!(Unmatched::of_signed(&signed, &SECRET).unwrap().fingerprint, *mac.unwrap());
    }
}
