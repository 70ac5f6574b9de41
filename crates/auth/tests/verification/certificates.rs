//! Revoking temporary credentials that clients have made of their own: which count no more, for whom, and for how long that is known.

use crate::common::{Keys, World, message_of, sent_text, settings, strings};
use falconer_auth::{
    ApiError, Auth, AuthSettings, Authentication, CertificateFault, DAY_MS, Failure, MINUTE_MS, Reason, RequestParts, RevokeCertificates,
    StaticClient, Verdict,
};
use falconer_credentials::AccessToken;

const BEFORE_NOW: RevokeCertificates = RevokeCertificates { before_ms: None, seed: None };

fn before(before_ms: i64) -> RevokeCertificates {
    RevokeCertificates { before_ms: Some(before_ms), seed: None }
}

fn of_seed(seed: &str) -> RevokeCertificates {
    RevokeCertificates { before_ms: None, seed: Some(seed.to_owned()) }
}

fn seed(number: u32) -> String {
    format!("{number:044}")
}

/// Temporary credentials of an issuer for a day.
fn issue(issuer: &Keys, name: Option<&str>, start_ms: i64, seed: &str) -> Keys {
    let issued =
        falconer_credentials::temporary::create(&issuer.id, &issuer.token, name, &strings(&["x"]), start_ms, start_ms + DAY_MS, seed)
            .unwrap();
    Keys { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) }
}

fn is_revoked(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Failed(Reason::Credentials(Failure::Certificate(CertificateFault::Revoked { .. }))))
}

async fn counts(world: &World, keys: &Keys) -> bool {
    let verdict = world.verify(keys).await;
    assert!(is_revoked(&verdict) || matches!(verdict, Verdict::Success(_)), "{verdict:?}");
    !is_revoked(&verdict)
}

/// The same at another node.
async fn counts_at(world: &World, auth: &Auth, keys: &Keys) -> bool {
    let header = world.sign(keys, "/x", "svc.example.com", 443, None);
    let parts = RequestParts { method: "get", resource: "/x", host: "svc.example.com", port: 443, authorization: Some(&header) };
    !is_revoked(&auth.verify(&parts).await)
}

#[tokio::test]
async fn what_starts_before_a_moment_counts_no_more() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let maker = world.client("maker", &["x", "auth:create-client:made"]).await;
    let other = world.client("other", &["x"]).await;
    let now = world.now();
    let old = [issue(&maker, None, now - 1, &seed(1)), issue(&maker, Some("made"), now - 5 * MINUTE_MS, &seed(2))];
    let at_the_moment = issue(&maker, None, now, &seed(3));
    let of_other = issue(&other, None, now - DAY_MS / 2, &seed(1));
    for keys in old.iter().chain([&at_the_moment, &of_other]) {
        assert!(counts(&world, keys).await);
    }
    let follower = world.reopen(settings()).await;
    let (view, revision) = world.auth.revoke_certificates(&root, "maker", &BEFORE_NOW).await.unwrap();
    assert_eq!((view.certificates_from_ms, world.auth.revision()), (Some(now), revision));
    for keys in &old {
        assert!(!counts(&world, keys).await);
    }
    for keys in [&at_the_moment, &of_other, &maker] {
        assert!(counts(&world, keys).await);
    }
    assert_eq!(
        message_of(&world.verify(&old[0]).await),
        "These temporary credentials have been revoked, as all that `maker` had issued until then. Make new ones, which start at the present time."
    );
    // Another node, and the next start.
    follower.catch_up().await.unwrap();
    for node in [&follower, &world.reopen(settings()).await] {
        assert!(!counts_at(&world, node, &old[0]).await && counts_at(&world, node, &at_the_moment).await);
    }
    // What was made ahead of time, as far as it can be.
    let ahead = issue(&maker, None, now + 5 * MINUTE_MS, &seed(4));
    world.auth.revoke_certificates(&root, "maker", &before(now + 5 * MINUTE_MS)).await.unwrap();
    assert!(!counts(&world, &at_the_moment).await && counts(&world, &ahead).await);
    let refused = world.auth.revoke_certificates(&root, "maker", &before(now + 5 * MINUTE_MS + 1)).await.err().unwrap();
    assert!(sent_text(&refused).contains("more than five minutes ahead"), "{refused}");
    // Never back, and nothing is written where nothing changes.
    let revision = world.auth.revision();
    for earlier in [before(0), BEFORE_NOW, before(i64::MIN)] {
        let (view, _) = world.auth.revoke_certificates(&root, "maker", &earlier).await.unwrap();
        assert_eq!((view.certificates_from_ms, world.auth.revision()), (Some(now + 5 * MINUTE_MS), revision));
    }
    let history = world.auth.entity_history(&root, "client", "maker", falconer_auth::PageQuery::from_offset(0, 10)).await.unwrap().items;
    let detail = history.iter().rfind(|row| row.action_type == "certificates revoked").and_then(|row| row.detail.clone()).unwrap();
    assert_eq!(detail["certificatesFromMs"]["after"], now + 5 * MINUTE_MS);
}

#[tokio::test]
async fn single_ones_count_no_more_by_their_seed() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let maker = world.client("maker", &["x", "auth:create-client:made"]).await;
    let other = world.client("other", &["x"]).await;
    let now = world.now();
    let named = issue(&maker, Some("made"), now, &seed(1));
    let (unnamed, kept, of_other) =
        (issue(&maker, None, now, &seed(2)), issue(&maker, None, now, &seed(3)), issue(&other, None, now, &seed(2)));
    for (number, revoked) in [(1, &named), (2, &unnamed)] {
        assert!(counts(&world, revoked).await);
        world.auth.revoke_certificates(&root, "maker", &of_seed(&seed(number))).await.unwrap();
        assert!(!counts(&world, revoked).await);
    }
    for keys in [&kept, &of_other, &maker] {
        assert!(counts(&world, keys).await);
    }
    assert_eq!(
        message_of(&world.verify(&named).await),
        "These temporary credentials, which `maker` had issued, have been revoked. Make new ones."
    );
    let view = world.auth.client(&root, "maker").unwrap();
    let until_ms = now + 31 * DAY_MS + 10 * MINUTE_MS;
    assert_eq!(view.revoked_seeds, [(seed(1), until_ms), (seed(2), until_ms)]);
    assert_eq!(view.certificates_from_ms, None);
    assert!(!counts_at(&world, &world.reopen(settings()).await, &named).await);
    // A forgery is told nothing: its MAC is wrong.
    let forged = issue(&Keys::new("maker", "wrong"), None, now, &seed(2));
    assert_eq!(message_of(&world.verify(&forged).await), "Unauthorized: Bad mac");
    // As are those who have no MAC that is right.
    world.auth.reset_access_token(&root, "maker").await.unwrap();
    let view = world.auth.client(&root, "maker").unwrap();
    assert!(view.revoked_seeds.is_empty(), "another token has signed none of them");
    assert_eq!(message_of(&world.verify(&named).await), "Unauthorized: Bad mac");
}

#[tokio::test]
async fn whoever_may_change_the_client_or_just_this_revokes() {
    let world = World::bare().await;
    let maker = world.client("maker", &["x"]).await;
    let may = async |scopes: &[&str], id: &str| {
        let who: Authentication = world.call(&world.client("somebody", scopes).await).await;
        let done = world.auth.revoke_certificates(&who, "maker", &BEFORE_NOW).await.map(drop);
        world.auth.delete_client(&world.as_root().await, "somebody").await.unwrap();
        (done, id.to_owned())
    };
    for scope in ["auth:revoke-certificates:maker", "auth:update-client:maker", "auth:update-client:*"] {
        assert_eq!(may(&[scope], scope).await.0, Ok(()), "{scope}");
    }
    for scope in ["auth:revoke-certificates:make", "auth:reset-access-token:maker", "x"] {
        assert!(matches!(may(&[scope], scope).await.0, Err(ApiError::InsufficientScopes { .. })), "{scope}");
    }
    let own = world.call(&maker).await;
    assert!(matches!(world.auth.revoke_certificates(&own, "maker", &BEFORE_NOW).await, Err(ApiError::InsufficientScopes { .. })));
    let gone = world.auth.revoke_certificates(&world.as_root().await, "nobody", &BEFORE_NOW).await;
    assert!(matches!(gone, Err(ApiError::ResourceNotFound(_))));
    let internal = world.auth.revoke_certificates(&world.as_root().await, "static/falconer/grants-1", &BEFORE_NOW).await;
    assert!(matches!(internal, Err(ApiError::ResourceNotFound(_))), "what Falconer signs are grants");
}

#[tokio::test]
async fn what_a_client_of_the_configuration_has_made_stays_revoked_for_as_long_as_its_token_is_the_same() {
    let token = "ConfiguredConfiguredConfigured";
    let with = |token: &str, scopes: &[&str]| AuthSettings {
        static_clients: vec![StaticClient {
            client_id: "static/maker".to_owned(),
            access_token: AccessToken::new(token.to_owned()),
            description: String::new(),
            scopes: strings(scopes),
        }],
        ..settings()
    };
    let world = World::with(with(token, &["x"]), true).await;
    let root = world.as_root().await;
    let keys = issue(&Keys::new("static/maker", token), None, world.now() - 1, &seed(1));
    world.auth.revoke_certificates(&root, "static/maker", &BEFORE_NOW).await.unwrap();
    assert!(!counts(&world, &keys).await);
    assert!(!counts_at(&world, &world.reopen(with(token, &["x"])).await, &keys).await);
    assert!(!counts_at(&world, &world.reopen(with(token, &["x", "y"])).await, &keys).await);
    let renewed = world.reopen(with("AnotherAnotherAnotherAnother", &["x"])).await;
    assert_eq!(renewed.directory().client("static/maker").unwrap().record().revoked.before_ms, None);
}
