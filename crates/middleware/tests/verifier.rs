//! The verifier by itself: no web framework, no types of http. Falconer is a socket that says one thing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

#[path = "../../falconer/tests/support/ports.rs"]
mod ports;

use std::error::Error as _;

use falconer_middleware::{BodyRule, Code, Expression, Proof, Refusal, SignedRequest, Verifier};
use ports::HeldPort;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A Falconer that answers every connection with this body, and its address.
async fn falconer(body: &str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut requested = Vec::new();
            while !requested.ends_with(b"}") && stream.read_buf(&mut requested).await.unwrap() > 0 {}
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    root
}

fn get(authorization: &[u8]) -> SignedRequest<'_> {
    SignedRequest { method: "GET", resource: "/books/red", authorization: Some(authorization), proof: Proof::Nothing, source_ip: None }
}

const SUCCESS: &str =
    r#"{"status":"auth-success","scheme":"hawk","expires":"2030-01-01T00:00:00.000Z","scopes":["notes:read:*"],"clientId":"local/ann/x"}"#;

#[tokio::test]
async fn a_caller_comes_out_only_after_the_body_was_looked_at() {
    let root = falconer(SUCCESS).await;
    let verifier = Verifier::new(&root, "https://notes.example").unwrap();
    let verified = verifier.verify(&get(b"Hawk x")).await.unwrap();
    assert_eq!(verified.body_rule(), &BodyRule::Any);
    verified.require(&Expression::Scope("notes:read:red".to_owned())).unwrap();
    let refusal = verified.require(&Expression::Scope("notes:write:red".to_owned())).unwrap_err();
    assert!(
        matches!(&refusal, Refusal::InsufficientScopes { missing, .. } if **missing == Expression::Scope("notes:write:red".to_owned()))
    );
    assert_eq!(refusal.code(), Code::InsufficientScopes);
    assert_eq!(verified.with_body("text/plain", b"anything").unwrap().client_id(), Some("local/ann/x"));

    let strict = verifier.with_payload_hash_required();
    let verified = strict.verify(&get(b"Hawk x")).await.unwrap();
    assert_eq!(verified.body_rule(), &BodyRule::Empty);
    assert!(matches!(verified.with_body("text/plain", b"anything"), Err(Refusal::BodyNotSigned)));
}

#[tokio::test]
async fn a_body_that_is_not_the_signed_one_is_refused_with_both_hashes() {
    // Of {"a":1} as application/json: vectors/payload-hash.json.
    let hash = "qKG2AtsqLMhIdy7+OrxWG0bU8wTDncYSW0gmNukAKpI=";
    let root = falconer(&SUCCESS.replace("\"scopes\"", &format!("\"hash\":\"{hash}\",\"scopes\""))).await;
    let verifier = Verifier::new(&root, "https://notes.example").unwrap();
    let verified = verifier.verify(&get(b"Hawk x")).await.unwrap();
    verified.with_body("Application/JSON; charset=utf-8", br#"{"a":1}"#).unwrap();
    let verified = verifier.verify(&get(b"Hawk x")).await.unwrap();
    let Err(Refusal::BodyChanged { signed, computed }) = verified.with_body("application/json", br#"{"a":2}"#) else { panic!("accepted") };
    assert!(signed == hash && computed != hash);
}

#[tokio::test]
async fn every_refusal_has_a_type_a_code_and_words_for_the_caller() {
    let root = falconer(r#"{"status":"auth-failed","message":"Unauthorized: Stale timestamp"}"#).await;
    let verifier = Verifier::new(&root, "https://notes.example").unwrap();
    let refusal = verifier.verify(&get(b"Hawk x")).await.unwrap_err();
    assert!(matches!(refusal, Refusal::StaleTimestamp { .. }));
    assert!(matches!(verifier.verify(&get(b"Hawk \xff")).await.unwrap_err(), Refusal::UnreadableAuthorization));
    let both = SignedRequest { resource: "/books/red?bewit=abc", ..get(b"Hawk x") };
    assert!(matches!(verifier.verify(&both).await.unwrap_err(), Refusal::TwoSchemes));

    let nobody = HeldPort::new();
    let root = format!("http://{}", nobody.address());
    let refusal = Verifier::new(&root, "https://notes.example").unwrap().verify(&get(b"Hawk x")).await.unwrap_err();
    assert_eq!(refusal.code(), Code::ServiceUnavailable);
    assert!(refusal.source().unwrap().to_string().contains("cannot be reached"));
    assert!(!refusal.message().contains("127.0.0.1"), "callers do not learn addresses inside");
}

#[test]
fn settings_that_cannot_work_are_named_in_a_sentence() {
    let error = Verifier::new("https://auth.example", "notes").unwrap_err();
    assert!(error.to_string().contains("`notes`") && error.to_string().ends_with("https://notes.example.com."), "{error}");
    let error = Verifier::new("auth", "https://notes.example").unwrap_err();
    assert!(error.to_string().contains("`auth`") && error.source().is_some(), "{error}");
}

#[test]
fn what_is_checked_beforehand_is_what_a_verifier_takes() {
    for (root, origin) in [
        ("https://auth.example", "https://notes.example"),
        ("auth.example", "https://notes.example"),
        ("https://ann@auth.example", "https://notes.example"),
        ("https://auth.example", "https://notes.example/books"),
        ("ftp://auth.example", "notes.example"),
    ] {
        let refused = |result: Result<(), falconer_middleware::SettingsError>| result.err().map(|error| error.to_string());
        let built = refused(Verifier::new(root, origin).map(drop));
        assert_eq!(refused(Verifier::check_settings(root, origin)), built, "{root} {origin}");
    }
}
