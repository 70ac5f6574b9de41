//! Signing in, throttling, sessions and their ends.

use crate::common::{ADDRESS, DAY_MS, HOUR_MS, PASSWORD, World, from, settings};
use falconer_login::{FormKeys, LoginError, LoginSettings, Visitor};

const MINUTE_MS: i64 = 60_000;

#[tokio::test]
async fn the_right_password_makes_a_session() {
    let world = World::new().await;
    world.ann().await;
    let (cookie, session) = world.sign_in("ann").await;
    assert_eq!(cookie.len(), 43);
    assert_ne!(cookie, session.id);
    assert_eq!(world.login.session(&cookie).await.unwrap(), Some(session.clone()));
    let person = &session.person;
    assert_eq!((person.identity.as_str(), session.identity.as_str(), session.account_name()), ("local/ann", "local/ann", Some("ann")));
    assert_eq!((person.display_name.as_str(), person.email.as_deref()), ("ann of the tests", Some("ann@example.com")));
    assert!(!person.email_verified);
    assert_eq!(person.groups, ["zap"]);
    assert!(world.store.session(&cookie).await.unwrap().is_none(), "stored by its value");

    let (other, second) = world.sign_in("ann").await;
    assert_ne!(other, cookie);
    assert_ne!(second.csrf, session.csrf);
    for nobody in ["", "x", &"A".repeat(43), session.id.as_str(), &cookie[..42]] {
        assert_eq!(world.login.session(nobody).await.unwrap(), None, "{nobody}");
    }
}

#[tokio::test]
async fn every_failure_says_the_same() {
    let world = World::new().await;
    world.ann().await;
    world.person("off", &[], &[]).await;
    world.login.disable_account("test", "off").await.unwrap();
    world.person("gone", &[], &[]).await;
    world.login.delete_account("test", "gone").await.unwrap();
    let new = falconer_login::NewAccount { name: "silent".to_owned(), display_name: "Without a password".to_owned(), ..Default::default() };
    world.login.create_account("test", &new, None).await.unwrap();
    let long = "x".repeat(600);
    for (name, password) in [
        ("ann", "wrong password"),
        ("ann", ""),
        ("ann", "short"),
        ("ann", long.as_str()),
        ("nobody", PASSWORD),
        ("off", PASSWORD),
        ("gone", PASSWORD),
        ("silent", PASSWORD),
        ("silent", ""),
        ("an n", PASSWORD),
        ("ann/", PASSWORD),
        ("", PASSWORD),
        ("../ann", PASSWORD),
        (long.as_str(), PASSWORD),
    ] {
        let refused = world.login.sign_in_local(name, password, &from(ADDRESS)).await;
        assert_eq!(refused.err(), Some(LoginError::WrongPassword), "{name} {password}");
    }
}

/// Another process may switch a person off without knowing of this session.
#[tokio::test]
async fn a_session_is_worth_what_its_person_is_worth() {
    let world = World::new().await;
    world.ann().await;
    let (cookie, _) = world.sign_in("ann").await;
    let mut person = world.store.identity("local/ann").await.unwrap().unwrap();
    for disabled in [true, false] {
        person.disabled = disabled;
        world.auth.put_identity("test", &person).await.unwrap();
        assert_eq!(world.login.session(&cookie).await.unwrap().is_none(), disabled);
    }
}

#[tokio::test]
async fn sessions_end_by_idleness_and_by_age() {
    let world = World::new().await;
    world.ann().await;
    let (cookie, _) = world.sign_in("ann").await;
    let alive = async |cookie: &str| world.login.session(cookie).await.unwrap().is_some();
    world.clock.advance(DAY_MS - 1);
    assert!(alive(&cookie).await);
    world.clock.advance(DAY_MS);
    assert!(!alive(&cookie).await, "idle for a day");

    let (cookie, session) = world.sign_in("ann").await;
    assert_eq!(session.expires_ms, session.created_ms + 7 * DAY_MS);
    for _ in 0..13 {
        world.clock.advance(12 * HOUR_MS);
        assert!(alive(&cookie).await);
    }
    world.clock.advance(12 * HOUR_MS - 1);
    assert!(alive(&cookie).await);
    world.clock.advance(1);
    assert!(!alive(&cookie).await, "a week old");
}

#[tokio::test]
async fn uses_are_noted_once_a_minute() {
    let world = World::new().await;
    world.ann().await;
    let (cookie, session) = world.sign_in("ann").await;
    let stored = async || world.store.session(&session.id).await.unwrap().unwrap().last_seen_ms;
    world.clock.advance(MINUTE_MS - 1);
    world.login.session(&cookie).await.unwrap();
    assert_eq!(stored().await, session.created_ms);
    world.clock.advance(1);
    world.login.session(&cookie).await.unwrap();
    assert_eq!(stored().await, session.created_ms + MINUTE_MS);
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_owner_only() {
    let world = World::new().await;
    world.ann().await;
    let (bobs, bob) = {
        world.person("bob", &[], &[]).await;
        world.sign_in("bob").await
    };
    world.clock.advance(1000);
    let agent = format!("Fancy\r\nBrowser {}", "x".repeat(300));
    let signed_in = world.login.sign_in_local("ann", PASSWORD, &Visitor { user_agent: &agent, ..from(ADDRESS) }).await.unwrap();
    let (cookie, session) = (signed_in.cookie_value, signed_in.session);
    let listed = world.login.sessions(&session).await.unwrap();
    assert_eq!(listed.iter().map(|s| s.current).collect::<Vec<_>>(), [true, false]);
    assert!(listed[0].user_agent.starts_with("FancyBrowser xxx") && listed[0].user_agent.len() == 200);
    assert_eq!(listed[0].expires_ms, session.created_ms + DAY_MS);

    assert!(matches!(world.login.end_session(&session, &bob.id).await, Err(LoginError::NotFound(_))));
    assert!(world.login.session(&bobs).await.unwrap().is_some());
    world.login.end_session(&session, &listed[1].id).await.unwrap();
    assert_eq!(world.login.sessions(&session).await.unwrap().len(), 1);
    world.login.sign_out(&session).await.unwrap();
    assert_eq!(world.login.session(&cookie).await.unwrap(), None);
}

#[tokio::test]
async fn forms_belong_to_their_browser() {
    let world = World::new().await;
    world.ann().await;
    let ((_, one), (_, two)) = (world.sign_in("ann").await, world.sign_in("ann").await);
    assert!(one.owns_form(&one.csrf) && !one.owns_form(&two.csrf) && !one.owns_form(""));

    let form = world.login.anonymous_form(None);
    assert!(world.login.anonymous_form_is_ours(&form.cookie_value, &form.token));
    let other = world.login.anonymous_form(None);
    assert!(other != form);
    assert!(!world.login.anonymous_form_is_ours(&other.cookie_value, &form.token));
    assert!(!world.login.anonymous_form_is_ours(&form.cookie_value, ""));
    assert!(!world.login.anonymous_form_is_ours("", &form.token));
    // A second tab keeps the cookie of the first; what is no cookie of ours is replaced.
    assert!(world.login.anonymous_form(Some(&form.cookie_value)) == form);
    assert_ne!(world.login.anonymous_form(Some("chosen by somebody")).cookie_value, "chosen by somebody");
    let elsewhere = World::with(LoginSettings { form_keys: form_keys(&[1]), ..settings() }).await;
    assert!(!elsewhere.login.anonymous_form_is_ours(&form.cookie_value, &form.token));
    let third = World::with(LoginSettings { form_keys: form_keys(&[1]), ..settings() }).await;
    let form = elsewhere.login.anonymous_form(None);
    assert!(third.login.anonymous_form_is_ours(&form.cookie_value, &form.token));
}

fn form_keys(keys: &[u8]) -> Option<FormKeys> {
    Some(FormKeys::new(keys.iter().map(|key| [*key; 32].into()).collect()))
}

/// Story: the key of forms was that of the start. After another key sealed, the first server that was started again refused the forms of the others, and they its own.
#[tokio::test]
async fn forms_hold_between_servers_that_seal_with_different_keys() {
    let keys = form_keys(&[1]).unwrap();
    let before = World::with(LoginSettings { form_keys: Some(keys.clone()), ..settings() }).await;
    let after = World::with(LoginSettings { form_keys: form_keys(&[2, 1]), ..settings() }).await;
    let (old, new) = (before.login.anonymous_form(None), after.login.anonymous_form(None));
    let mac = (before.login.mac("pushed", &["x"]), after.login.mac("pushed", &["x"]));
    assert!(after.login.anonymous_form_is_ours(&old.cookie_value, &old.token) && after.login.has_mac("pushed", &["x"], &mac.0));
    assert!(!before.login.anonymous_form_is_ours(&new.cookie_value, &new.token), "it has not read the key file again");
    let of_another = [[9; 32].into()];
    for read in [of_another.to_vec(), vec![[2; 32].into(), [1; 32].into()]] {
        keys.replace(read);
    }
    assert!(before.login.anonymous_form_is_ours(&new.cookie_value, &new.token) && before.login.has_mac("pushed", &["x"], &mac.1));
    assert!(before.login.anonymous_form_is_ours(&old.cookie_value, &old.token) && before.login.mac("pushed", &["x"]) == mac.1);
}

#[tokio::test]
async fn no_token_is_in_debug() {
    let world = World::new().await;
    let ann = world.ann().await;
    assert!(!format!("{ann:?}").contains(&ann.csrf));
}

/// A sign-in took as long as two hashes. One is what there is, for whoever is right, wrong, or nobody.
#[tokio::test]
async fn an_attempt_is_one_hash_whoever_it_is_for() {
    let world = World::new().await;
    world.ann().await;
    world.person("stopped", &[], &[]).await;
    world.login.disable_account("test", "stopped").await.unwrap();
    for (name, password) in
        [("ann", PASSWORD), ("ann", "a wrong password"), ("stopped", PASSWORD), ("nobody", PASSWORD), ("No Name", PASSWORD)]
    {
        let before = world.login.password_hashes();
        let signed_in = world.login.sign_in_local(name, password, &from(ADDRESS)).await;
        assert_eq!(signed_in.is_ok(), name == "ann" && password == PASSWORD, "{name}");
        assert_eq!(world.login.password_hashes() - before, 1, "{name} {password}");
    }
}
