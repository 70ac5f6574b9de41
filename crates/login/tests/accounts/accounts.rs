//! Local accounts and the set-up link.

use crate::common::{ADDRESS, HOUR_MS, PASSWORD, World, from, settings};
use falconer_login::account::is_valid_name;
use falconer_login::{LoginError, LoginSettings, NewAccount, PasswordCost};
use falconer_store::AuditStart;

fn account(name: &str) -> NewAccount {
    NewAccount { name: name.to_owned(), display_name: "Somebody".to_owned(), ..NewAccount::default() }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|s| (*s).to_owned()).collect()
}

#[tokio::test]
async fn a_person_has_the_scopes_of_name_groups_and_account() {
    let world = World::new().await;
    world.person("ann", &["zap", "release/x"], &["secrets:get:*", "auth:list-clients"]).await;
    let record = world.store.identity("local/ann").await.unwrap().unwrap();
    assert_eq!(
        record.scopes,
        [
            "assume:login-identity:local/ann",
            "assume:local-user:ann",
            "assume:local-group:zap",
            "assume:local-group:release/x",
            "assume:everybody",
            "secrets:get:*",
            "auth:list-clients",
        ]
    );
    let scopes = world.auth.person_scopes("local/ann").unwrap();
    for held in ["notes:read:zap/x", "auth:create-client:local/ann/x", "auth:expand-scopes", "secrets:get:y"] {
        assert!(scopes.satisfies(held), "{held}");
    }
    for not in ["auth:create-client:local/bob/x", "assume:local-user:bob", "assume:local-group:y", "auth:create-role:x"] {
        assert!(!scopes.satisfies(not), "{not}");
    }
}

#[tokio::test]
async fn no_account_has_a_star_over_every_role() {
    let world = World::new().await;
    world.ann().await;
    for scope in ["*", "a*", "assume*", "assume:*", "assume:", "assume:grant:x", "assume:grant:*", "notes:**", "", "é", "a\nb"] {
        let mut new = account("x");
        new.scopes = owned(&["notes:list", scope]);
        let refused = world.login.create_account("test", &new, None).await;
        assert!(matches!(refused, Err(LoginError::Invalid(_))), "{scope:?}");
        let refused = world.login.set_scopes("test", "ann", &new.scopes).await;
        assert!(matches!(refused, Err(LoginError::Invalid(_))), "{scope:?}");
    }
    assert!(world.login.account("x").await.unwrap().is_none());
    let error = world.login.set_scopes("test", "ann", &owned(&["*"])).await.unwrap_err().to_string();
    assert!(error.contains("every role at once"), "{error}");
    world.login.set_scopes("test", "ann", &owned(&["auth:*", "assume:project:*", "b*"])).await.unwrap();
    assert!(world.auth.person_scopes("local/ann").unwrap().satisfies("auth:create-role:x"));
}

#[test]
fn names_are_plain() {
    for name in ["a", "ann", "a.b-c_9", &"a".repeat(63)] {
        assert!(is_valid_name(name), "{name}");
    }
    for name in ["", "A", "9a", ".a", "-a", "_a", "aB", "a b", "a/b", "a@b", "é", "a\n", "a\0", &"a".repeat(64)] {
        assert!(!is_valid_name(name), "{name}");
    }
}

#[tokio::test]
async fn names_are_never_used_again() {
    let world = World::new().await;
    world.ann().await;
    let taken = async || world.login.create_account("test", &account("ann"), None).await;
    assert!(matches!(taken().await, Err(LoginError::Conflict(_))));
    let before = world.login.account("ann").await.unwrap().unwrap();
    assert!(before.display_name != "ann" && before.email.is_some());
    world.login.delete_account("test", "ann").await.unwrap();
    assert!(matches!(taken().await, Err(LoginError::Conflict(_))));
    // What is deleted can't be changed, and keeps no secret.
    for again in [
        world.login.enable_account("test", "ann").await,
        world.login.delete_account("test", "ann").await,
        world.login.set_password("test", "ann", PASSWORD, false).await,
        world.login.set_groups("test", "nobody", &[]).await,
    ] {
        assert!(matches!(again, Err(LoginError::NotFound(_))));
    }
    let view = world.login.account("ann").await.unwrap().unwrap();
    assert!(view.deleted && !view.has_password && view.groups.is_empty());
    // Story: the name and the address of who had left stayed in both records.
    assert_eq!((view.display_name.as_str(), view.email), ("ann", None));
    let identity = world.store.identity("local/ann").await.unwrap().unwrap();
    assert_eq!((identity.display_name.as_str(), identity.email), ("ann", None));
    let rows = world.store.entity_history("account", "ann", AuditStart::Offset(0), 50).await.unwrap();
    let last = rows.last().unwrap();
    let detail = format!("{:?}", last.detail);
    assert!(last.action == "deleted" && !detail.contains("of the tests") && !detail.contains("@example.com"), "{detail}");
    assert_eq!(world.store.credentials("ann").await.unwrap().password_hash, None);
}

#[tokio::test]
async fn an_administrator_changes_what_an_account_is() {
    let world = World::new().await;
    let (cookie, _) = {
        world.ann().await;
        world.sign_in("ann").await
    };
    world.clock.advance(5);
    world.login.set_groups("boss", "ann", &owned(&["other"])).await.unwrap();
    assert!(!world.auth.person_scopes("local/ann").unwrap().satisfies("notes:read:zap/x"));
    world.login.set_profile("boss", "ann", " Ann B. ", Some("ann@b.example")).await.unwrap();
    let view = world.login.account("ann").await.unwrap().unwrap();
    assert_eq!((view.display_name.as_str(), view.email.as_deref()), ("Ann B.", Some("ann@b.example")));
    assert_eq!(view.last_modified_ms - view.created_ms, 5);
    assert_eq!(world.login.session(&cookie).await.unwrap().unwrap().person.display_name, "Ann B.");

    world.login.set_password("boss", "ann", "another password", true).await.unwrap();
    assert_eq!(world.login.session(&cookie).await.unwrap(), None);
    assert!(world.login.sign_in_local("ann", "another password", &from(ADDRESS)).await.is_ok());
    let actions: Vec<_> =
        world.store.actor_history("boss", AuditStart::Offset(0), 10).await.unwrap().into_iter().map(|e| e.action).collect();
    for action in ["groups set", "profile set", "password set"] {
        assert!(actions.contains(&action.to_owned()), "{actions:?}");
    }
    for (name, email) in [("", None), (" ", None), ("a\nb", None), ("Ann", Some("no address")), ("Ann", Some("@x")), ("Ann", Some("a b@x"))]
    {
        let refused = world.login.set_profile("boss", "ann", name, email).await;
        assert!(matches!(refused, Err(LoginError::Invalid(_))), "{name:?} {email:?}");
    }
    for group in ["", "a b", "a*", "é", "a:b", &"x".repeat(201)] {
        let refused = world.login.set_groups("boss", "ann", &owned(&[group])).await;
        assert!(matches!(refused, Err(LoginError::Invalid(_))), "{group:?}");
    }
}

#[tokio::test]
async fn two_changes_at_once_both_hold() {
    let world = std::sync::Arc::new(World::new().await);
    world.ann().await;
    let mut changes = tokio::task::JoinSet::new();
    let (a, b, c) = (world.clone(), world.clone(), world.clone());
    changes.spawn(async move { a.login.set_groups("t", "ann", &owned(&["new"])).await });
    changes.spawn(async move { b.login.set_scopes("t", "ann", &owned(&["new:scope"])).await });
    changes.spawn(async move { c.login.set_profile("t", "ann", "New Name", None).await });
    assert!(changes.join_all().await.iter().all(Result::is_ok));
    let view = world.login.account("ann").await.unwrap().unwrap();
    assert_eq!((view.groups, view.scopes, view.display_name.as_str()), (owned(&["new"]), owned(&["new:scope"]), "New Name"));
}

#[tokio::test]
async fn passwords_are_kept_as_argon2id_with_a_salt_each() {
    let world = World::with(LoginSettings { password_cost: PasswordCost::default(), ..settings() }).await;
    for name in ["ann", "bob"] {
        world.login.create_account("test", &account(name), Some(PASSWORD)).await.unwrap();
    }
    let hash = async |name: &str| world.store.credentials(name).await.unwrap().password_hash.unwrap();
    let (ann, bob) = (hash("ann").await, hash("bob").await);
    assert!(ann.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{ann}");
    assert_ne!(ann, bob);
    assert!(world.login.sign_in_local("ann", PASSWORD, &from(ADDRESS)).await.is_ok());
    for short in ["", "1234567"] {
        assert!(matches!(world.login.create_account("test", &account("x"), Some(short)).await, Err(LoginError::Invalid(_))));
    }
}

#[tokio::test]
async fn the_set_up_link_makes_one_administrator() {
    let world = World::with(LoginSettings { administrator_scopes: owned(&["notes:*"]), ..settings() }).await;
    let link = world.login.create_setup_link().await.unwrap();
    assert_eq!(link.token.len(), 43);
    let complete = async |token: &str, name: &str, password: &str| {
        world.login.complete_setup(token, name, "Ann", None, password, &from(ADDRESS)).await
    };
    for token in ["", "x", &"A".repeat(43)] {
        assert!(!world.login.setup_link_valid(token).await.unwrap());
        assert!(matches!(complete(token, "ann", PASSWORD).await, Err(LoginError::Conflict(_))));
    }
    // Mistakes in the form, and a name that is taken, leave the link alone.
    world.person("taken", &[], &[]).await;
    assert!(matches!(complete(&link.token, "Ann", PASSWORD).await, Err(LoginError::Invalid(_))));
    assert!(matches!(complete(&link.token, "ann", "short").await, Err(LoginError::Invalid(_))));
    assert!(matches!(complete(&link.token, "taken", PASSWORD).await, Err(LoginError::Conflict(_))));
    assert!(world.login.setup_link_valid(&link.token).await.unwrap());

    complete(&link.token, "ann", PASSWORD).await.unwrap();
    assert_eq!(world.login.account("ann").await.unwrap().unwrap().scopes, ["auth:*", "notes:*"]);
    assert!(world.auth.person_scopes("local/ann").unwrap().satisfies("auth:create-role:x"));
    world.sign_in("ann").await;
    assert!(!world.login.setup_link_valid(&link.token).await.unwrap());
    assert!(matches!(complete(&link.token, "eve", PASSWORD).await, Err(LoginError::Conflict(_))));

    let late = world.login.create_setup_link().await.unwrap();
    world.clock.advance(HOUR_MS - 1);
    assert!(world.login.setup_link_valid(&late.token).await.unwrap());
    world.clock.advance(1);
    assert!(!world.login.setup_link_valid(&late.token).await.unwrap());
    assert!(matches!(complete(&late.token, "eve", PASSWORD).await, Err(LoginError::Conflict(_))));
    assert!(world.login.account("eve").await.unwrap().is_none());
}

#[tokio::test]
async fn one_link_makes_one_administrator_however_many_try() {
    let world = std::sync::Arc::new(World::new().await);
    let link = world.login.create_setup_link().await.unwrap();
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (world, token) = (world.clone(), link.token.clone());
        tries.spawn(
            async move { world.login.complete_setup(&token, &format!("eve{n}"), "Eve", None, PASSWORD, &from(ADDRESS)).await.is_ok() },
        );
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|ok| *ok).count(), 1);
    assert_eq!(world.login.accounts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn bad_settings_are_refused_at_start() {
    let world = World::new().await;
    let open = |settings: LoginSettings| {
        falconer_login::Login::open(
            world.auth.clone(),
            world.store.clone(),
            settings,
            world.clock.clone(),
            std::sync::Arc::new(crate::common::Counting::default()),
        )
        .err()
        .map(|error| error.to_string())
    };
    let cheap = |memory_kib| PasswordCost { memory_kib, passes: 1, lanes: 1 };
    assert_eq!(open(settings()), None);
    assert!(open(LoginSettings { password_cost: cheap(1), ..settings() }).unwrap().contains("argon2"));
    assert!(open(LoginSettings { administrator_scopes: owned(&["*"]), ..settings() }).unwrap().contains("every role"));
}

/// Story: they were disabled in a step of its own afterwards, which a server that ended in between never took.
#[tokio::test]
async fn clients_of_an_account_that_lost_something_are_disabled_in_the_same_step() {
    let world = World::new().await;
    world.ann().await;
    world.client("local/ann/reader", &["notes:read:zap/1"]).await;
    world.client("local/ann/other", &["assume:local-user:ann"]).await;
    let before = world.store.revision().await.unwrap();
    let revision = world.login.set_groups("admin", "ann", &[]).await.unwrap();
    assert_eq!(revision.0, before.0 + 1);
    let disabled = async |id| world.store.client(id).await.unwrap().unwrap().disabled;
    assert!(disabled("local/ann/reader").await && !disabled("local/ann/other").await);
    let history = world.store.entity_history("client", "local/ann/reader", AuditStart::Offset(0), 9).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!((last.actor.as_str(), last.action.as_str()), ("admin", "disabled"));
    assert_eq!(last.detail.as_ref().unwrap(), &serde_json::json!({"why": "the person no longer has what they have", "clients": 1}));
    let history = world.store.entity_history("account", "ann", AuditStart::Offset(0), 9).await.unwrap();
    let detail = history.last().unwrap().detail.clone().unwrap();
    assert_eq!(detail["groups"], serde_json::json!({"added": [], "removed": ["zap"]}));
    assert_eq!(detail["scopes"], serde_json::json!({"added": [], "removed": ["assume:local-group:zap"]}));
    // An account that may not act keeps its clients for when it may again.
    world.login.disable_account("admin", "ann").await.unwrap();
    assert!(!disabled("local/ann/other").await);
}

/// Histories of people once said who did something and not what: the address that was there before could not be found any more.
#[tokio::test]
async fn the_history_says_how_it_was_and_how_it_is() {
    let world = World::new().await;
    world.ann().await;
    world.login.set_profile("admin", "ann", "Ann of Zap", None).await.unwrap();
    world.login.set_scopes("admin", "ann", &["x:y".to_owned()]).await.unwrap();
    world.login.disable_account("admin", "ann").await.unwrap();
    let history = world.store.entity_history("account", "ann", AuditStart::Offset(0), 99).await.unwrap();
    let details: Vec<_> = history.iter().filter_map(|row| row.detail.clone()).collect();
    assert_eq!(details[0]["email"], serde_json::json!({"before": null, "after": "ann@example.com"}));
    assert_eq!(details[0]["groups"], serde_json::json!({"added": ["zap"], "removed": []}));
    let profile = serde_json::json!({
        "displayName": {"before": "ann of the tests", "after": "Ann of Zap"},
        "email": {"before": "ann@example.com", "after": null},
    });
    assert!(details.contains(&profile), "{details:?}");
    assert!(details.contains(&serde_json::json!({"scopes": {"added": ["x:y"], "removed": []}})), "{details:?}");
    assert_eq!(details.last().unwrap()["disabled"], serde_json::json!({"before": false, "after": true}));
    let all = format!("{history:?}");
    assert!(!all.contains("argon2") && !all.contains(PASSWORD), "no secrets");
}

/// Story: 70 Chinese characters were refused as more than 200.
#[tokio::test]
async fn what_is_told_in_characters_is_counted_in_characters() {
    let world = World::new().await;
    let name = |length: usize| NewAccount { name: "bob".to_owned(), display_name: "密".repeat(length), ..NewAccount::default() };
    let refused = world.login.create_account("test", &name(201), None).await;
    assert_eq!(refused.err(), Some(LoginError::Invalid("Enter a name for people to read, 200 characters at most.".to_owned())));
    world.login.create_account("test", &name(200), None).await.unwrap();
}
