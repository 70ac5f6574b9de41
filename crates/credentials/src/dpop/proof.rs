//! A proof, as it stands in the header `DPoP` (RFC 9449 section 4.2), and what has to hold of it (section 4.3).
//!
//! It is read without any arithmetic of signatures, and its signature is looked at last: whoever knows no token that is bound to its key causes none.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::dpop::fault::ProofFault;
use crate::dpop::url::{self, UrlScheme};
use crate::jws::algorithm::JwsAlgorithm;
use crate::jws::compact::{CompactJws, is_there, json, milliseconds};
use crate::jws::public_key::{KeyThumbprint, PublicKey};
use crate::jws::written_key::WrittenKey;

/// The values of `alg` that count here, best first.
pub const PROOF_ALGORITHMS: [&str; 6] = ["ES256", "Ed25519", "EdDSA", "ES384", "PS256", "RS256"];
/// A proof may be so much older or younger than now.
const WINDOW_MS: i64 = 60_000;
/// So long a proof can count, from the first moment when it may to the last.
pub const PROOF_LIFETIME_MS: i64 = 2 * WINDOW_MS;
/// Longest proof in bytes: one with an RSA key of 4096 bits has some 2,500.
const LONGEST: usize = 4096;
/// Longest `jti` in bytes.
const LONGEST_ID: usize = 256;
/// Of what a proof claims so many characters are repeated.
const MOST_REPEATED: usize = 200;

/// What a proof has to be for.
#[derive(Clone, Copy, Debug)]
pub struct ProofFor<'r> {
    /// Of the request. Letter case does not count: some pass it on in lower case.
    pub method: &'r str,
    /// By what the server is reached from outside.
    pub scheme: UrlScheme,
    /// Under which name.
    pub host: &'r str,
    /// And at which port.
    pub port: u16,
    /// Path and query, as on the request line.
    pub resource: &'r str,
    /// The access token that is shown. `None`: none is, as where one is asked for.
    pub token: Option<&'r str>,
    /// Of which key it has to be. `None`: of any.
    pub key: Option<KeyThumbprint>,
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

/// A proof whose form is right. Nothing of it holds before [`DpopProof::check`] was passed.
pub struct DpopProof<'p> {
    algorithm: JwsAlgorithm,
    key: PublicKey,
    thumbprint: KeyThumbprint,
    claims: Claims,
    message: &'p str,
    signature: Vec<u8>,
}

impl fmt::Debug for DpopProof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopProof").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: WrittenKey,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    /// Seconds since 1970, whole or not.
    iat: f64,
    ath: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
}

impl<'p> DpopProof<'p> {
    /// Takes a header apart (section 4.3, numbers 2 to 5 and 7; number 1 is for whoever has the headers).
    pub fn read(text: &'p str) -> Result<DpopProof<'p>, ProofFault> {
        let malformed = ProofFault::Malformed;
        if text.len() > LONGEST {
            return Err(malformed("it is longer than 4 KiB"));
        }
        let three = || malformed("it is no JWT of three parts, or there are several");
        let CompactJws { header, claims, message, signature } = CompactJws::split(text).ok_or_else(three)?;
        let header: Header = json(header).ok_or_else(|| malformed("its header is not what RFC 9449 says"))?;
        let claims: Claims = json(claims).ok_or_else(|| malformed("jti, htm, htu or iat is missing, or not what RFC 9449 says"))?;
        if header.typ != "dpop+jwt" {
            return Err(malformed("its typ is not dpop+jwt"));
        }
        if header.crit {
            return Err(malformed("it has crit, of which nothing is known here"));
        }
        let algorithm = JwsAlgorithm::named(&header.alg).filter(|_| PROOF_ALGORITHMS.contains(&header.alg.as_str()));
        let algorithm = algorithm.ok_or_else(|| malformed("its alg is not one of those that count"))?;
        if header.jwk.is_secret() {
            return Err(malformed("its jwk holds a private key, which is known to others from now on"));
        }
        let key = PublicKey::read(&header.jwk.public).filter(|key| algorithm.fits(key) && key.is_small());
        let key = key.filter(|_| header.jwk.alg.as_deref().is_none_or(|said| JwsAlgorithm::named(said) == Some(algorithm)));
        let key = key.ok_or_else(|| malformed("its jwk is no public key for its alg"))?;
        if claims.jti.is_empty() || claims.jti.len() > LONGEST_ID {
            return Err(malformed("its jti is empty, or longer than 256 bytes"));
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed("its signature is not base64url"))?;
        Ok(DpopProof { algorithm, thumbprint: key.thumbprint(), key, claims, message, signature })
    }

    /// Of which key it is, if it holds.
    pub fn thumbprint(&self) -> KeyThumbprint {
        self.thumbprint
    }

    /// What stands for this one proof: whoever has seen it has seen the proof. SHA-256 over the key and `jti`.
    pub fn id(&self) -> [u8; 32] {
        Sha256::new().chain_update(self.thumbprint.0).chain_update(&self.claims.jti).finalize().into()
    }

    /// Whether it holds (section 4.3, numbers 6 and 8 to 12), but for whether it comes for the first time.
    pub fn check(&self, expected: &ProofFor<'_>) -> Result<(), ProofFault> {
        if expected.key.is_some_and(|key| key != self.thumbprint) {
            return Err(ProofFault::OtherKey);
        }
        let Claims { htm, htu, .. } = &self.claims;
        if !htm.eq_ignore_ascii_case(expected.method) {
            return Err(ProofFault::Method { claimed: shortened(htm) });
        }
        if !url::is_of(htu, expected.scheme, expected.host, expected.port, expected.resource) {
            // A query that should not be there may hold secrets.
            return Err(ProofFault::Url { claimed: shortened(htu.split(['?', '#']).next().unwrap_or_default()) });
        }
        self.check_times(expected.now_ms)?;
        if let Some(token) = expected.token {
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token));
            if self.claims.ath.as_deref() != Some(hash.as_str()) {
                return Err(ProofFault::OtherToken);
            }
        }
        let holds = self.algorithm.verify(&self.key, self.message.as_bytes(), &self.signature);
        if holds { Ok(()) } else { Err(ProofFault::Signature) }
    }

    fn check_times(&self, now_ms: i64) -> Result<(), ProofFault> {
        let issued_ms = milliseconds(self.claims.iat);
        let offset_ms = issued_ms.saturating_sub(now_ms);
        if offset_ms.saturating_abs() > WINDOW_MS {
            return Err(ProofFault::Time { offset_seconds: offset_ms.div_euclid(1000) });
        }
        let is_over = self.claims.exp.is_some_and(|exp| now_ms >= milliseconds(exp));
        let is_early = self.claims.nbf.is_some_and(|nbf| milliseconds(nbf) > now_ms.saturating_add(WINDOW_MS));
        if is_over || is_early { Err(ProofFault::NotNow) } else { Ok(()) }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MOST_REPEATED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9449, figure 2.
    #[test]
    fn the_proof_of_the_specification_holds() {
        let sent = include_str!("../../../../fuzz/corpora/dpop-proof/rfc-9449");
        let proof = DpopProof::read(sent).unwrap();
        assert_eq!(proof.thumbprint().to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        let expected = ProofFor {
            method: "POST",
            scheme: UrlScheme::Https,
            host: "server.example.com",
            port: 443,
            resource: "/token",
            token: None,
            key: None,
            now_ms: 1_562_262_616_000,
        };
        assert_eq!(proof.check(&expected), Ok(()));
        for (now_ms, outcome) in [
            (1_562_262_676_000, Ok(())),
            (1_562_262_556_000, Ok(())),
            (1_562_262_676_001, Err(ProofFault::Time { offset_seconds: -61 })),
            (1_562_262_555_999, Err(ProofFault::Time { offset_seconds: 60 })),
        ] {
            assert_eq!(proof.check(&ProofFor { now_ms, ..expected }), outcome, "{now_ms}");
        }
        assert_eq!(proof.check(&ProofFor { token: Some("x"), ..expected }), Err(ProofFault::OtherToken));
    }
}
