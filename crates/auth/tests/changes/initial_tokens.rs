//! What initial access tokens are worth: what whoever made them is worth by now.

use crate::common::{World, strings};
use falconer_auth::{ApiError, ApplicationInput, Creator, DAY_MS, InitialTokenRecord, NewRegistration, SigningAlgorithm};

const SCOPES: [&str; 2] = ["auth:create-initial-token:t", "notes:read"];

fn token(now_ms: i64) -> InitialTokenRecord {
    InitialTokenRecord {
        id: "t".to_owned(),
        hash: "hash of t".to_owned(),
        description: String::new(),
        created_by: String::new(),
        creator: Creator::Either,
        owner: String::new(),
        scopes: strings(&["notes:read"]),
        max_life_ms: DAY_MS,
        max_uses: 10,
        uses: 0,
        created_ms: 0,
        expires_ms: now_ms + DAY_MS,
    }
}

async fn register(world: &World, id: &str, token: &InitialTokenRecord) -> Result<bool, ApiError> {
    let input = ApplicationInput {
        name: id.to_owned(),
        description: String::new(),
        owner: String::new(),
        redirect_uris: strings(&["https://app.example.com/back"]),
        scopes: strings(&["notes:read"]),
        max_life_ms: DAY_MS,
        confidential: false,
        remember_ms: 0,
        skip_consent: false,
        pushed_only: false,
        id_token_alg: SigningAlgorithm::Es256,
        dpop_bound_access_tokens: false,
        backchannel_logout_uri: String::new(),
        keys: Vec::new(),
        agent: false,
    };
    let new = NewRegistration { id, input: &input, secret_hash: "", access_hash: id, initial_token: Some(token), network: "" };
    world.auth.register_application(&new).await.map(|record| record.is_some())
}

/// Story: a token of a client was judged by what a person of the same name may do, as soon as there was one, and came to life again.
#[tokio::test]
async fn a_client_and_a_person_of_one_name_are_two() {
    let world = World::bare().await;
    let keys = world.client("sso/ann", &SCOPES).await;
    let who = world.call(&keys).await;
    let (made, _) = world.auth.create_initial_token(&who, token(world.now())).await.unwrap();
    assert_eq!((made.created_by.as_str(), made.creator), ("sso/ann", Creator::Client));
    assert_eq!(register(&world, "one", &made).await, Ok(true));
    // As an earlier version has kept it.
    let old = InitialTokenRecord { creator: Creator::Either, ..made.clone() };
    assert_eq!(register(&world, "two", &old).await, Ok(true));
    let root = world.as_root().await;
    world.auth.delete_client(&root, "sso/ann").await.unwrap();
    world.person("sso/ann", &SCOPES).await;
    assert!(
        matches!(register(&world, "three", &made).await, Err(ApiError::RequestConflict(_))),
        "the client is gone, and somebody else is there"
    );
    assert_eq!(register(&world, "four", &old).await, Ok(true), "it does not know better");
    world.client("sso/ann", &SCOPES).await;
    assert_eq!(register(&world, "five", &made).await, Ok(true));
    assert!(matches!(register(&world, "six", &old).await, Err(ApiError::RequestConflict(_))), "nobody knows whose it is");
}
