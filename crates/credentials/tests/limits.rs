//! Where Falconer takes more than the reference, or less: how long a header may be, and which names temporary credentials may have.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use falconer_credentials::temporary::{self, TemporaryError};
use falconer_credentials::{AccessToken, Failure, Issuer, RequestParts, Revoked, Verified, evaluate, read, sign};
use falconer_scopes::ScopeSet;

const NOW: i64 = 1_767_225_600_000;

fn token() -> AccessToken {
    AccessToken::new("token-token-token-token-token-token-token-to".to_owned())
}

fn header(id: &str, token: &AccessToken, ext: Option<&str>) -> String {
    let request = sign::Request {
        method: "get",
        resource: "/a",
        host: "h.example",
        port: 443,
        ts_seconds: NOW / 1000,
        nonce: "n",
        ext,
        ..Default::default()
    };
    sign::header(id, token, &request)
}

fn verify(header: &str) -> Result<Verified, Failure> {
    let parts = RequestParts { method: "GET", resource: "/a", host: "h.example", port: 443, authorization: Some(header) };
    let authentic = read(&parts)?.unwrap().check_mac(Some(&token()))?;
    let (token, scopes) = (token(), ScopeSet::new(["auth:create-client:*", "s:*"]));
    let issuer =
        Issuer { client_id: "issuer", token: &token, expires_ms: i64::MAX, disabled: false, scopes: &scopes, revoked: Revoked::default() };
    evaluate(&authentic, &issuer, NOW, &|scopes| ScopeSet::new(scopes))
}

/// A certificate of 200 scopes could be made, as the documents say, and never be used: a header of more than 4,096 characters was refused.
#[test]
fn a_header_of_16_kib_is_read_and_no_longer_one() {
    let scopes: Vec<String> = (0..200).map(|n| format!("s:project/with-a-long-name/{n:03}")).collect();
    let issued = temporary::create("issuer", &token(), None, &scopes, NOW, NOW + 1000, &"s".repeat(44)).unwrap();
    let with_certificate = header("issuer", &issued.access_token, sign::ext(Some(&issued.certificate), None).as_deref());
    assert!(with_certificate.len() > 8_000);
    assert_eq!(verify(&with_certificate).unwrap().scopes.len(), 201);

    let padded = |length: usize| {
        let signed = |ext: &str| header("issuer", &token(), Some(ext));
        let room = length - signed("e30=").len();
        signed(&format!("e30={}", "=".repeat(room)))
    };
    assert_eq!(padded(16_384).len(), 16_384);
    assert!(verify(&padded(16_384)).is_ok());
    assert_eq!(verify(&padded(16_385)).unwrap_err().to_string(), "Bad Request: Header length too long");
}

/// Named certificates made clientIds that no client can have. Services that trust the pattern, in a page or a file name, saw spaces and `<`.
#[test]
fn the_name_of_temporary_credentials_is_a_client_id() {
    for name in ["proj/robot", "A!@/:.+|_-9", "a"] {
        let issued = temporary::create("issuer", &token(), Some(name), &[], NOW, NOW + 1000, &"s".repeat(44)).unwrap();
        let ext = sign::ext(Some(&issued.certificate), None);
        assert_eq!(verify(&header(name, &issued.access_token, ext.as_deref())).unwrap().client_id, name);
    }
    for name in ["bad name", "<script>", "a*", "a?b", "{}", "a,b", "~", " "] {
        let temporary_credentials = temporary::create("issuer", &token(), Some(name), &[], NOW, NOW + 1000, &"s".repeat(44));
        assert_eq!(temporary_credentials.err(), Some(TemporaryError::NameIsNoClientId), "{name}");
        // As other programs make it.
        let seed = "s".repeat(44);
        let signed = format!("version:1\nclientId:{name}\nissuer:issuer\nseed:{seed}\nstart:{NOW}\nexpiry:{}\nscopes:", NOW + 1000);
        let signature = {
            use base64::Engine as _;
            use hmac::{Hmac, KeyInit as _, Mac as _};
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(token().expose().as_bytes()).unwrap();
            mac.update(signed.as_bytes());
            base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
        };
        let certificate = serde_json::json!({
            "version": 1, "scopes": [], "start": NOW, "expiry": NOW + 1000, "seed": seed, "signature": signature, "issuer": "issuer",
        });
        let ext = sign::ext(Some(&certificate.to_string()), None);
        let failure = verify(&header(name, &temporary::key(&token(), &seed), ext.as_deref())).unwrap_err();
        assert!(failure.to_string().starts_with("the name of temporary credentials must be a clientId"), "{name}: {failure}");
    }
}
