//! What needs a sign-in that is fresh, whatever page or API asks for it: each use case refuses by itself, and goes on after another sign-in.

use crate::common::{ADDRESS, PASSWORD, World, from};
use falconer_auth::{Authentication, ClientInput};
use falconer_login::{LoginError, MailedSite, Means, NewAccount, PasskeyError, Reauthentication, Session, SignInMethod};

const FRESH_MS: i64 = 15 * 60_000;

/// Every change of credentials, and what it came to.
async fn changes(world: &World, session: &Session) -> Vec<(&'static str, Result<(), LoginError>)> {
    let login = &world.login;
    let form_time = session.form_time(0);
    let who = Authentication::person(&session.person.identity);
    vec![
        ("password", login.change_password(session, PASSWORD, "another good password", false, false).await),
        ("recovery codes", login.make_recovery_codes(session).await.map(drop)),
        ("renaming a passkey", login.rename_passkey(session, "none", "name").await),
        ("removing a passkey", login.remove_passkey(session, "none").await),
        ("unlinking", login.unlink(session, "local/bob", &form_time).await),
        ("the name", login.choose_name(session, "local/bob", &form_time).await),
        ("an invitation", login.invite_person_from(session, &invited(), None).await.map(drop)),
        ("a mailed invitation", login.invite_person_from(session, &invited(), Some(&site())).await.map(drop)),
        ("a link for a password", login.make_reset_link_from(session, "local/bob", None).await.map(drop)),
        ("a mailed link", login.make_reset_link_from(session, "local/bob", Some(&site())).await.map(drop)),
        ("a client's token", login.reset_access_token(session, &who, "local/ann/cli", 0).await.map(|reset| drop(reset.unwrap()))),
    ]
}

fn invited() -> NewAccount {
    NewAccount { name: "carl".to_owned(), display_name: "Carl".to_owned(), email: None, groups: Vec::new(), scopes: Vec::new() }
}

fn site() -> MailedSite {
    MailedSite { name: "auth.example.com".to_owned(), link: "https://auth.example.com/password-link?token=".to_owned() }
}

/// Ann, who is Bob too, and a client of hers.
async fn ann(world: &World) -> Session {
    world.person("bob", &[], &[]).await;
    world.ann().await;
    world.login.link_identity("test", "local/bob", "local/ann").await.unwrap();
    let session = world.sign_in("ann").await.1;
    let input = ClientInput {
        expires_us: (world.login.now_ms() + 30 * crate::common::DAY_MS) * 1000,
        description: String::new(),
        scopes: Some(Vec::new()),
        delete_on_expiration: false,
    };
    world.auth.create_client(&Authentication::person("local/ann"), "local/ann/cli", &input).await.unwrap();
    session
}

#[tokio::test]
async fn every_change_of_credentials_asks_for_a_fresh_sign_in() {
    let world = World::new().await;
    let session = ann(&world).await;
    world.clock.advance(FRESH_MS);
    let revision = world.auth.revision();
    for (what, outcome) in changes(&world, &session).await {
        assert_eq!(outcome, Err(LoginError::SignInAgain), "{what}");
    }
    assert_eq!(world.auth.revision(), revision, "nothing was changed");
    assert_eq!(world.login.recovery_codes("ann").await.unwrap().total, 0);
    assert!(world.login.sign_in_local("ann", PASSWORD, &from(ADDRESS)).await.is_ok(), "the password is the old one");

    let renewed = world.login.sign_in_again(&session, Reauthentication::Password(PASSWORD), &from(ADDRESS)).await.unwrap().session;
    for (what, outcome) in changes(&world, &renewed).await {
        assert_ne!(outcome, Err(LoginError::SignInAgain), "{what}");
    }
    assert_eq!(world.login.recovery_codes("ann").await.unwrap().total, 10);
}

/// A form that lay open in another tab can still be sent; the cookie of before can not.
#[tokio::test]
async fn a_session_that_is_renewed_keeps_its_forms_and_has_another_cookie() {
    let world = World::new().await;
    world.ann().await;
    let (cookie, session) = world.sign_in("ann").await;
    let form_time = world.login.form_time(&session);
    world.clock.advance(FRESH_MS);
    assert!(!world.login.is_fresh(&session));
    let wrong = world.login.sign_in_again(&session, Reauthentication::Password("a guess"), &from(ADDRESS)).await.err();
    assert_eq!(wrong, Some(PasskeyError::Login(LoginError::WrongPassword)));
    let renewed = world.login.sign_in_again(&session, Reauthentication::Password(PASSWORD), &from(ADDRESS)).await.unwrap();
    assert_ne!(renewed.cookie_value.as_str(), cookie);
    let after = world.login.session(&renewed.cookie_value).await.unwrap().unwrap();
    assert!(world.login.is_fresh(&after) && after.owns_form(&session.csrf) && after.id != session.id);
    assert_eq!((after.identity.as_str(), after.method), ("local/ann", SignInMethod::Password));
    assert!(!world.login.is_too_soon(&after, &form_time), "the time of a form is known in the new session too");
    world.login.sign_out(&session).await.unwrap();
    assert!(world.login.session(&cookie).await.unwrap().is_none());
    // Of a session that was ended meanwhile, nothing goes on.
    assert_eq!(
        world.login.sign_in_again(&session, Reauthentication::Password(PASSWORD), &from(ADDRESS)).await.err(),
        Some(PasskeyError::Login(LoginError::SignedOut))
    );
    assert_eq!(world.login.sessions(&after).await.unwrap().len(), 2, "that of the test's first sign-in, and this one");
}

#[tokio::test]
async fn after_a_recovery_code_the_old_password_is_not_needed() {
    let world = World::new().await;
    let session = world.ann().await;
    let codes = world.login.make_recovery_codes(&session).await.unwrap();
    assert!(world.login.needs_old_password(&session));
    let change = async |session: &Session, new: &str| world.login.change_password(session, "forgotten", new, false, false).await;
    assert_eq!(change(&session, "another good password").await, Err(LoginError::WrongPassword));
    let by_code = world.login.sign_in_recovery("ann", &codes[0], &from(ADDRESS)).await.unwrap().session;
    assert!(!world.login.needs_old_password(&by_code));
    world.clock.advance(FRESH_MS);
    assert_eq!(change(&by_code, "another good password").await, Err(LoginError::SignInAgain), "a while later it is not so sure");
    let by_code = world.login.sign_in_recovery("ann", &codes[1], &from(ADDRESS)).await.unwrap().session;
    change(&by_code, "another good password").await.unwrap();
    assert!(world.login.sign_in_local("ann", "another good password", &from(ADDRESS)).await.is_ok());
    assert_eq!(world.login.sign_in_local("ann", PASSWORD, &from(ADDRESS)).await.err(), Some(LoginError::WrongPassword));
    // Also where there is none at all any more.
    world.login.clear_password("test", "ann").await.unwrap();
    let by_code = world.login.sign_in_recovery("ann", &codes[2], &from(ADDRESS)).await.unwrap().session;
    assert!(matches!(world.login.means(&by_code).await.unwrap(), Means::Local { password: false, passkey: false }));
    change(&by_code, PASSWORD).await.unwrap();
    assert!(world.login.sign_in_local("ann", PASSWORD, &from(ADDRESS)).await.is_ok());
}

#[tokio::test]
async fn a_list_of_sessions_says_where_each_began() {
    let world = World::new().await;
    let session = world.ann().await;
    for address in ["203.0.113.9", "::ffff:203.0.113.10", "2001:db8::1"] {
        world.login.sign_in_local("ann", PASSWORD, &from(address.parse().unwrap())).await.unwrap();
    }
    let mut addresses: Vec<String> = world.login.sessions(&session).await.unwrap().into_iter().map(|line| line.address).collect();
    addresses.sort();
    assert_eq!(addresses, ["192.0.2.7", "2001:db8::1", "203.0.113.10", "203.0.113.9"]);
}
