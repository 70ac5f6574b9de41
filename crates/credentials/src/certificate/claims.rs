//! The certificate of temporary credentials: its checks, and the text that is signed.

use crate::certificate::ext::Ext;
use crate::certificate::field::{Field, NotScopes};
use crate::failure::CertificateFault;
use crate::key::mac::{Mac, Text};
use crate::{AccessToken, Failure};
use falconer_scopes::{ScopeSet, is_valid_scope};
use serde_json::Number;

/// How far a certificate may begin after, or have ended before, the clock.
pub(crate) const TOLERANCE_MS: i64 = 5 * 60 * 1000;

/// The longest that a certificate can last.
pub(crate) const MAX_LIFETIME_MS: i64 = 31 * 24 * 60 * 60 * 1000;

/// The largest number up to which JavaScript counts every integer.
pub(crate) const MAX_INTEGER: u64 = 1 << 53;

/// Length of a seed in UTF-16 units: two slugids.
const SEED_UNITS: usize = 44;

/// Whether a client can have this name: `^[A-Za-z0-9!@/:.+|_-]+$`.
pub fn is_client_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!@/:.+|_-".contains(&b))
}

/// What an issuer says of the certificate of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Certificates that start before it count no more. Milliseconds since the epoch.
    pub before_ms: Option<i64>,
    /// Whether those with the seed of the request ([`crate::Authentic::seed`]) count no more.
    pub seed: bool,
}

/// What a certificate claims, in the right form and valid at the time of asking. Its signature is still to be checked.
pub(crate) struct Claims<'a> {
    pub scopes: Vec<&'a str>,
    pub expiry_ms: i64,
    start_ms: i64,
    seed: &'a str,
    /// The name and the issuer, for a named certificate.
    named: Option<(&'a str, &'a str)>,
    signature: Option<&'a str>,
    has_client_id: bool,
}

impl<'a> Claims<'a> {
    /// Checks 1 to 11. `id` is the header's; the issuer was checked to be text, if there is one.
    pub(crate) fn read(ext: &'a Ext, id: &'a str, now_ms: i64) -> Result<Claims<'a>, Failure> {
        if !ext.certificate_is_container() {
            return Err(CertificateFault::Object.into());
        }
        if ext.number(Field::Version).and_then(Number::as_f64) != Some(1.0) {
            return Err(CertificateFault::Version.into());
        }
        let Some(seed) = ext.seed() else {
            return Err(CertificateFault::Seed.into());
        };
        // Bytes are never fewer than units, and of ASCII never more.
        if !(seed.is_ascii() && seed.len() == SEED_UNITS || seed.encode_utf16().count() == SEED_UNITS) {
            return Err(CertificateFault::SeedLength.into());
        }
        let Some(start_ms) = ext.number(Field::Start).and_then(integer) else {
            return Err(CertificateFault::Start.into());
        };
        let Some(expiry_ms) = ext.number(Field::Expiry).and_then(integer) else {
            return Err(CertificateFault::Expiry.into());
        };
        let scopes = ext.certificate_scopes().map_err(|error| match error {
            NotScopes::NoArray => CertificateFault::Scopes,
            NotScopes::NotAll => CertificateFault::InvalidScopes,
        })?;
        if start_ms > now_ms.saturating_add(TOLERANCE_MS) {
            return Err(CertificateFault::NotYet.into());
        }
        if expiry_ms < now_ms.saturating_sub(TOLERANCE_MS) {
            return Err(CertificateFault::Over.into());
        }
        if expiry_ms.saturating_sub(start_ms) > MAX_LIFETIME_MS {
            return Err(CertificateFault::TooLong.into());
        }
        Ok(Claims {
            scopes,
            expiry_ms,
            start_ms,
            seed,
            named: ext.issuer().flatten().map(|issuer| (id, issuer)),
            signature: ext.text(Field::Signature),
            has_client_id: ext.has_client_id(),
        })
    }

    /// Whether it is a named certificate.
    pub(crate) fn is_named(&self) -> bool {
        self.named.is_some()
    }

    /// Check 12 for unnamed certificates: the key `clientId` may not occur.
    pub(crate) fn check_no_client_id(&self) -> Result<(), Failure> {
        if self.named.is_none() && self.has_client_id {
            return Err(CertificateFault::NameWithoutIssuer.into());
        }
        Ok(())
    }

    /// Checks 12 and 13: the issuer may make clients of this name, and has what it gives. `held` is expanded, without the anonymous role.
    pub(crate) fn check_issuer_scopes(&self, issuer: &str, held: &ScopeSet) -> Result<(), Failure> {
        if let Some((id, _)) = self.named {
            let needed = ["auth:create-client:", id].concat();
            // A bewit's id may hold any character; no scope covers what is no scope.
            if !is_valid_scope(&needed) || !held.satisfies(&needed) {
                return Err(CertificateFault::IssuerMayNotName { issuer: issuer.to_owned(), needed }.into());
            }
        }
        self.check_no_client_id()?;
        if !held.satisfies_all(self.scopes.iter().copied()) {
            return Err(CertificateFault::IssuerLacksScopes { issuer: issuer.to_owned(), scopes: self.scopes.join(", ") }.into());
        }
        Ok(())
    }

    /// Check 14: the signature, compared in constant time; then what no server of the protocol looks at: that the name is one that a client can have.
    pub(crate) fn check_signature(&self, issuer_token: &AccessToken) -> Result<(), Failure> {
        let Claims { named, seed, start_ms, expiry_ms, scopes, .. } = self;
        let expected = issuer_token.key().mac(|text| write_signed(text, *named, seed, *start_ms, *expiry_ms, scopes));
        if self.signature.and_then(|signature| Mac::decode(signature.as_bytes())).is_some_and(|given| expected.equals(&given)) {
            return match named {
                Some((name, _)) if !is_client_id(name) => Err(CertificateFault::Name.into()),
                _ => Ok(()),
            };
        }
        Err(if self.is_named() { CertificateFault::NamedSignature.into() } else { CertificateFault::Signature.into() })
    }

    /// What no server of the protocol knows: that its issuer has revoked it. After the signature, which covers the start and the seed.
    pub(crate) fn check_not_revoked(&self, issuer: &str, revoked: Revoked) -> Result<(), Failure> {
        let before_ms = revoked.before_ms.filter(|before_ms| self.start_ms < *before_ms);
        if before_ms.is_none() && !revoked.seed {
            return Ok(());
        }
        Err(CertificateFault::Revoked { issuer: issuer.to_owned(), before_ms }.into())
    }
}

/// Writes the text that a certificate's signature covers: lines without a line feed after the last, so that no scopes means that it ends in
/// `scopes:`. `named` is the clientId and the issuer.
pub(crate) fn write_signed<S: AsRef<str>>(
    text: &mut Text,
    named: Option<(&str, &str)>,
    seed: &str,
    start_ms: i64,
    expiry_ms: i64,
    scopes: &[S],
) {
    text.push("version:1\n");
    if let Some((id, issuer)) = named {
        text.push("clientId:");
        text.push_line(id);
        text.push("issuer:");
        text.push_line(issuer);
    }
    text.push("seed:");
    text.push_line(seed);
    text.push("start:");
    text.push_number(start_ms);
    text.push("\nexpiry:");
    text.push_number(expiry_ms);
    text.push("\nscopes:");
    for scope in scopes {
        text.push("\n");
        text.push(scope.as_ref());
    }
}

/// A JSON number that is an integer of at most 2^53 either way, however it is written (`1e3`, `5.0`). JavaScript prints these as Rust does.
fn integer(number: &Number) -> Option<i64> {
    if let Some(integer) = number.as_i64() {
        return Some(integer).filter(|integer| integer.unsigned_abs() <= MAX_INTEGER);
    }
    let float = number.as_f64()?;
    // INVARIANT: within the bound every double without a fraction is an i64.
    (float.fract() == 0.0 && float.abs() <= MAX_INTEGER as f64).then_some(float as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_those_that_every_language_prints_alike() {
        let read = |json: &str| integer(serde_json::from_str::<serde_json::Value>(json).unwrap().as_number()?);
        for (json, expected) in [
            ("0", 0),
            ("-0", 0),
            ("-0.0", 0),
            ("-5", -5),
            ("1e3", 1000),
            ("1767225600000.0", 1_767_225_600_000),
            ("9007199254740992", 1 << 53),
            ("-9007199254740992", -(1 << 53)),
        ] {
            assert_eq!(read(json), Some(expected), "{json}");
        }
        for json in [
            "0.5",
            "9007199254740993",
            "-9007199254740993",
            "9223372036854775807",
            "-9223372036854775808",
            "9223372036854775808",
            "1e300",
            "\"1\"",
            "null",
            "true",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
