//! An assertion, as it stands in `client_assertion` (RFC 7523 section 2.2), and what has to hold of it (section 3, OpenID Connect Core 1.0 section 9).
//!
//! It is read, and its claims are looked at, without any arithmetic of signatures. Whoever names no application that has keys causes none.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::jws::algorithm::JwsAlgorithm;
use crate::jws::compact::{CompactJws, is_there, json, milliseconds};
use crate::jws::registered_key::RegisteredKey;

/// The value of `client_assertion_type`.
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The values of `alg` that count here, best first.
pub const ASSERTION_ALGORITHMS: [&str; 6] = crate::dpop::proof::PROOF_ALGORITHMS;
/// The values of `typ` that count, where there is one.
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];
/// So much the clocks of both may differ.
const SKEW_MS: i64 = 60_000;
/// An assertion ends after so long at most.
const LONGEST_LIFE_MS: i64 = 5 * 60_000;
/// So long an assertion can count, from the first moment when it may to the last.
pub const ASSERTION_LIFETIME_MS: i64 = LONGEST_LIFE_MS + SKEW_MS;
/// Longest assertion in bytes: one that an RSA key of 4096 bits has signed has some 1,200.
const LONGEST: usize = 4096;
/// Longest `jti` in bytes.
const LONGEST_ID: usize = 256;

/// Why an assertion does not count, as far as what was sent says so itself. `Display` holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AssertionFault {
    /// `client_assertion_type` is another one.
    #[error("The client_assertion_type is not {CLIENT_ASSERTION_TYPE}")]
    Type,
    /// It is none.
    #[error("The client_assertion can't be used: {0}")]
    Malformed(&'static str),
    /// `iss` and `sub` are two.
    #[error("The client_assertion speaks of two applications: iss and sub are both the client_id")]
    TwoApplications,
    /// It is for another server, another endpoint, or for several.
    #[error("The client_assertion is not for this server: aud is the issuer or the token endpoint, alone")]
    Audience,
    /// `exp` is over, or `iat` too long ago.
    #[error("The client_assertion has ended: exp is over, or iat is 5 minutes ago")]
    Ended,
    /// `exp` is too far ahead, and nothing says when it was made.
    #[error("The client_assertion counts for too long: exp is at most 5 minutes ahead, unless iat is there")]
    TooLong,
    /// `nbf` or `iat` is ahead.
    #[error("The client_assertion does not count yet, or was made in the time to come")]
    NotYet,
    /// It has counted before.
    #[error("The client_assertion was used before: make one for each request")]
    Replayed,
}

/// An assertion whose form is right. Nothing of it holds before [`ClientAssertion::is_signed_by`] said so.
pub struct ClientAssertion<'a> {
    algorithm: JwsAlgorithm,
    key_id: Option<String>,
    claims: Claims,
    message: &'a str,
    signature: Vec<u8>,
}

impl fmt::Debug for ClientAssertion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAssertion").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    jti: String,
    /// Seconds since 1970, whole or not; so are the others.
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    /// Whoever is in a list of several could show it to the others.
    List([String; 1]),
}

impl<'a> ClientAssertion<'a> {
    /// Takes an assertion apart.
    pub fn read(text: &'a str) -> Result<ClientAssertion<'a>, AssertionFault> {
        let malformed = AssertionFault::Malformed;
        if text.len() > LONGEST {
            return Err(malformed("it is longer than 4 KiB"));
        }
        let parts = CompactJws::split(text).ok_or(malformed("it is no JWT of three parts"))?;
        let header: Header = json(parts.header).ok_or(malformed("its header is no object with alg"))?;
        if header.crit {
            return Err(malformed("it has crit, of which nothing is known here"));
        }
        if header.typ.is_some_and(|typ| !TYPES.iter().any(|known| known.eq_ignore_ascii_case(&typ))) {
            return Err(malformed("its typ is neither JWT nor client-authentication+jwt"));
        }
        let algorithm = JwsAlgorithm::named(&header.alg).filter(|_| ASSERTION_ALGORITHMS.contains(&header.alg.as_str()));
        let algorithm = algorithm.ok_or(malformed("its alg is not one of those that count"))?;
        let claims: Claims =
            json(parts.claims).ok_or(malformed("iss, sub, aud, jti or exp is missing, or not what RFC 7523 says, or aud is several"))?;
        if claims.jti.is_empty() || claims.jti.len() > LONGEST_ID {
            return Err(malformed("its jti is empty, or longer than 256 bytes"));
        }
        if claims.iss != claims.sub {
            return Err(AssertionFault::TwoApplications);
        }
        let signature = URL_SAFE_NO_PAD.decode(parts.signature).map_err(|_| malformed("its signature is not base64url"))?;
        Ok(ClientAssertion { algorithm, key_id: header.kid, claims, message: parts.message, signature })
    }

    /// The `client_id` that it speaks of.
    pub fn subject(&self) -> &str {
        &self.claims.sub
    }

    /// What stands for this one assertion: SHA-256 over the application and `jti`.
    pub fn id(&self) -> [u8; 32] {
        let subject = Sha256::digest(&self.claims.sub);
        Sha256::new().chain_update(subject).chain_update(&self.claims.jti).finalize().into()
    }

    /// Whether it is for one of these and counts at this time, milliseconds since 1970.
    pub fn check(&self, audiences: &[String], now_ms: i64) -> Result<(), AssertionFault> {
        let (Audience::One(audience) | Audience::List([audience])) = &self.claims.aud;
        if !audiences.contains(audience) {
            return Err(AssertionFault::Audience);
        }
        // Some libraries say an hour. What was made at a known time counts for no longer than any other.
        let ends_ms = match self.claims.iat.map(|iat| milliseconds(iat).saturating_add(LONGEST_LIFE_MS)) {
            Some(latest_ms) => latest_ms.min(milliseconds(self.claims.exp)),
            None => milliseconds(self.claims.exp),
        };
        if now_ms >= ends_ms {
            return Err(AssertionFault::Ended);
        }
        if ends_ms.saturating_sub(now_ms) > ASSERTION_LIFETIME_MS {
            return Err(AssertionFault::TooLong);
        }
        let is_ahead = |claim: Option<f64>| claim.is_some_and(|claim| milliseconds(claim) > now_ms.saturating_add(SKEW_MS));
        if is_ahead(self.claims.nbf) || is_ahead(self.claims.iat) {
            return Err(AssertionFault::NotYet);
        }
        Ok(())
    }

    /// Whether one of these keys has signed it: the one that it names; where it names none, the only one that can have. So at most one signature is verified.
    pub fn is_signed_by(&self, keys: &[RegisteredKey]) -> bool {
        let is_named = |key: &&RegisteredKey| self.key_id.as_deref().is_none_or(|id| key.id() == Some(id));
        let mut fitting = keys.iter().filter(is_named).filter(|key| key.is_for(self.algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => self.algorithm.verify(key.public(), self.message.as_bytes(), &self.signature),
            _ => false,
        }
    }
}
