//! The text of a token, and its check in two steps: the checksum without any key, then the MAC.
//!
//! `falconer_at_`, `falconer_rt_` or `falconer_jt_` and 71 bytes in base64url without padding, 95 characters; with 16 bytes more for each service that it is bound to, and 32 where it is bound to a key:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | what it is for: 1 access, 2 refresh, 3 the name of a signed token; and 16 for each service that it is bound to; and 128 where it is bound to a key |
//! | 4 | the number of the key, big-endian |
//! | 16 | whose it is |
//! | 6 | its end, milliseconds since 1970, big-endian |
//! | 8 | random, so that no two are alike |
//! | 32 | the thumbprint of the key whose proofs it needs (RFC 9449), where there is one |
//! | 16 each | services that it is bound to, at most four: the first bytes of SHA-256 over host and port |
//! | 32 | HMAC-SHA256 over the bytes before, under a key that is derived from the access token of the key's owner |
//! | 4 | the first bytes of SHA-256 over the bytes before: a checksum for whoever has no key |

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::bearer::kind::BearerKind;
use crate::bearer::services::{BoundServices, MOST_SERVICES, SERVICE};
use crate::jws::public_key::KeyThumbprint;
use crate::key::access_token::AccessToken;
use crate::key::mac::{Key, LENGTH};

/// The claims, with what it is for, of a token that is bound to no service.
const CLAIMS: usize = 1 + 4 + 16 + 6 + 8;
/// What stands for a key.
const THUMBPRINT: usize = 32;
/// In the first byte: bound to a key.
const BOUND_TO_KEY: u8 = 128;
const MOST_CLAIMS: usize = CLAIMS + THUMBPRINT + MOST_SERVICES * SERVICE;
const MOST_BYTES: usize = MOST_CLAIMS + LENGTH + CHECKSUM;
const CHECKSUM: usize = 4;
/// From which the key is derived, so that no MAC of a token is one of a request or of a certificate.
const PURPOSE: &str = "falconer.bearer.1";
/// Six bytes hold no more: the year 10889.
const LATEST_MS: u64 = (1 << 48) - 1;

impl BearerKind {
    /// The first byte of a token that is bound so.
    fn byte_of(self, services: &BoundServices, is_bound_to_key: bool) -> Option<u8> {
        let of_key = if is_bound_to_key { BOUND_TO_KEY } else { 0 };
        u8::try_from(services.count()).ok().map(|count| self.byte() + 16 * count + of_key)
    }
}

/// What a token says. Nothing of it counts before [`PresentedToken::check_mac`] was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BearerClaims {
    /// What it is for.
    pub kind: BearerKind,
    /// The number of the key.
    pub key: u32,
    /// Whose it is.
    pub subject: [u8; 16],
    /// From then on it is worth nothing; milliseconds since 1970.
    pub expires_ms: i64,
    /// Random.
    pub serial: [u8; 8],
    /// Where it counts.
    pub services: BoundServices,
    /// The key whose proofs go with it. `None`: it counts for whoever has it.
    pub proof_key: Option<KeyThumbprint>,
}

/// The key under which tokens are made and checked. As secret as the access token that it comes from; cloning copies no secret.
#[derive(Clone)]
pub struct BearerKey(pub(super) Arc<Key>);

/// What is under the MAC.
#[derive(Clone, Copy)]
struct Covered {
    bytes: [u8; MOST_CLAIMS],
    length: usize,
}

impl Covered {
    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// A token whose form and checksum are right. Anybody can make one.
pub struct PresentedToken {
    claims: BearerClaims,
    covered: Covered,
    mac: [u8; LENGTH],
}

impl BearerKey {
    /// The key that belongs to this access token.
    pub fn new(token: &AccessToken) -> BearerKey {
        BearerKey(Arc::new(Key::new(&*token.key().temporary(PURPOSE))))
    }

    /// The text of a token. `None`: its end can't be written.
    pub fn issue(&self, claims: &BearerClaims) -> Option<Zeroizing<String>> {
        let covered = claims.bytes()?;
        let mac = self.0.mac(|text| text.push_bytes(covered.as_slice())).bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
        bytes.extend_from_slice(covered.as_slice());
        bytes.extend_from_slice(&mac);
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum);
        let mut text = Zeroizing::new(String::with_capacity(claims.kind.prefix().len() + characters(MOST_BYTES)));
        text.push_str(claims.kind.prefix());
        URL_SAFE_NO_PAD.encode_string(&*bytes, &mut text);
        Some(text)
    }
}

impl PresentedToken {
    /// Reads a token of this kind. `None`: it is none, or it was not copied as it was.
    pub fn read(kind: BearerKind, text: &str) -> Option<PresentedToken> {
        let written = text.strip_prefix(kind.prefix())?;
        // A thumbprint is as long as two services.
        let length_of = |services: usize| CLAIMS + services * SERVICE + LENGTH + CHECKSUM;
        let longest = MOST_SERVICES + THUMBPRINT / SERVICE;
        let length = (0..=longest).map(length_of).find(|length| characters(*length) == written.len())?;
        let mut buffer = [0; MOST_BYTES];
        let bytes = buffer.get_mut(..length)?;
        if URL_SAFE_NO_PAD.decode_slice(written, bytes) != Ok(length) {
            return None;
        }
        let (before, sum) = bytes.split_last_chunk::<CHECKSUM>().map(|(before, sum)| (before, *sum))?;
        let (claimed, mac) = before.split_last_chunk::<LENGTH>()?;
        if sum != checksum(before) {
            return None;
        }
        let mut covered = Covered { bytes: [0; MOST_CLAIMS], length: claimed.len() };
        covered.bytes.get_mut(..claimed.len())?.copy_from_slice(claimed);
        Some(PresentedToken { claims: BearerClaims::read(kind, claimed)?, covered, mac: *mac })
    }

    /// Whose key it needs. Nothing proves it yet.
    pub fn key(&self) -> u32 {
        self.claims.key
    }

    /// Compares the MAC in constant time. `None` as a key means that there is no such key: the same work is done with another one. `None` as the answer: wrong,
    /// for whatever reason.
    pub fn check_mac(self, key: Option<&BearerKey>) -> Option<BearerClaims> {
        let is_right = key.unwrap_or_else(|| dummy_key()).0.mac(|text| text.push_bytes(self.covered.as_slice())).equals(&self.mac);
        (is_right && key.is_some()).then_some(self.claims)
    }
}

impl BearerClaims {
    fn bytes(&self) -> Option<Covered> {
        let expires_ms = u64::try_from(self.expires_ms).ok().filter(|ms| *ms <= LATEST_MS)?;
        let expires = expires_ms.to_be_bytes();
        let (byte, key) = ([self.kind.byte_of(&self.services, self.proof_key.is_some())?], self.key.to_be_bytes());
        let fixed: [&[u8]; 5] = [&byte, &key, &self.subject, expires.get(2..)?, &self.serial];
        let services = self.services.digests().iter().map(|digest| &digest[..]);
        let mut covered = Covered { bytes: [0; MOST_CLAIMS], length: 0 };
        let proof_key = self.proof_key.iter().map(|thumbprint| &thumbprint.0[..]);
        for part in fixed.into_iter().chain(proof_key).chain(services) {
            let end = covered.length + part.len();
            covered.bytes.get_mut(covered.length..end)?.copy_from_slice(part);
            covered.length = end;
        }
        Some(covered)
    }

    fn read(kind: BearerKind, claimed: &[u8]) -> Option<BearerClaims> {
        let (byte, rest) = claimed.split_first()?;
        let (key, rest) = rest.split_first_chunk()?;
        let (subject, rest) = rest.split_first_chunk()?;
        let (expires, rest) = rest.split_first_chunk::<6>()?;
        let (serial, rest) = rest.split_first_chunk()?;
        let (proof_key, rest) = match byte & BOUND_TO_KEY {
            0 => (None, rest),
            _ => rest.split_first_chunk().map(|(thumbprint, rest)| (Some(KeyThumbprint(*thumbprint)), rest))?,
        };
        let services = BoundServices::read(rest)?;
        let mut expires_ms = [0; 8];
        expires_ms.get_mut(2..)?.copy_from_slice(expires);
        Some(BearerClaims {
            kind,
            key: u32::from_be_bytes(*key),
            subject: *subject,
            expires_ms: i64::from_be_bytes(expires_ms),
            serial: *serial,
            services,
            proof_key,
        })
        .filter(|_| Some(*byte) == kind.byte_of(&services, proof_key.is_some()))
    }
}

/// Of so many bytes in base64url without padding.
pub(super) const fn characters(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(bytes));
    [a, b, c, d]
}

// No issuer has it; what it makes is compared all the same, so that an unknown key costs what a known one does.
fn dummy_key() -> &'static BearerKey {
    static KEY: OnceLock<BearerKey> = OnceLock::new();
    KEY.get_or_init(|| BearerKey::new(&AccessToken::new("dummy-token-dummy-token-dummy-token-dummy-to".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: usize = CLAIMS + LENGTH + CHECKSUM;
    const PREFIX: &str = "falconer_at_";

    fn read(text: &str) -> Option<PresentedToken> {
        PresentedToken::read(BearerKind::Access, text)
    }

    fn key(text: &str) -> BearerKey {
        BearerKey::new(&AccessToken::new(text.to_owned()))
    }

    const CLAIMED: BearerClaims = BearerClaims {
        kind: BearerKind::Access,
        key: 3,
        subject: [7; 16],
        expires_ms: 1_767_225_600_000,
        serial: [9; 8],
        services: BoundServices::ANY,
        proof_key: None,
    };

    #[test]
    fn a_token_says_what_it_was_given() {
        for claims in
            [CLAIMED, BearerClaims { kind: BearerKind::Refresh, key: 0, subject: [0; 16], expires_ms: 0, serial: [0; 8], ..CLAIMED }]
        {
            let text = key("k").issue(&claims).unwrap();
            assert!(text.len() == 107 && text.starts_with(claims.kind.prefix()), "{}", text.len());
            let read = PresentedToken::read(claims.kind, &text).unwrap();
            assert_eq!(read.key(), claims.key);
            assert_eq!(read.check_mac(Some(&key("k"))), Some(claims));
        }
        for expires_ms in [-1, i64::MAX, 1 << 48] {
            assert!(key("k").issue(&BearerClaims { expires_ms, ..CLAIMED }).is_none());
        }
    }

    #[test]
    fn a_token_is_bound_to_so_many_services() {
        let mut services = BoundServices::default();
        assert!(services.is_any() && services.allow("notes.example", 443));
        for n in 0..MOST_SERVICES {
            services = services.and(&format!("s{n}.example"), 443).unwrap();
            let claims = BearerClaims { services, ..CLAIMED };
            let text = key("k").issue(&claims).unwrap();
            assert_eq!(text.len(), PREFIX.len() + characters(BYTES + (n + 1) * SERVICE));
            let presented = read(&text).unwrap();
            assert_eq!(presented.check_mac(Some(&key("k"))), Some(claims));
            let mut bytes = URL_SAFE_NO_PAD.decode(&text[PREFIX.len()..]).unwrap();
            bytes.truncate(bytes.len() - CHECKSUM);
            for other in [bytes[0] - 16, bytes[0] + 16, BearerKind::Access.byte(), 0] {
                let mut less = bytes.clone();
                if less[0] == other {
                    continue;
                }
                less[0] = other;
                let sum = checksum(&less);
                less.extend_from_slice(&sum);
                assert!(read(&format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&less))).is_none(), "{n} {other}");
            }
            // With a service less, and all else as it was.
            let mut less = [&bytes[..CLAIMS], &bytes[CLAIMS + SERVICE..]].concat();
            less[0] -= 16;
            let sum = checksum(&less);
            less.extend_from_slice(&sum);
            let less = read(&format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&less))).unwrap();
            assert_eq!(less.check_mac(Some(&key("k"))), None);
        }
        assert!(services.allow("s3.example", 443) && services.allow("S0.EXAMPLE", 443) && !services.is_any());
        assert!(!services.allow("s3.example", 444) && !services.allow("s4.example", 443) && !services.allow("", 0));
        assert!(services.and("more.example", 443).is_none());
    }

    /// A thumbprint is as long as two services: neither is ever taken for the other.
    #[test]
    fn a_token_is_bound_to_a_key_and_to_services() {
        let proof_key = Some(KeyThumbprint([5; 32]));
        let mut services = BoundServices::default();
        for n in 0..=MOST_SERVICES {
            let claims = BearerClaims { services, proof_key, ..CLAIMED };
            let text = key("k").issue(&claims).unwrap();
            assert_eq!(text.len(), PREFIX.len() + characters(BYTES + THUMBPRINT + n * SERVICE));
            assert_eq!(read(&text).unwrap().check_mac(Some(&key("k"))), Some(claims));
            let mut bytes = URL_SAFE_NO_PAD.decode(&text[PREFIX.len()..]).unwrap();
            bytes.truncate(bytes.len() - CHECKSUM);
            // The same bytes as two services more and no key.
            bytes[0] = bytes[0] - BOUND_TO_KEY + 32;
            let sum = checksum(&bytes);
            bytes.extend_from_slice(&sum);
            let other = read(&format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes)));
            assert_eq!(other.is_some(), n + 2 <= MOST_SERVICES, "{n}");
            assert_eq!(other.and_then(|other| other.check_mac(Some(&key("k")))), None);
            services = services.and(&format!("s{n}.example"), 443).unwrap_or(services);
        }
    }

    #[test]
    fn each_other_character_is_noticed_without_a_key() {
        let text = key("k").issue(&CLAIMED).unwrap();
        for at in 0..text.len() {
            for other in ['A', 'b', '-', '.', '='] {
                let mut mistyped: Vec<char> = text.chars().collect();
                if std::mem::replace(&mut mistyped[at], other) == other {
                    continue;
                }
                assert!(read(&mistyped.iter().collect::<String>()).is_none(), "{at} {other}");
            }
        }
        let (short, long) = (&text[..text.len() - 1], format!("{}A", *text));
        for other in [short, long.as_str(), "", "falconer_at_", &text[PREFIX.len()..]] {
            assert!(read(other).is_none(), "{other}");
        }
    }

    /// Whoever can make the checksum has no key.
    #[test]
    fn no_bit_can_be_changed_with_its_checksum() {
        let text = key("k").issue(&CLAIMED).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&text[PREFIX.len()..]).unwrap();
        let mut tried = 0;
        for bit in 0..8 * (BYTES - CHECKSUM) {
            let mut other = bytes[..BYTES - CHECKSUM].to_vec();
            other[bit / 8] ^= 1 << (bit % 8);
            let sum = checksum(&other);
            other.extend_from_slice(&sum);
            // Another form is none that is known.
            let Some(presented) = read(&format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&other))) else { continue };
            tried += 1;
            assert_eq!(presented.check_mac(Some(&key("k"))), None, "{bit}");
        }
        assert_eq!(tried, 8 * (BYTES - CHECKSUM - 1));
    }

    /// Nor by another prefix, with a checksum that is right.
    #[test]
    fn what_is_of_another_kind_is_no_access_token() {
        for kind in [BearerKind::Refresh, BearerKind::Signed] {
            let text = key("k").issue(&BearerClaims { kind, ..CLAIMED }).unwrap();
            let renamed = text.replace(kind.prefix(), PREFIX);
            assert!(read(&text).is_none() && read(&renamed).is_none());
            let mut bytes = URL_SAFE_NO_PAD.decode(&text[PREFIX.len()..]).unwrap();
            bytes.truncate(BYTES - CHECKSUM);
            bytes[0] = BearerKind::Access.byte();
            let sum = checksum(&bytes);
            bytes.extend_from_slice(&sum);
            let other = read(&format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes))).unwrap();
            assert_eq!(other.check_mac(Some(&key("k"))), None, "{kind:?}");
        }
    }

    #[test]
    fn no_other_key_will_do() {
        let text = key("k").issue(&CLAIMED).unwrap();
        assert_eq!(read(&text).unwrap().check_mac(Some(&key("other"))), None);
        assert_eq!(read(&text).unwrap().check_mac(None), None);
        let of_nobody = dummy_key().issue(&CLAIMED).unwrap();
        assert_eq!(read(&of_nobody).unwrap().check_mac(None), None, "the key that stands for none opens nothing");
        let raw = BearerKey(Arc::new(Key::new(b"k"))).issue(&CLAIMED).unwrap();
        assert_eq!(read(&raw).unwrap().check_mac(Some(&key("k"))), None, "the key is derived");
    }
}
