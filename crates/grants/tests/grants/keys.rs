//! Assertions of applications that have keys (RFC 7523), on two nodes that share a store: one counts once on both.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::AssertionFault;
use falconer_grants::{
    ActiveToken, ApplicationKind, ApplicationSettings, ClientProof, ExchangeError, GrantSettings, Grants, Introspector, Parameters,
    SentAssertion,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::applications::{notes, settings};
use super::common::{START_MS, World};
use super::postgres::Database;
use super::races::{at_once, store};
use super::tokens::node_on;

const ISSUER: &str = "https://auth.example.com";

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The one key of these tests.
fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn keyed() -> GrantSettings {
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(key().public_key())});
    let kind = ApplicationKind::Confidential;
    settings(vec![ApplicationSettings { id: "keyed".to_owned(), kind, secret_sha256: None, keys: vec![jwk.to_string()], ..notes() }])
}

fn assertion(claims: &Value) -> String {
    let message = format!("{}.{}", base64url(json!({"alg": "EdDSA"}).to_string()), base64url(claims.to_string()));
    format!("{message}.{}", base64url(key().sign(message.as_bytes())))
}

fn once() -> String {
    assertion(&json!({"iss": "keyed", "sub": "keyed", "aud": ISSUER, "jti": "one", "exp": START_MS / 1000 + 60}))
}

async fn asks(grants: &Grants, assertion: &str) -> Result<Option<ActiveToken>, ExchangeError> {
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let sent = SentAssertion { kind, assertion, id: None, audiences: &[ISSUER.to_owned()] };
    grants.introspect(&Parameters::read("token=x").unwrap(), Introspector::Application(ClientProof::Assertion(sent))).await
}

#[tokio::test]
async fn an_assertion_counts_once_on_two_nodes() {
    let world = World::with(keyed()).await;
    let (other, _) = node_on(&world, Arc::clone(&world.store), keyed()).await;
    assert_eq!(asks(&world.grants, &once()).await, Ok(None));
    assert_eq!(asks(&other, &once()).await, Err(ExchangeError::Assertion(AssertionFault::Replayed)));
    // Who has no key uses nothing up.
    let second = json!({"iss": "keyed", "sub": "keyed", "aud": ISSUER, "jti": "two", "exp": START_MS / 1000 + 60});
    let forged = format!("{}x", assertion(&second).strip_suffix('A').map_or_else(|| assertion(&second), str::to_owned));
    assert!(asks(&other, &forged).await.is_err());
    assert_eq!(asks(&other, &assertion(&second)).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn of_64_uses_of_an_assertion_one_is_known() {
    let database = Database::make().await;
    let world = World::on(store(&database).await, keyed()).await;
    let (other, _) = node_on(&world, store(&database).await, keyed()).await;
    let nodes = [Arc::new(world.grants), Arc::new(other)];
    let sent = Arc::new(once());
    let answers = at_once(nodes, |node, _| {
        let sent = Arc::clone(&sent);
        async move { asks(&node, &sent).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    let replayed = Err(ExchangeError::Assertion(AssertionFault::Replayed));
    assert_eq!(answers.iter().filter(|answer| **answer == replayed).count(), 63, "{answers:?}");
}
