//! An access token that was replaced and counts for a while beside the new one.

use crate::common::{Keys, World, message_of, new_grant, sent_text, settings, strings};
use falconer_auth::{ApiError, Auth, AuthSettings, Authentication, Batch, BatchClient, DAY_MS, HOUR_MS, PageQuery, RequestParts, Verdict};

const WRONG: &str = "Unauthorized: Bad mac";

/// What the client is after a reset.
async fn reset(world: &World, id: &str, overlap_ms: i64) -> Keys {
    let root = world.as_root().await;
    let (view, _) = world.auth.reset_access_token_keeping(&root, id, overlap_ms).await.unwrap();
    assert_eq!(view.old_token_ends_ms, (overlap_ms > 0).then(|| world.now() + overlap_ms));
    Keys::new(id, view.access_token.unwrap().expose())
}

/// Temporary credentials for an hour, made now.
fn issue(world: &World, issuer: &Keys, seed: u32) -> Keys {
    let (start, end) = (world.now(), world.now() + HOUR_MS);
    let issued =
        falconer_credentials::temporary::create(&issuer.id, &issuer.token, None, &strings(&["x"]), start, end, &format!("{seed:044}"))
            .unwrap();
    Keys { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) }
}

async fn counts(world: &World, keys: &Keys) -> bool {
    let verdict = world.verify(keys).await;
    let counts = matches!(verdict, Verdict::Success(_));
    assert!(counts || message_of(&verdict) == WRONG, "{verdict:?}");
    counts
}

/// The same at another node.
async fn counts_at(world: &World, auth: &Auth, keys: &Keys) -> bool {
    let header = world.sign(keys, "/x", "svc.example.com", 443, None);
    let parts = RequestParts { method: "get", resource: "/x", host: "svc.example.com", port: 443, authorization: Some(&header) };
    matches!(auth.verify(&parts).await, Verdict::Success(_))
}

fn text<T>(result: Result<T, ApiError>) -> String {
    sent_text(&result.err().expect("it was done"))
}

#[tokio::test]
async fn an_old_token_and_what_it_has_signed_count_to_the_millisecond() {
    let world = World::bare().await;
    let old = world.client("maker", &["x"]).await;
    let before = issue(&world, &old, 1);
    let follower = world.reopen(settings()).await;
    let new = reset(&world, "maker", HOUR_MS).await;
    // What the old one signs after the reset counts as well, until the old one ends.
    let after = issue(&world, &old, 2);
    let of_new = issue(&world, &new, 3);
    follower.catch_up().await.unwrap();
    let reopened = world.reopen(settings()).await;
    for keys in [&old, &before, &after, &new, &of_new] {
        assert!(counts(&world, keys).await, "{}", keys.id);
        assert!(counts_at(&world, &follower, keys).await && counts_at(&world, &reopened, keys).await);
    }
    // A call to the own API is decided anew where it changes something, with the key that signed it.
    let caller = world.client("caller", &["auth:create-role:r", "y"]).await;
    reset(&world, "caller", HOUR_MS).await;
    let who = world.call(&caller).await;
    let role = falconer_auth::RoleInput { scopes: strings(&["y"]), description: String::new() };
    world.auth.create_role(&who, "r", &role).await.unwrap();
    world.clock.advance(HOUR_MS - 1);
    for keys in [&old, &before, &after] {
        assert!(counts(&world, keys).await && counts_at(&world, &follower, keys).await);
    }
    // A request that arrived before the end, and changes something behind it.
    let who = world.call(&caller).await;
    world.clock.advance(1);
    for keys in [&old, &before, &after] {
        assert!(!counts(&world, keys).await && !counts_at(&world, &follower, keys).await && !counts_at(&world, &reopened, keys).await);
    }
    assert_eq!(text(world.auth.update_role(&who, "r", &role).await), WRONG);
    for keys in [&new, &of_new] {
        assert!(counts(&world, keys).await);
    }
    let root = world.as_root().await;
    assert_eq!(world.auth.client(&root, "maker").unwrap().old_token_ends_ms, None);
}

#[tokio::test]
async fn what_was_revoked_of_certificates_stays_so_while_the_old_token_counts() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let old = world.client("maker", &["x"]).await;
    let revoked = issue(&world, &old, 1);
    let wish = falconer_auth::RevokeCertificates { before_ms: None, seed: Some(format!("{:044}", 1)) };
    world.auth.revoke_certificates(&root, "maker", &wish).await.unwrap();
    let new = reset(&world, "maker", HOUR_MS).await;
    assert!(message_of(&world.verify(&revoked).await).contains("have been revoked"));
    // And what the old one signs from now on is revoked as that of the new one is.
    let later = [issue(&world, &old, 2), issue(&world, &new, 3)];
    world.clock.advance(1);
    world.auth.revoke_certificates(&root, "maker", &falconer_auth::RevokeCertificates::default()).await.unwrap();
    for keys in &later {
        assert!(message_of(&world.verify(keys).await).contains("have been revoked"));
    }
}

#[tokio::test]
async fn an_overlap_ends_early() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let first = world.client("maker", &["x"]).await;
    let second = reset(&world, "maker", HOUR_MS).await;
    // By another reset, whether that keeps one itself or not.
    let third = reset(&world, "maker", HOUR_MS).await;
    assert_eq!([counts(&world, &first).await, counts(&world, &second).await, counts(&world, &third).await], [false, true, true]);
    let fourth = reset(&world, "maker", 0).await;
    assert_eq!([counts(&world, &second).await, counts(&world, &third).await, counts(&world, &fourth).await], [false, false, true]);
    // On request; and nothing is written where there is none.
    let fifth = reset(&world, "maker", HOUR_MS).await;
    let (view, revision) = world.auth.end_old_access_token(&root, "maker").await.unwrap();
    assert_eq!((view.old_token_ends_ms, counts(&world, &fourth).await, counts(&world, &fifth).await), (None, false, true));
    world.auth.end_old_access_token(&root, "maker").await.unwrap();
    assert_eq!(world.auth.revision(), revision);
    // By disabling: enabling brings the new one back alone.
    let sixth = reset(&world, "maker", HOUR_MS).await;
    world.auth.disable_client(&root, "maker").await.unwrap();
    let refused = world.auth.reset_access_token_keeping(&root, "maker", HOUR_MS).await;
    assert!(text(refused).contains("The client is disabled"));
    world.auth.enable_client(&root, "maker").await.unwrap();
    assert_eq!([counts(&world, &fifth).await, counts(&world, &sixth).await], [false, true]);
    // By a token that somebody sets.
    let seventh = reset(&world, "maker", HOUR_MS).await;
    let set = BatchClient {
        client_id: "maker".to_owned(),
        access_token: Some(falconer_auth::Secret::new("a-token-that-somebody-has-chosen-for-itself-")),
        description: String::new(),
        expires_us: (world.now() + DAY_MS) * 1000,
        scopes: strings(&["x"]),
        delete_on_expiration: false,
        disabled: None,
    };
    assert!(world.auth.import(&root, &Batch { roles: Vec::new(), clients: vec![set] }).await.is_ok());
    assert_eq!([counts(&world, &sixth).await, counts(&world, &seventh).await], [false, false]);
    // By deleting.
    let chosen = Keys::new("maker", "a-token-that-somebody-has-chosen-for-itself-");
    reset(&world, "maker", HOUR_MS).await;
    assert!(counts(&world, &chosen).await);
    world.auth.delete_client(&root, "maker").await.unwrap();
    assert!(!counts(&world, &chosen).await);
}

/// A person who left takes the clients of theirs along, and no old token of one is left for whoever enables it.
#[tokio::test]
async fn a_client_that_is_disabled_with_its_person_has_no_old_token() {
    let world = World::bare().await;
    let old = world.client("robots/one", &["x"]).await;
    reset(&world, "robots/one", HOUR_MS).await;
    let person = crate::common::person("local/ann", &[], world.now());
    let step = crate::common::step_beside(world.store.revision().await.unwrap(), world.now());
    world.store.follow_identity(&step, &person, &strings(&["robots/one"])).await.unwrap();
    assert_eq!(world.store.client("robots/one").await.unwrap().unwrap().old_token, None);
    world.auth.catch_up().await.unwrap();
    world.auth.enable_client(&world.as_root().await, "robots/one").await.unwrap();
    assert!(!counts(&world, &old).await);
}

#[tokio::test]
async fn the_length_is_bounded_and_who_may_is_as_for_a_reset() {
    let short = AuthSettings { max_token_overlap_ms: HOUR_MS, ..settings() };
    let world = World::with(short, true).await;
    let root = world.as_root().await;
    world.client("maker", &["x"]).await;
    for wrong in [-1, HOUR_MS + 1, i64::MIN, i64::MAX] {
        assert!(text(world.auth.reset_access_token_keeping(&root, "maker", wrong).await).contains("3600 seconds at most"));
    }
    reset(&world, "maker", HOUR_MS).await;
    let allowed = world.client("allowed", &["auth:reset-access-token:maker"]).await;
    let other = world.client("other", &["auth:update-client:*", "auth:revoke-certificates:*"]).await;
    let (allowed, other) = (world.call(&allowed).await, world.call(&other).await);
    world.auth.reset_access_token_keeping(&allowed, "maker", 1).await.unwrap();
    world.auth.end_old_access_token(&allowed, "maker").await.unwrap();
    for who in [&other, &world.auth.nobody()] {
        // First: whoever may not is not told what could be asked for, and whether there is such a client.
        for id in ["maker", "nobody"] {
            let refused = world.auth.reset_access_token_keeping(who, id, i64::MAX).await.err().unwrap();
            assert!(matches!(refused, ApiError::InsufficientScopes { .. }), "{refused:?}");
            let refused = world.auth.end_old_access_token(who, id).await.err().unwrap();
            assert!(matches!(refused, ApiError::InsufficientScopes { .. }), "{refused:?}");
        }
    }
    assert_eq!(text(world.auth.reset_access_token_keeping(&root, "nobody", 1).await), "Client not found");
    assert!(text(world.auth.end_old_access_token(&root, "static/x").await).contains("reserved for statically configured"));
}

/// Who is refused with the old token learns nothing, and the history says who let it go on and until when.
#[tokio::test]
async fn the_history_says_until_when() {
    let world = World::bare().await;
    let root = world.as_root().await;
    world.client("maker", &["x"]).await;
    reset(&world, "maker", HOUR_MS).await;
    world.auth.end_old_access_token(&root, "maker").await.unwrap();
    let history = world.auth.entity_history(&root, "client", "maker", PageQuery::from_offset(0, 10)).await.unwrap().items;
    let ends: Vec<_> = history
        .iter()
        .map(|row| (row.action_type.as_str(), row.detail.as_ref().map(|detail| detail["oldTokenEndsMs"]["after"].clone())))
        .collect();
    let end = serde_json::json!(world.now() + HOUR_MS);
    assert_eq!(ends, [("created", None), ("access token reset", Some(end)), ("old access token ended", Some(serde_json::Value::Null))]);
}

#[tokio::test]
async fn ended_ones_leave_the_store_and_others_stay() {
    let world = World::bare().await;
    for (id, overlap_ms) in [("a", HOUR_MS), ("b", HOUR_MS), ("c", 2 * HOUR_MS)] {
        world.client(id, &["x"]).await;
        reset(&world, id, overlap_ms).await;
    }
    world.client("d", &["x"]).await;
    world.clock.advance(HOUR_MS - 1);
    assert_eq!(world.auth.remove_ended_old_tokens(1).await.unwrap(), 0);
    world.clock.advance(1);
    assert_eq!(world.auth.remove_ended_old_tokens(1).await.unwrap(), 1);
    assert_eq!(world.auth.remove_ended_old_tokens(10).await.unwrap(), 1);
    assert_eq!(world.auth.remove_ended_old_tokens(10).await.unwrap(), 0);
    let mut kept = Vec::new();
    for id in ["a", "b", "c", "d"] {
        let stored = world.store.client(id).await.unwrap().unwrap();
        assert_eq!(world.auth.directory().client(id).unwrap().record().old_token, stored.old_token);
        kept.push(stored.old_token.is_some());
    }
    assert_eq!(kept, [false, false, true, false]);
}

/// The old token was in the hands of whoever has the grant: without the mark, it would be worth more than the grant, and outlive it.
#[tokio::test]
async fn the_mark_of_a_grant_stays_while_the_old_token_counts() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let scopes = ["x", "auth:create-client:*", "auth:reset-access-token:*"];
    world.person("local/ann", &scopes).await;
    let mut grants = Vec::new();
    for nonce in ["one", "two"] {
        let new = falconer_auth::NewGrant { nonce: nonce.to_owned(), ..new_grant("local/ann", &scopes, world.now()) };
        let issued = world.auth.add_grant(new).await.unwrap();
        let certificate = Some(issued.credentials.certificate);
        grants.push((issued.grant.id, Keys { id: issued.credentials.client_id, token: issued.credentials.access_token, certificate }));
    }
    let as_grant = async |n: usize| -> Authentication { world.call(&grants[n].1).await };
    let (made, _) = world.auth.create_client(&as_grant(0).await, "made/with-one", &world.input(&["x"])).await.unwrap();
    let old = Keys::new("made/with-one", made.access_token.unwrap().expose());
    // Another grant can't share it.
    let refused = world.auth.reset_access_token_keeping(&as_grant(1).await, "made/with-one", HOUR_MS).await;
    assert!(text(refused).contains(&format!("bounded by the grant {}", grants[0].0)));
    // Somebody without a grant, who could have made it: without an overlap the mark goes, with one it stays.
    let (view, _) = world.auth.reset_access_token_keeping(&root, "made/with-one", HOUR_MS).await.unwrap();
    assert_eq!(view.grant.as_ref(), Some(&grants[0].0));
    assert!(counts(&world, &old).await);
    world.auth.revoke_grants(&["local/ann"], "local/ann", &[grants[0].0.clone()], "x").await.unwrap();
    assert!(message_of(&world.verify(&old).await).contains("has been revoked"));
    let (view, _) = world.auth.reset_access_token(&root, "made/with-one").await.unwrap();
    assert_eq!((view.grant, counts(&world, &old).await), (None, false));
    // A client of nobody's that a grant resets is bounded by the grant from then on, as after an update.
    let own = world.client("own/robot", &["x"]).await;
    let (view, _) = world.auth.reset_access_token_keeping(&as_grant(1).await, "own/robot", HOUR_MS).await.unwrap();
    assert_eq!(view.grant.as_ref(), Some(&grants[1].0));
    assert!(counts(&world, &own).await);
}
