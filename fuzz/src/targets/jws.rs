//! What comes signed: the header `DPoP`, `client_assertion`, the keys that these are verified with, and what Falconer has signed itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::SentJws;
use falconer_credentials::{ClientAssertion, CompactJws, DpopProof, KeyThumbprint, ProofFault, ProofFor, RegisteredKey, UrlScheme};
use serde_json::{Value, json};

use http::Request;

use super::{Outcome, magnitude, text};
use crate::site::send;

const ISSUER: &str = "https://server.example.com";
const NOW_MS: i64 = 1_562_262_616_000;

/// A header as it is; or a header and claims as JSON, with a line feed between, of which a proof is made whose signature is none.
pub(super) fn proof(bytes: &[u8]) -> Outcome {
    let given = text(bytes);
    let composed = composed(&given);
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
        now_ms: NOW_MS,
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

/// An assertion as it is; or a header and claims as JSON, with a line feed between, of which one is made whose signature is none.
pub(super) fn client(bytes: &[u8]) -> Outcome {
    let given = text(bytes);
    let composed = composed(&given);
    let sent = composed.as_deref().unwrap_or(&given);
    let assertion = match ClientAssertion::read(sent) {
        Ok(assertion) => assertion,
        Err(fault) => return fault.to_string(),
    };
    assert_eq!(ClientAssertion::read(sent).map(|assertion| assertion.id()), Ok(assertion.id()));
    // The key of RFC 8037 appendix A.
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let Ok(key) = RegisteredKey::read(&jwk) else { panic!("a key of a specification can't be read") };
    let is_signed = assertion.is_signed_by(std::slice::from_ref(&key));
    assert!(composed.is_none() || !is_signed, "{sent}");
    assert!(!assertion.is_signed_by(&[]) && !assertion.is_signed_by(&[key.clone(), key]), "{sent}");
    let outcome = assertion.check(&[ISSUER.to_owned()], NOW_MS);
    if outcome.is_ok() {
        assert!(assertion.check(&[], NOW_MS).is_err() && assertion.check(&[format!("{ISSUER}/")], NOW_MS).is_err(), "{sent}");
        // Whatever it says, it is worth nothing some minutes later.
        assert!(assertion.check(&[ISSUER.to_owned()], NOW_MS + 360_000).is_err(), "{sent}");
    }
    match outcome {
        Ok(()) => format!("counts, {}", if is_signed { "signed" } else { "not signed" }),
        Err(fault) => fault.to_string(),
    }
}

/// An access token as it is, opaque or signed; or a header and claims as JSON, with a line feed between, of which a token is made whose signature is none. Nobody here was
/// given one, so `check` allows none, and says why.
pub(super) fn signed_token(bytes: &[u8]) -> Outcome {
    let given = text(bytes);
    let composed = composed(&given);
    let sent = composed.as_deref().unwrap_or(&given);
    let parts: Vec<&str> = sent.split('.').collect();
    let split = CompactJws::split(sent);
    assert_eq!(split.is_some(), parts.len() == 3, "{sent}");
    if let (Some(split), [header, claims, signature]) = (&split, parts.as_slice()) {
        assert_eq!((split.header, split.claims, split.signature), (*header, *claims, *signature));
        assert_eq!(split.message, format!("{header}.{claims}"));
    }
    if let Some(jws) = SentJws::read(sent) {
        assert!(split.is_some() && jws.claims_by(&[]).is_none(), "{sent}");
    }
    let asked =
        json!({"method": "get", "resource": "/", "host": "notes.example.com", "port": 443, "authorization": format!("Bearer {sent}")});
    let question = json!({"request": asked, "required": "a", "bearer": true}).to_string();
    let request = Request::post("/api/falconer/v1/check").header("content-type", "application/json");
    let Some(answer) = send(request, question.into_bytes()) else { return "no request".to_owned() };
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let word = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
    assert!(answer.status == 200 && word("status") == "failed" || answer.status / 100 == 4, "{sent}: {} {said}", answer.status);
    format!("{} {}", answer.status, word("reason"))
}

/// A key that an application is to be known by: what is kept of it is the same key.
pub(super) fn key(bytes: &[u8]) -> Outcome {
    let Ok(jwk) = serde_json::from_slice::<Value>(bytes) else { return "no JSON".to_owned() };
    match RegisteredKey::read(&jwk) {
        Err(fault) => fault.to_string(),
        Ok(key) => {
            let kept = Value::Object(key.to_jwk());
            assert_eq!(RegisteredKey::read(&kept), Ok(key), "{kept}");
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert!(kept.get(private).is_none(), "{kept}");
            }
            format!("a key, {}", magnitude(kept.to_string().len()))
        }
    }
}

/// A token of a header and claims with a line feed between, whose signature is none.
fn composed(given: &str) -> Option<String> {
    let (header, claims) = given.split_once('\n')?;
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    Some(format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode([1u8; 64])))
}
