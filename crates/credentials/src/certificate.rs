//! The certificate of temporary credentials: its checks, and the text that is signed (hawk.md 7).

use crate::ext::{truthy, valid_scopes};
use crate::{AccessToken, Failure, mac};
use falconer_scopes::{ScopeSet, is_valid_scope};
use serde_json::Value;
use std::fmt::Write as _;

/// How far a certificate may begin after, or have ended before, the clock.
pub(crate) const TOLERANCE_MS: i64 = 5 * 60 * 1000;

/// The longest that a certificate can last.
pub(crate) const MAX_LIFETIME_MS: i64 = 31 * 24 * 60 * 60 * 1000;

/// The largest number up to which JavaScript counts every integer.
pub(crate) const MAX_INTEGER: u64 = 1 << 53;

/// Length of a seed in UTF-16 units: two slugids.
const SEED_UNITS: usize = 44;

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
    pub(crate) fn read(certificate: &'a Value, id: &'a str, now_ms: i64) -> Result<Claims<'a>, Failure> {
        if !(certificate.is_object() || certificate.is_array()) {
            return Err(Failure::certificate("ext.certificate must be a JSON object"));
        }
        if certificate.get("version").and_then(Value::as_f64) != Some(1.0) {
            return Err(Failure::certificate("ext.certificate.version must be 1"));
        }
        let Some(seed) = certificate.get("seed").and_then(Value::as_str) else {
            return Err(Failure::certificate("ext.certificate.seed must be a string"));
        };
        if seed.encode_utf16().count() != SEED_UNITS {
            return Err(Failure::certificate("ext.certificate.seed must be 44 characters"));
        }
        let Some(start_ms) = certificate.get("start").and_then(integer) else {
            return Err(Failure::certificate("ext.certificate.start must be a number"));
        };
        let Some(expiry_ms) = certificate.get("expiry").and_then(integer) else {
            return Err(Failure::certificate("ext.certificate.expiry must be a number"));
        };
        let Some(scopes) = certificate.get("scopes").and_then(Value::as_array) else {
            return Err(Failure::certificate("ext.certificate.scopes must be an array"));
        };
        let Some(scopes) = valid_scopes(scopes) else {
            return Err(Failure::certificate("ext.certificate.scopes must be an array of valid scopes"));
        };
        if start_ms > now_ms.saturating_add(TOLERANCE_MS) {
            return Err(Failure::certificate("ext.certificate.start > now"));
        }
        if expiry_ms < now_ms.saturating_sub(TOLERANCE_MS) {
            return Err(Failure::certificate("ext.certificate.expiry < now"));
        }
        if expiry_ms.saturating_sub(start_ms) > MAX_LIFETIME_MS {
            return Err(Failure::certificate("ext.certificate cannot last longer than 31 days!"));
        }
        let issuer = certificate.get("issuer").filter(|issuer| truthy(issuer)).and_then(Value::as_str);
        Ok(Claims {
            scopes,
            expiry_ms,
            start_ms,
            seed,
            named: issuer.map(|issuer| (id, issuer)),
            signature: certificate.get("signature").and_then(Value::as_str),
            has_client_id: certificate.get("clientId").is_some(),
        })
    }

    /// Whether it is a named certificate.
    pub(crate) fn is_named(&self) -> bool {
        self.named.is_some()
    }

    /// Check 12 for unnamed certificates: the key `clientId` may not occur.
    pub(crate) fn check_no_client_id(&self) -> Result<(), Failure> {
        if self.named.is_none() && self.has_client_id {
            return Err(Failure::certificate("ext.certificate.clientId must only be used with ext.certificate.issuer"));
        }
        Ok(())
    }

    /// Checks 12 and 13: the issuer may make clients of this name, and has what it gives. `held` is expanded, without the anonymous role.
    pub(crate) fn check_issuer_scopes(&self, issuer: &str, held: &ScopeSet) -> Result<(), Failure> {
        if let Some((id, _)) = self.named {
            let needed = format!("auth:create-client:{id}");
            // A bewit's id may hold any character; no scope covers what is no scope.
            if !is_valid_scope(&needed) || !held.satisfies(&needed) {
                return Err(Failure::certificate(format!(
                    "ext.certificate issuer `{issuer}` doesn't have `{needed}` for supplied clientId."
                )));
            }
        }
        self.check_no_client_id()?;
        if !held.satisfies_all(self.scopes.iter().copied()) {
            return Err(Failure::certificate(format!(
                "ext.certificate issuer `{issuer}` doesn't satisfy all certificate scopes {}.  The temporary credentials were not generated correctly.",
                self.scopes.join(", ")
            )));
        }
        Ok(())
    }

    /// Check 14: the signature, compared as text in constant time.
    pub(crate) fn check_signature(&self, issuer_token: &AccessToken) -> Result<(), Failure> {
        let text = signed_text(self.named, self.seed, self.start_ms, self.expiry_ms, &self.scopes);
        let expected = mac::standard(issuer_token.expose(), text.as_bytes());
        if self.signature.is_some_and(|signature| expected.equals(signature.as_bytes())) {
            return Ok(());
        }
        Err(Failure::certificate(if self.is_named() {
            "ext.certificate.signature is not valid, or wrong clientId provided"
        } else {
            "ext.certificate.signature is not valid"
        }))
    }
}

/// The text that a certificate's signature covers: lines without a line feed after the last, so that no scopes means that it ends in `scopes:`.
/// `named` is the clientId and the issuer.
pub(crate) fn signed_text<S: AsRef<str>>(named: Option<(&str, &str)>, seed: &str, start_ms: i64, expiry_ms: i64, scopes: &[S]) -> String {
    let mut text = String::with_capacity(160 + scopes.iter().map(|scope| scope.as_ref().len() + 1).sum::<usize>());
    text.push_str("version:1\n");
    // Writing to a String can't fail.
    if let Some((id, issuer)) = named {
        let _ = write!(text, "clientId:{id}\nissuer:{issuer}\n");
    }
    let _ = write!(text, "seed:{seed}\nstart:{start_ms}\nexpiry:{expiry_ms}\nscopes:");
    for scope in scopes {
        text.push('\n');
        text.push_str(scope.as_ref());
    }
    text
}

/// A JSON number that is an integer of at most 2^53 either way, however it is written (`1e3`, `5.0`). JavaScript prints these as Rust does.
fn integer(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
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
        let read = |json: &str| integer(&serde_json::from_str(json).unwrap());
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
