//! The header `DPoP`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_credentials::{DpopProof, KeyThumbprint, ProofFault, ProofFor, UrlScheme};

use super::{Outcome, text};

/// A header as it is; or a header and claims as JSON, with a line feed between, of which a proof is made whose signature is none.
pub(super) fn proof(bytes: &[u8]) -> Outcome {
    let given = text(bytes);
    let composed = given.split_once('\n').map(|(header, claims)| {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode([1u8; 64]))
    });
    let sent = composed.as_deref().unwrap_or(&given);
    let proof = match DpopProof::read(sent) {
        Ok(proof) => proof,
        Err(fault) => return fault.to_string(),
    };
    let thumbprint = proof.thumbprint();
    assert_eq!(KeyThumbprint::read(&thumbprint.to_string()), Some(thumbprint));
    assert_eq!(DpopProof::read(sent).map(|proof| proof.id()), Ok(proof.id()));
    let expected = ProofFor {
        method: "POST",
        scheme: UrlScheme::Https,
        host: "server.example.com",
        port: 443,
        resource: "/token?a=b",
        token: None,
        key: None,
        now_ms: 1_562_262_616_000,
    };
    let outcome = proof.check(&expected);
    // Nobody has the key of a proof that was made here.
    assert!(composed.is_none() || outcome.is_err(), "{sent}");
    if outcome.is_ok() {
        let another = ProofFor { key: Some(KeyThumbprint([0; 32])), ..expected };
        assert_eq!(proof.check(&another), Err(ProofFault::OtherKey));
        for other in [
            ProofFor { method: "GET", ..expected },
            ProofFor { host: "other.example.com", ..expected },
            ProofFor { resource: "/tokens", ..expected },
            ProofFor { scheme: UrlScheme::Http, ..expected },
            ProofFor { port: 444, ..expected },
            ProofFor { token: Some("x"), ..expected },
            ProofFor { now_ms: expected.now_ms + 200_000, ..expected },
        ] {
            assert!(proof.check(&other).is_err(), "{other:?}");
        }
    }
    outcome.map_or_else(|fault| format!("{fault:?}").split([' ', '{']).next().unwrap_or_default().to_owned(), |()| "right".to_owned())
}
