//! What a node finds and makes when it opens: static clients, the root client, the first roles, internal issuers.

use std::sync::Arc;

use crate::common::{Keys, START_MS, World, message_of, scopes_of, settings, strings};
use falconer_auth::{AccessToken, ApiError, Auth, AuthSettings, DAY_MS, MILLENNIUM_MS, ROOT_CLIENT, StaticClient, Verdict};
use falconer_store::{Revision, RoleRecord, Write};

const TOKEN: &str = "0123456789012345678901";

fn fixed(id: &str, token: &str, scopes: &[&str]) -> StaticClient {
    StaticClient {
        client_id: id.to_owned(),
        access_token: AccessToken::new(token.to_owned()),
        scopes: strings(scopes),
        description: "the builder".to_owned(),
    }
}

fn with_static(clients: Vec<StaticClient>) -> AuthSettings {
    AuthSettings { static_clients: clients, ..settings() }
}

#[tokio::test]
async fn a_fresh_install_has_a_root_and_two_roles() {
    let world = World::with(settings(), false).await;
    assert_eq!(world.root.id, ROOT_CLIENT);
    let Verdict::Success(root) = world.verify(&world.root).await else { panic!("refused") };
    assert_eq!((root.scopes.to_vec(), root.expires_ms), (strings(&["*"]), START_MS + MILLENNIUM_MS));
    assert_eq!(
        world.auth.expand(&["assume:login-identity:local/ann"]).to_vec(),
        strings(&[
            "assume:login-identity:local/ann",
            "auth:create-client:local/ann/*",
            "auth:delete-client:local/ann/*",
            "auth:reset-access-token:local/ann/*",
            "auth:update-client:local/ann/*",
        ])
    );
    assert_eq!(
        world.auth.expand(&["assume:everybody"]).to_vec(),
        strings(&[
            "assume:everybody",
            "auth:current-scopes",
            "auth:expand-scopes",
            "auth:get-client:*",
            "auth:get-role:*",
            "auth:list-clients",
            "auth:list-roles",
        ])
    );
    assert!(world.auth.directory().role("anonymous").is_none(), "nothing is public until somebody decides so");
    assert!(world.auth.is_installed());
    assert!(world.auth.fresh_install(false).await.is_err(), "only once");
    let root = world.as_root().await;
    assert!(world.auth.delete_role(&root, "everybody").await.is_ok());
}

#[tokio::test]
async fn a_bare_install_has_no_roles() {
    let world = World::bare().await;
    assert!(world.auth.directory().roles().is_empty());
}

#[tokio::test]
async fn a_new_root_token_ends_the_old_one() {
    let world = World::bare().await;
    let fresh = world.auth.root_reset().await.unwrap();
    assert_eq!(message_of(&world.verify(&world.root).await), "Unauthorized: Bad mac");
    let keys = Keys { id: fresh.client_id, token: fresh.access_token, certificate: None };
    assert_eq!(scopes_of(&world.verify(&keys).await), strings(&["*"]));
}

#[tokio::test]
async fn nobody_changes_the_root_client_through_the_api() {
    let world = World::bare().await;
    let root = world.as_root().await;
    assert!(world.auth.delete_client(&root, ROOT_CLIENT).await.is_err());
    assert!(world.auth.disable_client(&root, ROOT_CLIENT).await.is_err());
    assert!(world.auth.reset_access_token(&root, ROOT_CLIENT).await.is_err());
}

/// `falconer account` without the server's configuration file once removed every static client of a running server.
#[tokio::test]
async fn a_process_beside_the_server_leaves_static_clients_alone() {
    let world = World::with(with_static(vec![fixed("static/a", TOKEN, &["x"])]), true).await;
    let beside = AuthSettings { leave_static_clients: true, ..with_static(Vec::new()) };
    let before = world.store.revision().await.unwrap();
    world.reopen(beside).await;
    assert_eq!(world.store.revision().await.unwrap(), before);
    assert!(world.store.client("static/a").await.unwrap().is_some());
}

#[tokio::test]
async fn static_clients_follow_the_configuration() {
    let world = World::with(with_static(vec![fixed("static/a", TOKEN, &["x"]), fixed("static/b", TOKEN, &[])]), true).await;
    let a = Keys::new("static/a", TOKEN);
    assert_eq!(scopes_of(&world.verify(&a).await), strings(&["assume:anonymous", "x"]));
    let record = world.store.client("static/a").await.unwrap().unwrap();
    assert!(record.description.starts_with("the builder\n---\n\nThis is a **static client** inserted"), "{}", record.description);
    assert_eq!(record.expires_us, (START_MS + MILLENNIUM_MS) * 1000);

    world.clock.advance(1000);
    let before = world.store.revision().await.unwrap();
    world.reopen(with_static(vec![fixed("static/a", TOKEN, &["x"]), fixed("static/b", TOKEN, &[])])).await;
    assert_eq!(world.store.revision().await.unwrap(), before, "an unchanged configuration writes nothing");

    let other = "another-token-another-token";
    let reopened = world.reopen(with_static(vec![fixed("static/a", other, &["y"])])).await;
    let ids: Vec<_> = reopened.directory().clients("static/").map(|client| client.id().to_owned()).collect();
    assert_eq!(ids, ["static/a", ROOT_CLIENT], "what is gone from the configuration goes; the root client stays");
    let record = world.store.client("static/a").await.unwrap().unwrap();
    assert_eq!((record.scopes, record.access_token.expose(), record.created_ms), (strings(&["y"]), other, START_MS));
}

/// A server whose configuration had changed after 90 quiet days did not start: "the clock is 100 days ahead".
#[tokio::test]
async fn a_start_takes_static_clients_over_after_any_time_and_confirms_none() {
    let token = "0123456789012345678901";
    let world = World::with(with_static(vec![fixed("static/leaves", token, &["a"])]), true).await;
    let quiet_ms = 100 * DAY_MS;
    world.clock.advance(quiet_ms);
    let auth = world.reopen(with_static(vec![fixed("static/comes", token, &["b"])])).await;
    assert!(auth.directory().client("static/leaves").is_none(), "what was taken out gives access to nobody");
    assert_eq!(auth.directory().client("static/comes").unwrap().record().last_modified_ms, START_MS);
    assert_eq!(
        (auth.directory().highest_ms(), auth.clock_ahead_ms()),
        (START_MS, Some(quiet_ms)),
        "it is not the server that confirms the time"
    );
    let world = World { auth, ..world };
    let refused = world.auth.create_client(&world.as_root().await, "x", &world.input(&[])).await.err();
    assert_eq!(refused, Some(ApiError::ClockAhead { ahead_ms: quiet_ms }));
    world.auth.accept_time().await.unwrap();
    world.client("x", &[]).await;
}

/// A first start that was stopped between the static clients and the issuer could never be made good after 90 days.
#[tokio::test]
async fn a_start_makes_the_missing_issuer_after_any_time() {
    let (store, clock) = (crate::common::memory_store(), Arc::new(crate::common::FixedClock::at(START_MS)));
    let role_id = "r".to_owned();
    let role = RoleRecord { role_id, scopes: vec![], description: String::new(), created_ms: START_MS, last_modified_ms: START_MS };
    let step = crate::common::step_beside(Revision(0), START_MS);
    store.take(&step, Write::InsertRoles(vec![role])).await.unwrap();
    clock.advance(100 * DAY_MS);
    let auth = Auth::open(store, settings(), clock, Arc::new(crate::common::Counting::default())).await.unwrap();
    assert_eq!((auth.revision(), auth.directory().highest_ms()), (Revision(2), START_MS));
}

#[tokio::test]
async fn a_static_client_that_was_written_otherwise_is_put_right() {
    let world = World::with(with_static(vec![fixed("static/a", TOKEN, &["x"])]), true).await;
    let mut record = world.store.client("static/a").await.unwrap().unwrap();
    record.disabled = true;
    record.scopes = strings(&["*"]);
    let step = crate::common::step_beside(world.store.revision().await.unwrap(), world.now());
    world.store.update_client(&step, &record).await.unwrap();
    world.reopen(with_static(vec![fixed("static/a", TOKEN, &["x"])])).await;
    let record = world.store.client("static/a").await.unwrap().unwrap();
    assert!(!record.disabled);
    assert_eq!(record.scopes, strings(&["x"]));
}

#[tokio::test]
async fn a_bad_configuration_is_refused() {
    let bad = [
        (fixed("a", TOKEN, &[]), "static/"),
        (fixed("static/", TOKEN, &[]), "static/"),
        (fixed("static/falconer/root", TOKEN, &[]), "reserved"),
        (fixed("static/falconer/x", TOKEN, &[]), "reserved"),
        (fixed("static/a b", TOKEN, &[]), "characters"),
        (fixed("static/a", "short", &[]), "22 to 66"),
        (fixed("static/a", &"x".repeat(67), &[]), "22 to 66"),
        (fixed("static/a", "01234567890123456789 x", &[]), "22 to 66"),
        (fixed("static/a", TOKEN, &["\u{e9}"]), "not a scope"),
        (fixed("static/a", TOKEN, &["assume:grant:x"]), "reserved"),
    ];
    let world = World::bare().await;
    for (client, why) in bad {
        let name = client.client_id.clone();
        let opened = Auth::open(world.store.clone(), with_static(vec![client]), world.clock.clone(), world.random.clone()).await;
        let text = opened.err().unwrap_or_else(|| panic!("{name} was accepted")).to_string();
        assert!(text.contains(&name) && text.contains(why), "{text}");
    }
    let twice = vec![fixed("static/a", TOKEN, &[]), fixed("static/a", TOKEN, &[])];
    assert!(Auth::open(world.store.clone(), with_static(twice), world.clock.clone(), world.random.clone()).await.is_err());
}

#[tokio::test]
async fn grants_survive_a_restart_and_a_new_issuer() {
    let world = World::bare().await;
    world.person("local/ann", &["a"]).await;
    let issued = world.auth.add_grant(crate::common::new_grant("local/ann", &["a"], world.now())).await.unwrap();
    world.auth.rotate_issuer().await.unwrap();
    let second = world.auth.add_grant(crate::common::new_grant("local/ann", &["a"], world.now())).await.unwrap();
    assert_eq!((issued.grant.issuer.as_str(), second.grant.issuer.as_str()), ("static/falconer/grants-1", "static/falconer/grants-2"));
    let reopened = World { auth: world.reopen(settings()).await, ..world };
    for credentials in [issued.credentials, second.credentials] {
        let keys = Keys { id: credentials.client_id, token: credentials.access_token, certificate: Some(credentials.certificate) };
        assert_eq!(scopes_of(&reopened.verify(&keys).await), strings(&["a", "assume:anonymous", "auth:current-scopes"]));
    }
    let third = reopened.auth.add_grant(crate::common::new_grant("local/ann", &["a"], reopened.now())).await.unwrap();
    assert_eq!(third.grant.issuer, "static/falconer/grants-2", "the retired one signs no more");
}
