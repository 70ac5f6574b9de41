//! Certificates of Falconer's own issuers, and evaluations that come after the token was changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use falconer_credentials::{
    AccessToken, Authentic, Failure, InternalClaim, Issuer, RequestParts, Revoked, evaluate, evaluate_internal, new_access_token,
    nice_slugid, read, sign, slugid, temporary,
};
use falconer_scopes::ScopeSet;
use support::forge::{HOST, RESOURCE};

const NOW: i64 = 1_767_225_600_000;
const ISSUER: &str = "static/falconer/grants-1";
const NAME: &str = "local/ann/notes.example.com/abc";

fn token() -> AccessToken {
    new_access_token([7; 32])
}

/// A request of a grant, signed at `ts_ms`.
fn authentic(name: Option<&str>, with_certificate: bool, authorized: Option<&[String]>, ts_ms: i64) -> Authentic<'static> {
    let seed = slugid([1; 16]) + &slugid([2; 16]);
    let scopes = ["assume:grant:abc".to_owned()];
    let issued = temporary::create(ISSUER, &token(), name, &scopes, NOW, NOW + 3_600_000, &seed).unwrap();
    let (id, key, certificate) = match with_certificate {
        true => (issued.client_id.as_str(), issued.access_token, Some(issued.certificate)),
        false => (ISSUER, token(), None),
    };
    let ext = sign::ext(certificate.as_deref(), authorized);
    let request = sign::Request {
        method: "GET",
        resource: RESOURCE,
        host: HOST,
        port: 443,
        ts_seconds: ts_ms / 1000,
        nonce: "n",
        hash: Some("h"),
        ext: ext.as_deref(),
        ..Default::default()
    };
    let header = sign::header(id, &key, &request);
    let parts = RequestParts { method: "GET", resource: RESOURCE, host: "TC.example.test", port: 443, authorization: Some(&header) };
    let signed = read(&parts).unwrap().unwrap();
    assert_eq!((signed.key_owner(), signed.id(), signed.is_bewit()), (ISSUER, id, false));
    signed.check_mac(Some(&token())).unwrap().into_owned()
}

fn claim(a: &Authentic, now_ms: i64) -> Result<InternalClaim, String> {
    evaluate_internal(a, ISSUER, &token(), now_ms).map_err(|failure: Failure| failure.to_string())
}

#[test]
fn a_grants_certificate_says_what_the_rules_of_grants_need() {
    let a = authentic(Some(NAME), true, None, NOW);
    let answer = claim(&a, NOW).unwrap();
    assert_eq!(answer.client_id, NAME);
    assert_eq!(answer.scopes, ["assume:grant:abc"]);
    assert_eq!((answer.named, answer.expires_ms, answer.hash.as_deref()), (true, NOW + 3_600_000, Some("h")));
    assert_eq!(answer.authorized_scopes, None);
    assert_eq!((a.issuer(), a.host(), a.port(), a.hash()), (Some(ISSUER), HOST, 443, Some("h")));
    assert_eq!(a.certificate_scopes(), Some(vec!["assume:grant:abc"]));
    assert!(a.has_certificate() && !a.has_authorized_scopes());
}

#[test]
fn authorized_scopes_are_handed_on_as_given() {
    let authorized = ["b".to_owned(), "a".to_owned()];
    let a = authentic(Some(NAME), true, Some(&authorized), NOW);
    assert_eq!(claim(&a, NOW).unwrap().authorized_scopes.as_deref(), Some(authorized.as_slice()));
    assert_eq!(a.authorized_scopes(), Some(vec!["b", "a"]));
    let a = authentic(Some(NAME), true, Some(&[]), NOW);
    assert_eq!(claim(&a, NOW).unwrap().authorized_scopes, Some(Vec::new()));
    assert!(a.has_authorized_scopes());
}

#[test]
fn an_unnamed_certificate_says_so_and_a_bare_issuer_is_no_client() {
    assert!(!claim(&authentic(None, true, None, NOW), NOW).unwrap().named);
    assert_eq!(claim(&authentic(None, false, None, NOW), NOW), Err(format!("Client with clientId '{ISSUER}' not found")));
}

#[test]
fn certificate_and_time_are_checked() {
    let a = authentic(Some(NAME), true, None, NOW);
    assert_eq!(claim(&a, NOW + 900_001), Err("Unauthorized: Stale timestamp".to_owned()));
    assert_eq!(claim(&a, NOW - 300_001), Err("ext.certificate.start > now".to_owned()));
    let late = authentic(Some(NAME), true, None, NOW + 3_600_000);
    assert!(claim(&late, NOW + 3_900_000).is_ok());
    assert_eq!(claim(&late, NOW + 3_900_001), Err("ext.certificate.expiry < now".to_owned()));
}

/// A decision is made anew when the store says that it went stale. If the token was reset meanwhile, the old MAC counts for nothing.
#[test]
fn a_reset_token_or_another_client_is_a_bad_mac() {
    let a = authentic(Some(NAME), true, None, NOW);
    let other = new_access_token([8; 32]);
    assert_eq!(evaluate_internal(&a, ISSUER, &other, NOW), Err(Failure::BadMac));
    assert_eq!(evaluate_internal(&a, "static/falconer/grants-2", &token(), NOW), Err(Failure::BadMac));
    let scopes = ScopeSet::new(["*"]);
    let expand = |scopes: &[&str]| ScopeSet::new(scopes);
    let judge = |client_id, token: &AccessToken| {
        evaluate(
            &a,
            &Issuer { client_id, token, expires_ms: i64::MAX, disabled: true, scopes: &scopes, revoked: Revoked::default() },
            NOW,
            &expand,
        )
        .unwrap_err()
        .to_string()
    };
    assert_eq!(judge(ISSUER, &other), "Unauthorized: Bad mac");
    assert_eq!(judge("rooty", &token()), "Unauthorized: Bad mac");
    assert_eq!(judge(ISSUER, &token()), format!("Client with clientId '{ISSUER}' is disabled"));
}

#[test]
fn secrets_do_not_show() {
    let seed = slugid([1; 16]) + &slugid([2; 16]);
    let issued = temporary::create("a", &token(), None, &[], NOW, NOW, &seed).unwrap();
    let shown = format!("{:?} {issued:?}", token());
    assert!(!shown.contains(token().expose()) && !shown.contains(issued.access_token.expose()), "{shown}");
    assert_eq!(token().expose().len(), 44);
}

#[test]
fn slugids_are_version_4_uuids() {
    assert_eq!(slugid([0; 16]), "AAAAAAAAQACAAAAAAAAAAA");
    assert_eq!(slugid([255; 16]), "________T_-__________w");
    assert_ne!(slugid([1; 16]), slugid([2; 16]));
    for first in 0..=255 {
        let id = nice_slugid([first; 16]);
        assert!(id.starts_with(|c: char| c.is_ascii_alphabetic()) && id.len() == 22, "{id}");
    }
}

#[test]
fn temporary_credentials_that_no_server_accepts_are_not_made() {
    use temporary::TemporaryError::{NameIsIssuer, OutOfRange, TooLong};
    let make = |name, start, expiry| temporary::create("a", &token(), name, &[], start, expiry, "seed").map(|_| ());
    let days = 31 * 24 * 3_600_000;
    assert_eq!(make(Some("a"), NOW, NOW), Err(NameIsIssuer));
    assert_eq!(make(None, NOW, NOW + days), Ok(()));
    assert_eq!(make(None, NOW, NOW + days + 1), Err(TooLong));
    assert_eq!(make(None, i64::MIN, i64::MAX), Err(OutOfRange));
    assert_eq!(make(None, 0, (1 << 53) + 1), Err(OutOfRange));
}

/// A service that called its host `::1` was told `Bad mac` for whatever was signed for `[::1]`, and a caller whose library leaves the brackets out was
/// refused everywhere.
#[test]
fn an_address_is_the_same_with_brackets_and_without() {
    for (signed, asked, right) in [
        ("[::1]", "[::1]", true),
        ("[::1]", "::1", true),
        ("::1", "[::1]", true),
        ("::1", "::1", true),
        ("[::1]", "::2", false),
        ("a", "[a]", false),
    ] {
        let request = sign::Request {
            method: "GET",
            resource: RESOURCE,
            host: signed,
            port: 443,
            ts_seconds: NOW / 1000,
            nonce: "n",
            ..Default::default()
        };
        let header = sign::header("a", &token(), &request);
        let parts = RequestParts { method: "GET", resource: RESOURCE, host: asked, port: 443, authorization: Some(&header) };
        let checked = read(&parts).unwrap().unwrap().check_mac(Some(&token()));
        assert_eq!(checked.is_ok(), right, "signed for {signed}, asked for {asked}");
    }
}
