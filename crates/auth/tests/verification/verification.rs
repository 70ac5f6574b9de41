//! Verification of ordinary credentials, what counts for Falconer's own API, and the clock.

use crate::common::{HOST, Keys, START_MS, World, message_of, scopes_of, sent_text, settings, strings};
use falconer_auth::{
    ApiError, AuthSettings, Authentication, DAY_MS, Failure, HOUR_MS, MINUTE_MS, Origin, Reason, RequestParts, Unable, Verdict,
};
use falconer_scopes::Expression;

const SEED: &str = "0123456789012345678901234567890123456789abcd";

fn text(authentication: &Authentication) -> String {
    authentication.caller().expect_err("it was accepted").to_string()
}

#[tokio::test]
async fn a_good_request_tells_who_and_what() {
    let world = World::bare().await;
    world.role("anonymous", &["lobby"]).await;
    world.role("chef", &["kitchen:*"]).await;
    let keys = world.client("alice", &["assume:chef", "kitchen:oven"]).await;
    let Verdict::Success(success) = world.verify(&keys).await else { panic!("refused") };
    assert_eq!(success.client_id, "alice");
    assert_eq!(success.scopes.to_vec(), strings(&["assume:anonymous", "assume:chef", "kitchen:*", "lobby"]));
    assert_eq!(success.expires_ms, START_MS + 365 * DAY_MS);
    assert_eq!((success.hash, success.identity, success.grant), (None, None, None));
}

#[tokio::test]
async fn without_credentials_everybody_has_what_anonymous_gives() {
    let world = World::bare().await;
    world.role("anonymous", &["lobby"]).await;
    let parts = RequestParts { method: "get", resource: "/x", host: "svc.example.com", port: 443, authorization: None };
    let Verdict::NoAuth { expires_ms, scopes } = world.auth.verify(&parts).await else { panic!("refused") };
    assert_eq!((expires_ms, scopes.to_vec()), (START_MS + 15 * MINUTE_MS, strings(&["assume:anonymous", "lobby"])));
}

#[tokio::test]
async fn before_the_mac_all_is_one_answer() {
    let world = World::bare().await;
    let root = world.as_root().await;
    world.client("fine", &[]).await;
    world.client("disabled", &[]).await;
    world.auth.disable_client(&root, "disabled").await.unwrap();
    let ended = falconer_auth::ClientInput { expires_us: 0, ..world.input(&[]) };
    world.auth.create_client(&root, "expired", &ended).await.unwrap();
    for id in ["fine", "disabled", "expired", "unknown", "static/falconer/grants-1", "static/falconer/root"] {
        let keys = Keys::new(id, "not-the-token");
        assert_eq!(message_of(&world.verify(&keys).await), "Unauthorized: Bad mac", "{id}");
        let authorized = strings(&["secret"]);
        assert_eq!(message_of(&world.verify_at(&keys, "svc.example.com", 443, Some(&authorized)).await), "Unauthorized: Bad mac");
        let bad = Keys { certificate: Some("{\"version\":7}".to_owned()), ..keys.clone() };
        assert_eq!(message_of(&world.verify(&bad).await), "Unauthorized: Bad mac", "{id}");
        let other = Keys { id: "me".to_owned(), certificate: Some(format!("{{\"issuer\":\"{id}\",\"seed\":\"{SEED}\"}}")), ..keys };
        assert_eq!(message_of(&world.verify(&other).await), "Unauthorized: Bad mac", "{id}");
    }
}

#[tokio::test]
async fn behind_the_mac_the_reason_is_owed() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let keys = world.client("x", &["a"]).await;
    let soon = falconer_auth::ClientInput { expires_us: START_MS * 1000, ..world.input(&["a"]) };
    world.auth.update_client(&root, "x", &soon).await.unwrap();
    assert!(matches!(world.verify(&keys).await, Verdict::Success(_)), "valid in its last millisecond");
    world.clock.advance(1);
    assert_eq!(message_of(&world.verify(&keys).await), "Client with clientId: 'x' has expired");
    world.auth.disable_client(&root, "x").await.unwrap();
    assert_eq!(message_of(&world.verify(&keys).await), "Client with clientId 'x' is disabled");
}

#[tokio::test]
async fn temporary_credentials_hold_what_their_issuer_has() {
    let world = World::bare().await;
    world.role("r", &["x"]).await;
    let issuer = world.client("maker", &["assume:r", "auth:create-client:made"]).await;
    let make = |name: Option<&str>, scopes: &[&str]| {
        let now = world.now();
        let issued =
            falconer_credentials::temporary::create("maker", &issuer.token, name, &strings(scopes), now, now + DAY_MS, SEED).unwrap();
        Keys { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) }
    };
    assert_eq!(scopes_of(&world.verify(&make(None, &["x"])).await), strings(&["assume:anonymous", "x"]));
    let named = world.verify(&make(Some("made"), &["x"])).await;
    let Verdict::Success(success) = &named else { panic!("{named:?}") };
    assert_eq!((success.client_id.as_str(), success.expires_ms), ("made", world.now() + DAY_MS));
    assert_eq!(
        message_of(&world.verify(&make(Some("other"), &["x"])).await),
        "ext.certificate issuer `maker` doesn't have `auth:create-client:other` for supplied clientId."
    );
    assert_eq!(
        message_of(&world.verify(&make(None, &["y"])).await),
        "ext.certificate issuer `maker` doesn't satisfy all certificate scopes y.  The temporary credentials were not generated correctly."
    );
}

#[tokio::test]
async fn own_calls_count_only_for_our_origins() {
    let mut settings = settings();
    settings.hawk_origins = vec![Origin::parse("http://internal:8080").unwrap()];
    let world = World::with(settings, true).await;
    let call = async |host: &str, port: u16| {
        let header = world.sign(&world.root, "/x", host, port, None);
        world.auth.authenticate(&RequestParts { method: "GET", resource: "/x", host, port, authorization: Some(&header) }).await
    };
    assert!(call(HOST, 443).await.caller().is_ok());
    assert!(call("AUTH.example.com", 443).await.caller().is_ok());
    assert!(call("internal", 8080).await.caller().is_ok());
    for (host, port) in [("evil.example.com", 443), (HOST, 80), ("internal", 80)] {
        assert_eq!(text(&call(host, port).await), "Unauthorized: Bad mac", "{host}:{port}");
    }
    let nobody = world
        .auth
        .authenticate(&RequestParts { method: "GET", resource: "/x", host: "evil.example.com", port: 443, authorization: None })
        .await;
    assert_eq!(nobody.caller().unwrap().client_id, None);
}

#[tokio::test]
async fn require_gives_401_and_403() {
    let world = World::bare().await;
    let needed = Expression::Scope("auth:list-clients".to_owned());
    let wrong = world.call(&Keys::new("x", "wrong")).await;
    assert_eq!(wrong.require(&needed), Err(Reason::Credentials(Failure::BadMac).into()));
    let weak = world.call(&world.client("weak", &[]).await).await;
    let Err(ApiError::InsufficientScopes { client_id, missing, required }) = weak.require(&needed) else { panic!("accepted") };
    assert_eq!((client_id.as_deref(), &missing, &required), (Some("weak"), &needed, &needed));
    assert!(matches!(world.auth.nobody().require(&needed), Err(ApiError::InsufficientScopes { client_id: None, .. })));
    assert_eq!(world.as_root().await.require(&needed), Ok(()));
}

#[tokio::test]
async fn a_person_on_the_console_is_looked_up_by_each_use_case() {
    let world = World::bare().await;
    let ann = Authentication::person("local/ann");
    let create = async || world.auth.create_client(&ann, "local/ann/x", &world.input(&["a"])).await.map(|(view, _)| view.client_id);
    assert_eq!(create().await, Err(Reason::PersonInactive { identity: "local/ann".to_owned() }.into()));
    world.person("local/ann", &["a", "auth:create-client:local/ann/*"]).await;
    assert_eq!(create().await, Ok("local/ann/x".to_owned()));
    let rows = world.auth.audit_history(&world.as_root().await, "local/ann", falconer_auth::PageQuery::from_offset(0, 9)).await;
    assert!(rows.unwrap().items.iter().any(|row| row.entity_id == "local/ann/x"));
    world.person("local/ann", &["b"]).await;
    let refused = world.auth.create_client(&ann, "local/ann/y", &world.input(&[])).await.map(|_| ());
    let refused = sent_text(&refused.unwrap_err());
    assert!(refused.starts_with("Client ID local/ann does not have sufficient scopes"), "{refused}");
    assert_eq!(world.auth.caller(&ann).unwrap().scopes.to_vec(), strings(&["assume:anonymous", "b"]));
}

#[tokio::test]
async fn a_clock_that_is_far_behind_authenticates_nobody() {
    let world = World::bare().await;
    let keys = world.client("x", &[]).await;
    world.clock.advance(-MINUTE_MS);
    assert!(matches!(world.verify(&keys).await, Verdict::Success(_)), "a minute is fine");
    world.clock.advance(-1);
    // The service was told `auth-failed`, and told its own caller 401.
    let behind_ms = MINUTE_MS + 1;
    assert_eq!(world.auth.clock_behind_ms(), Some(behind_ms));
    assert_eq!(world.verify(&keys).await, Verdict::Unable(Unable::ClockBehind { behind_ms }));
    assert_eq!(world.verify(&Keys::new("unknown", "x")).await, Verdict::Unable(Unable::ClockBehind { behind_ms }));
    let error = ApiError::ClockBehind { behind_ms };
    let message =
        "The clock of this server is 1 minute behind the time of its last change; it authenticates nobody until that is corrected";
    assert_eq!(error.to_string(), message);
    assert_eq!(world.call(&keys).await.caller().unwrap_err(), error);
    assert_eq!(world.auth.caller(&Authentication::person("local/ann")), Err(error));
    let reopened = world.reopen(settings()).await;
    assert_eq!(reopened.clock_behind_ms(), Some(behind_ms), "a restart forgets nothing");
    world.clock.advance(1);
    assert!(matches!(world.verify(&keys).await, Verdict::Success(_)));
}

#[tokio::test]
async fn a_time_that_is_accepted_on_one_node_is_accepted_on_all() {
    let world = World::bare().await;
    world.clock.advance(3 * HOUR_MS);
    let keys = world.client("x", &[]).await;
    world.clock.advance(-3 * HOUR_MS);
    let beside = world.reopen(settings()).await;
    let accepted = beside.accept_time().await.unwrap();
    assert_eq!((accepted.before_ms, accepted.now_ms), (START_MS + 3 * HOUR_MS, START_MS));
    assert_eq!(beside.clock_behind_ms(), None);
    assert!(matches!(world.verify(&keys).await, Verdict::Unable(_)), "it has not heard of it");
    assert!(world.auth.catch_up().await.unwrap());
    assert!(matches!(world.verify(&keys).await, Verdict::Success(_)));
    assert_eq!(world.reopen(settings()).await.clock_behind_ms(), None);
}

#[tokio::test]
async fn last_uses_are_written_now_and_then() {
    let world = World::bare().await;
    let keys = world.client("x", &[]).await;
    let stored = async || world.store.client("x").await.unwrap().unwrap().last_date_used_ms;
    world.clock.advance(6 * HOUR_MS);
    world.verify(&keys).await;
    world.auth.flush_uses().await.unwrap();
    assert_eq!(stored().await, START_MS, "six hours are not more than six hours");
    world.clock.advance(1);
    world.verify(&Keys::new("x", "wrong")).await;
    world.auth.flush_uses().await.unwrap();
    assert_eq!(stored().await, START_MS, "a wrong MAC is no use");
    world.verify(&keys).await;
    assert_eq!(stored().await, START_MS, "off the hot path");
    let root = world.as_root().await;
    assert_eq!(world.auth.client(&root, "x").unwrap().last_date_used_ms, world.now(), "but shown at once");
    world.auth.disable_client(&root, "x").await.unwrap();
    world.auth.flush_uses().await.unwrap();
    assert_eq!(stored().await, world.now());
    assert_eq!(world.reopen(settings()).await.directory().client("x").unwrap().last_date_used_ms(), world.now());
}

#[tokio::test]
async fn clients_are_put_away_where_more_were_used_than_are_kept_and_count_as_before() {
    let world = World::with(AuthSettings { clients_at_hand: 2, ..settings() }, true).await;
    let mut all = Vec::new();
    for id in ["x", "y", "z"] {
        all.push(world.client(id, &["a"]).await);
    }
    world.clock.advance(6 * HOUR_MS + 1);
    // The root client is at hand already.
    for (keys, left) in all.iter().zip([2, 0, 1]) {
        world.verify(keys).await;
        world.auth.flush_uses().await.unwrap();
        assert_eq!(world.auth.directory().clients_at_hand(), left);
    }
    let (used_ms, root) = (world.now(), world.as_root().await);
    assert_eq!(world.auth.client(&root, "x").unwrap().last_date_used_ms, used_ms, "what was written down is shown");
    world.clock.advance(1);
    for keys in &all {
        world.verify(keys).await;
    }
    world.auth.disable_client(&root, "y").await.unwrap();
    world.auth.flush_uses().await.unwrap();
    assert_eq!(world.store.client("x").await.unwrap().unwrap().last_date_used_ms, used_ms, "six hours are not over");
    let verdicts = [world.verify(&all[0]).await, world.verify(&all[1]).await];
    assert!(matches!(verdicts, [Verdict::Success(_), Verdict::Failed(_)]), "{verdicts:?}");
}

#[tokio::test]
async fn uses_of_grants_are_counted() {
    let world = World::bare().await;
    world.person("local/ann", &["a"]).await;
    let issued = world.auth.add_grant(crate::common::new_grant("local/ann", &["a"], world.now())).await.unwrap();
    let keys = Keys {
        id: issued.credentials.client_id,
        token: issued.credentials.access_token,
        certificate: Some(issued.credentials.certificate),
    };
    for _ in 0..3 {
        world.verify(&keys).await;
    }
    world.clock.advance(5);
    world.verify(&keys).await;
    world.auth.flush_uses().await.unwrap();
    let stored = world.store.grant(&issued.grant.id).await.unwrap().unwrap();
    assert_eq!((stored.use_count, stored.last_used_ms), (4, Some(world.now())));
    world.auth.flush_uses().await.unwrap();
    assert_eq!(world.store.grant(&issued.grant.id).await.unwrap().unwrap().use_count, 4, "each is counted once");
}

#[tokio::test]
async fn the_tester_is_everybodys() {
    let world = World::bare().await;
    let tester = Keys::new("tester", "no-secret");
    let test = |keys: &Keys, has: &[&str], needs: &[&str]| {
        let header = world.sign(keys, "/x", HOST, 443, None);
        let parts = RequestParts { method: "GET", resource: "/x", host: HOST, port: 443, authorization: Some(&header) };
        world.auth.test_authenticate(&parts, &strings(has), &strings(needs))
    };
    let fine = test(&tester, &["b:*", "a"], &["b:1"]).unwrap();
    assert_eq!((fine.client_id.as_str(), fine.scopes), ("tester", strings(&["assume:anonymous", "b:*", "a"])));
    assert!(sent_text(&test(&tester, &["a"], &["b", "c"]).unwrap_err()).starts_with("Client ID tester does not have sufficient scopes"));
    assert_eq!(test(&Keys::new("tester", "x"), &[], &[]).unwrap_err().to_string(), "Unauthorized: Bad mac");
    assert_eq!(test(&Keys::new("nope", "x"), &[], &[]).unwrap_err().to_string(), "Client with clientId 'nope' not found");
    let now = world.now();
    let issued =
        falconer_credentials::temporary::create("tester", &tester.token, Some("my-temp"), &strings(&["a1"]), now, now + 1000, SEED)
            .unwrap();
    let named = Keys { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) };
    let fine = test(&named, &["a*", "auth:create-client:my-temp"], &["a1"]).unwrap();
    assert_eq!((fine.client_id.as_str(), fine.scopes), ("my-temp", strings(&["a1", "assume:anonymous"])));
    let nobody = RequestParts { method: "GET", resource: "/x", host: HOST, port: 443, authorization: None };
    let fine = world.auth.test_authenticate(&nobody, &strings(&["a"]), &[]).unwrap();
    assert_eq!((fine.client_id.as_str(), fine.scopes), ("auth-failed:no-auth", strings(&["assume:anonymous"])));
    assert!(world.auth.test_authenticate(&nobody, &strings(&["a"]), &strings(&["a"])).is_err());
}
