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

/// A signature without its MAC. Strangers make many, so all its texts are one piece of memory.
pub struct Unmatched {
    kind: &'static str,
    texts: Box<str>,
    /// Where each of [`Text`] stands in them; `None`: there is none.
    places: [Option<(u16, u16)>; TEXTS],
    port: u16,
    fingerprint: [u8; 32],
}

/// The secret of the process under which MACs are hashed that are not kept, prepared once: half of such a hash is that.
pub struct RefusalSecret(Key);

impl RefusalSecret {
    /// Of bytes that were drawn for it.
    pub fn new(secret: &[u8; 32]) -> RefusalSecret {
        RefusalSecret(Key::new(secret))
    }
}

/// What is kept as a text.
#[derive(Clone, Copy)]
enum Text {
    Id,
    KeyOwner,
    Seed,
    Time,
    Nonce,
    Hash,
    Ext,
    App,
    Dlg,
    Method,
    /// As it came, where that is not the one that was signed.
    MethodAsSeen,
    /// Without a bewit.
    Resource,
    Host,
    /// As it came, where that is not the one that was signed.
    HostAsSeen,
}

const TEXTS: usize = 14;

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
    pub fn of(parts: &RequestParts<'_>, secret: &RefusalSecret) -> Option<Unmatched> {
        if parts.resource.len().saturating_add(parts.authorization.map_or(0, str::len)) > LONGEST {
            return None;
        }
        let signed = read(parts).ok().flatten()?;
        Unmatched::of_signed(&signed, parts, secret)
    }

    fn of_signed(signed: &Signed<'_>, parts: &RequestParts<'_>, secret: &RefusalSecret) -> Option<Unmatched> {
        let (claim, covered, mac) = signed.pieces();
        let (kind, time) = match &claim.moment {
            Moment::Timestamp(ts) => ("header", ts),
            Moment::Expiry(exp) => ("bewit", exp),
            Moment::Arrived => return None,
        };
        let other = |seen, signed| Some(seen).filter(|seen| *seen != signed);
        let (path, query) = &covered.resource;
        let all: [(Text, Option<&str>, &str); TEXTS] = [
            (Text::Id, Some(signed.id()), ""),
            (Text::KeyOwner, Some(signed.key_owner()), ""),
            (Text::Seed, claim.ext.seed(), ""),
            (Text::Time, Some(time), ""),
            (Text::Nonce, Some(covered.nonce), ""),
            (Text::Hash, claim.hash.as_deref(), ""),
            (Text::Ext, covered.ext.as_deref(), ""),
            (Text::App, covered.app, ""),
            (Text::Dlg, covered.dlg, ""),
            (Text::Method, Some(covered.method), ""),
            (Text::MethodAsSeen, other(parts.method, covered.method), ""),
            (Text::Resource, Some(path), query),
            (Text::Host, Some(&*claim.host), ""),
            (Text::HostAsSeen, other(parts.host, &*claim.host), ""),
        ];
        let length = all.iter().map(|(_, text, more)| text.map_or(0, |text| text.len() + more.len())).sum();
        let mut texts = String::with_capacity(length);
        let mut places = [None; TEXTS];
        for (which, text, more) in all {
            let Some(text) = text else { continue };
            let start = u16::try_from(texts.len()).ok()?;
            texts.push_str(text);
            texts.push_str(more);
            if let Some(place) = places.get_mut(which as usize) {
                *place = Some((start, u16::try_from(texts.len()).ok()?));
            }
        }
        let texts = texts.into_boxed_str();
        Some(Unmatched { kind, texts, places, port: claim.port, fingerprint: fingerprint(mac?, secret) })
    }

    fn text(&self, which: Text) -> Option<&str> {
        let (start, end) = self.places.get(which as usize).copied().flatten()?;
        self.texts.get(usize::from(start)..usize::from(end))
    }

    /// One that every signature has.
    fn own(&self, which: Text) -> &str {
        self.text(which).unwrap_or_default()
    }

    /// The `id` of the header or bewit. Nothing proves it.
    pub fn id(&self) -> &str {
        self.own(Text::Id)
    }

    /// Whose key would have signed it. Nothing proves it.
    pub fn key_owner(&self) -> &str {
        self.own(Text::KeyOwner)
    }

    /// What it was taken to be signed for.
    pub fn seen(&self) -> SignedFor<'_> {
        let [method, resource, host] = [Text::Method, Text::Resource, Text::Host].map(|which| self.own(which));
        SignedFor { method, resource, host, port: self.port }
    }

    /// The same with method and host as they came.
    pub fn as_seen(&self) -> SignedFor<'_> {
        let seen = self.seen();
        SignedFor {
            method: self.text(Text::MethodAsSeen).unwrap_or(seen.method),
            host: self.text(Text::HostAsSeen).unwrap_or(seen.host),
            ..seen
        }
    }

    /// Whether it came as a bewit.
    pub fn is_bewit(&self) -> bool {
        self.kind == "bewit"
    }

    /// The `ts` of a header, in seconds since the epoch.
    pub fn ts_seconds(&self) -> Option<i64> {
        if self.is_bewit() { None } else { self.own(Text::Time).parse().ok() }
    }

    /// The payload hash that it names.
    pub fn hash(&self) -> Option<&str> {
        self.text(Text::Hash)
    }

    /// Whether it is right for this, under the key owner's token. `secret` is the one that it was kept with.
    pub fn is_for(&self, what: SignedFor<'_>, token: &AccessToken, secret: &RefusalSecret) -> bool {
        let normalized = Normalized {
            kind: self.kind,
            time: self.own(Text::Time),
            nonce: self.own(Text::Nonce),
            method: if self.is_bewit() { "GET" } else { what.method },
            resource: (what.resource, ""),
            host: what.host,
            port: what.port,
            hash: self.text(Text::Hash),
            ext: self.text(Text::Ext),
            app: self.text(Text::App),
            dlg: self.text(Text::Dlg),
        };
        let key = token.key();
        let expected = match self.text(Text::Seed) {
            Some(seed) => Key::new(&*key.temporary(seed)).mac(|text| normalized.write(text)),
            None => key.mac(|text| normalized.write(text)),
        };
        let expected = Zeroizing::new(expected.bytes());
        fingerprint(&expected, secret) == self.fingerprint
    }
}

/// What stands in place of a MAC.
fn fingerprint(mac: &[u8; 32], secret: &RefusalSecret) -> [u8; 32] {
    secret.0.mac(|text| text.push_bytes(mac)).bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hawk::sign;

    fn secret() -> RefusalSecret {
        RefusalSecret::new(&[9; 32])
    }

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
        let unmatched = Unmatched::of(&parts, &secret()).unwrap();
        assert_eq!((unmatched.id(), unmatched.ts_seconds(), unmatched.hash()), ("ann", Some(5), None));
        let seen = unmatched.seen();
        assert_eq!(seen, SignedFor { method: "GET", resource: "/a?b", host: "h.example", port: 8443 });
        assert!(!unmatched.is_for(seen, &token(), &secret()));
        assert!(unmatched.is_for(SignedFor { port: 443, ..seen }, &token(), &secret()));
        assert!(!unmatched.is_for(SignedFor { port: 443, ..seen }, &AccessToken::new("other".to_owned()), &secret()));
        assert!(!unmatched.is_for(SignedFor { port: 443, ..seen }, &token(), &RefusalSecret::new(&[8; 32])), "the process is another");
        assert_eq!(unmatched.as_seen(), seen);
    }

    #[test]
    fn what_came_in_another_spelling_is_told_as_it_came() {
        let header = header();
        let parts = RequestParts { method: "Get", resource: "/a?b", host: "H.example", port: 8443, authorization: Some(&header) };
        let unmatched = Unmatched::of(&parts, &secret()).unwrap();
        assert_eq!((unmatched.as_seen().method, unmatched.as_seen().host), ("Get", "H.example"));
        assert_eq!(unmatched.seen().host, "h.example");
        assert!(unmatched.is_for(SignedFor { port: 443, ..unmatched.seen() }, &token(), &secret()));
    }

    #[test]
    fn a_bewit_says_it_too() {
        let bewit = sign::bewit("ann", &token(), "/a?b", "h.example", 443, 5, None);
        let resource = format!("/a?b&bewit={bewit}");
        let parts = RequestParts { method: "GET", resource: &resource, host: "h.example", port: 80, authorization: None };
        let unmatched = Unmatched::of(&parts, &secret()).unwrap();
        assert!(unmatched.is_bewit() && !unmatched.seen().resource.contains("bewit"));
        assert!(unmatched.is_for(SignedFor { port: 443, ..unmatched.seen() }, &token(), &secret()));
    }

    #[test]
    fn what_is_no_signature_or_long_is_not_kept() {
        let of = |resource: &str, authorization: Option<&str>| {
            Unmatched::of(&RequestParts { method: "GET", resource, host: "h", port: 1, authorization }, &secret()).is_some()
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
        assert_ne!(Unmatched::of_signed(&signed, &parts, &secret()).unwrap().fingerprint, *mac.unwrap());
    }
}
