//! The origins that services may have: what callers sign for them is verified, however the address is written.

use crate::support::{Server, init};
use falconer_client::Method;
use falconer_middleware::{Proof, SignedRequest, Verifier};
use falconer_wire::{AuthenticateHawkRequest, AuthenticateHawkResponse};

/// Grants and guards accepted these origins, and `authenticateHawk` refused each question about them with 400.
#[tokio::test]
async fn calls_to_addresses_and_to_names_with_underscores_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let root = init(&data);
    let server = Server::start(&data);
    let client = server.client(&root);
    for (service, written) in [
        ("http://[::1]:8081", "http://[::1]:8081"),
        ("http://[0:0:0:0:0:0:0:1]:8081", "http://[::1]:8081"),
        ("http://[::1]:8081", "http://[0:0:0:0:0:0:0:1]:8081"),
        ("https://[2001:DB8::A]", "https://[2001:db8::a]:443"),
        ("http://my_svc:8081", "http://My_Svc:8081"),
        ("https://notes.example.com/", "https://notes.example.com"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
    ] {
        let verifier = Verifier::new(&server.root_url, service).unwrap();
        let header = client.authorization(&Method::GET, &format!("{written}/books/red?x=1"), None).unwrap().unwrap();
        let request = SignedRequest {
            method: "GET",
            resource: "/books/red?x=1",
            authorization: Some(header.as_bytes()),
            proof: Proof::Nothing,
            source_ip: None,
        };
        let verified = verifier.verify(&request).await.unwrap_or_else(|refusal| panic!("{service}, called as {written}: {refusal}"));
        assert_eq!(verified.with_body("", b"").unwrap().client_id(), Some("static/falconer/root"));
        let elsewhere = Verifier::new(&server.root_url, "https://other.example").unwrap();
        assert_eq!(elsewhere.verify(&request).await.unwrap_err().to_string(), "Unauthorized: Bad mac");
    }

    // A service in another language may leave the brackets out.
    let authorization = client.authorization(&Method::GET, "http://[::1]:8081/x", None).unwrap();
    let question = AuthenticateHawkRequest {
        method: "get".to_owned(),
        resource: "/x".to_owned(),
        host: "::1".to_owned(),
        port: 8081,
        authorization,
        source_ip: None,
    };
    let answer = client.authenticate_hawk(&question).await.unwrap();
    assert!(matches!(answer, AuthenticateHawkResponse::Success { .. }), "{answer:?}");
}
