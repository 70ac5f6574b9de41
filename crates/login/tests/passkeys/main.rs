//! Passkeys: signing in with one, and what authenticators and browsers could say that must not count.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod authenticator;
#[path = "../common/mod.rs"]
mod common;
mod lies;

use authenticator::{ATTESTED, EXTENSIONS, Kind, Says, USER_PRESENT, USER_VERIFIED, bytes_of, text, user};
use ciborium::Value;
use common::{DAY_MS, PASSWORD, World, from, settings};
use falconer_login::{LoginError, LoginSettings, PasskeyError, RelyingParty, Session, SignInMethod};
use falconer_store::{AuditStart, CredentialsChange};

const COOKIE: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const ID: &[u8] = b"an id of a credential";
const MINUTE_MS: i64 = 60_000;

async fn world() -> World {
    World::with(LoginSettings { relying_party: RelyingParty::of_origin(authenticator::ORIGIN), ..settings() }).await
}

/// Ann with a passkey.
async fn with_passkey() -> (World, Session) {
    let world = world().await;
    let ann = world.ann().await;
    Says::to_register(Kind::Es256, ID).register(&world, &ann).await.unwrap();
    (world, ann)
}

async fn actions(world: &World) -> Vec<String> {
    let rows = world.store.entity_history("account", "ann", AuditStart::Offset(0), 50).await.unwrap();
    rows.into_iter().map(|row| row.action).collect()
}

#[tokio::test]
async fn each_algorithm_signs_in_and_counts_twice() {
    for kind in [Kind::Es256, Kind::EdDsa, Kind::Rs256] {
        let world = world().await;
        let ann = world.ann().await;
        Says::to_register(kind, ID).register(&world, &ann).await.unwrap();
        let signed_in = Says::to_sign_in(kind, ID, 1).sign_in(&world, COOKIE).await.unwrap();
        let session = world.login.session(&signed_in.cookie_value).await.unwrap().unwrap();
        assert_eq!((session.identity.as_str(), session.method, session.factors), ("local/ann", SignInMethod::Passkey, 2), "{kind:?}");
        let kept = world.store.passkey(&text(ID)).await.unwrap().unwrap();
        assert_eq!((kept.counter, kept.resident, kept.label.as_str()), (1, true, "My key"));
        assert_eq!((kept.transports, kept.aaguid), (vec!["internal".to_owned(), "hybrid".to_owned()], "07".repeat(16)));
        assert!(actions(&world).await.contains(&"passkey added".to_owned()));
    }
}

/// Strangers who had used up the attempts of an account kept its person out of every new browser.
#[tokio::test]
async fn wrong_passwords_of_others_do_not_matter() {
    let mut settings = LoginSettings { relying_party: RelyingParty::of_origin(authenticator::ORIGIN), ..settings() };
    settings.attempts_by_strangers = 3;
    let world = World::with(settings).await;
    let ann = world.ann().await;
    Says::to_register(Kind::Es256, ID).register(&world, &ann).await.unwrap();
    for n in 0..3 {
        let wrong = world.login.sign_in_local("ann", "wrong password", &from([10, 0, 0, n].into())).await;
        assert_eq!(wrong.err(), Some(LoginError::WrongPassword));
    }
    let new_place = falconer_login::Visitor { browser: Some(COOKIE), ..from([10, 9, 9, 9].into()) };
    let shut_out = world.login.sign_in_local("ann", PASSWORD, &new_place).await;
    assert!(matches!(shut_out, Err(LoginError::Throttled { .. })));
    Says::to_sign_in(Kind::Es256, ID, 1).sign_in(&world, COOKIE).await.unwrap();
    // From then on the browser is known, and her password gets through there as well.
    world.login.sign_in_local("ann", PASSWORD, &new_place).await.unwrap();
}

#[tokio::test]
async fn who_may_not_act_signs_in_no_more() {
    let (world, ann) = with_passkey().await;
    world.login.disable_account("test", "ann").await.unwrap();
    let refused = Says::to_sign_in(Kind::Es256, ID, 1).sign_in(&world, COOKIE).await;
    assert_eq!(refused.err(), Some(PasskeyError::Login(LoginError::SignedOut)));
    world.login.enable_account("test", "ann").await.unwrap();
    Says::to_sign_in(Kind::Es256, ID, 2).sign_in(&world, COOKIE).await.unwrap();
    world.login.delete_account("test", "ann").await.unwrap();
    let refused = Says::to_sign_in(Kind::Es256, ID, 3).sign_in(&world, COOKIE).await;
    assert_eq!(refused.err(), Some(PasskeyError::Unknown));
    assert!(world.login.offer_registration(&ann).await.unwrap().is_some_and(|offer| offer.exclude.is_empty()));
}

#[tokio::test]
async fn a_passkey_is_renamed_and_removed_by_its_owner_alone_and_the_last_way_in_stays() {
    let (world, ann) = with_passkey().await;
    let bob = world.person("bob", &[], &[]).await;
    let id = text(ID);
    for refused in [world.login.rename_passkey(&bob, &id, "mine").await, world.login.remove_passkey(&bob, &id).await] {
        assert!(matches!(refused, Err(LoginError::Conflict(_))), "{refused:?}");
    }
    assert!(matches!(world.login.rename_passkey(&ann, &id, "  ").await, Err(LoginError::Invalid(_))));
    world.login.rename_passkey(&ann, &id, " Phone ").await.unwrap();
    assert_eq!(world.login.passkeys("ann").await.unwrap()[0].label, "Phone");
    world.login.clear_password("test", "ann").await.unwrap();
    let last = world.login.remove_passkey(&ann, &id).await;
    assert!(matches!(&last, Err(LoginError::Conflict(text)) if text.contains("last way in")), "{last:?}");
    world.login.set_password("test", "ann", PASSWORD, false).await.unwrap();
    let (others, ann) = (world.sign_in("ann").await.0, world.sign_in("ann").await.1);
    world.login.remove_passkey(&ann, &id).await.unwrap();
    assert_eq!(world.login.session(&others).await, Ok(None), "whoever has the authenticator may have begun a session");
    assert!(world.login.passkeys("ann").await.unwrap().is_empty());
    for action in ["passkey added", "passkey renamed", "passkey removed"] {
        assert!(actions(&world).await.iter().any(|done| done == action), "{action}");
    }
}

#[tokio::test]
async fn a_challenge_is_answered_once_in_its_browser_and_in_time() {
    let (world, ann) = with_passkey().await;
    let offer = world.login.offer_passkey(COOKIE).unwrap();
    let says = |counter| Says::to_sign_in(Kind::Es256, ID, counter);
    let elsewhere = says(1).sign_in_for(&world, "BBBBBBBBBBBBBBBBBBBBBB", &offer.challenge, &offer.ceremony).await;
    assert_eq!(elsewhere.err(), Some(PasskeyError::NotBegunHere));
    let nowhere = says(1).sign_in_for(&world, "", &offer.challenge, &offer.ceremony).await;
    assert_eq!(nowhere.err(), Some(PasskeyError::NotBegunHere));
    says(1).sign_in_for(&world, COOKIE, &offer.challenge, &offer.ceremony).await.unwrap();
    for counter in [1, 2] {
        let repeated = says(counter).sign_in_for(&world, COOKIE, &offer.challenge, &offer.ceremony).await;
        assert_eq!(repeated.err(), Some(PasskeyError::Used));
    }
    // One for another purpose: to register, to sign in again.
    let register = world.login.offer_registration(&ann).await.unwrap().unwrap();
    let second = world.login.offer_passkey_again(&ann).unwrap();
    for (challenge, ceremony) in [(register.challenge, register.ceremony), (second.challenge, second.ceremony)] {
        for cookie in [COOKIE, &ann.id] {
            let other = says(3).sign_in_for(&world, cookie, &challenge, &ceremony).await;
            assert_eq!(other.err(), Some(PasskeyError::NotBegunHere));
        }
    }
    let offer = world.login.offer_passkey(COOKIE).unwrap();
    world.clock.advance(30 * MINUTE_MS);
    let late = says(4).sign_in_for(&world, COOKIE, &offer.challenge, &offer.ceremony).await;
    assert_eq!(late.err(), Some(PasskeyError::Over));
    // Nobody makes it younger.
    let (_, number) = offer.ceremony.split_once('.').unwrap();
    let younger = format!("{}.{number}", common::START_MS + 30 * MINUTE_MS);
    let late = says(5).sign_in_for(&world, COOKIE, &offer.challenge, &younger).await;
    assert_eq!(late.err(), Some(PasskeyError::NotBegunHere));
    // A registration is its session's, too.
    let ann = world.sign_in(ann.account_name().unwrap()).await.1;
    let bob = world.person("bob", &[], &[]).await;
    let offer = world.login.offer_registration(&ann).await.unwrap().unwrap();
    let other = Says::to_register(Kind::Es256, b"another").register_for(&world, &bob, &offer.challenge, &offer.ceremony).await;
    assert_eq!(other, Err(PasskeyError::NotBegunHere));
    Says::to_register(Kind::Es256, b"another").register_for(&world, &ann, &offer.challenge, &offer.ceremony).await.unwrap();
    let retried = Says::to_register(Kind::Es256, b"a third").register_for(&world, &ann, &offer.challenge, &offer.ceremony).await;
    assert_eq!(retried, Err(PasskeyError::Used));
    world.clock.advance(DAY_MS);
}

/// An authenticator's word for its own model is neither needed nor taken.
#[tokio::test]
async fn a_statement_about_the_model_is_not_looked_at() {
    let world = world().await;
    let ann = world.ann().await;
    let mut says = Says::to_register(Kind::Es256, ID);
    says.attestation = |bytes| {
        let Value::Map(mut members) = ciborium::from_reader(bytes.as_slice()).unwrap() else { panic!("a map") };
        for (name, value) in &mut members {
            match name.as_text().unwrap() {
                "fmt" => *value = "packed".into(),
                "attStmt" => *value = Value::Map(vec![("x5c".into(), Value::Array(vec![Value::Bytes(vec![1; 900])]))]),
                _ => {}
            }
        }
        bytes_of(&Value::Map(members))
    };
    says.register(&world, &ann).await.unwrap();
}

/// Story: it was a hash of the account's name, so that whoever found a security key could try whose it is.
#[tokio::test]
async fn what_authenticators_call_somebody_says_nothing_of_them() {
    let world = world().await;
    let (ann, bob) = (world.ann().await, world.person("bob", &[], &[]).await);
    let offer = async |session: &Session| world.login.offer_registration(session).await.unwrap().unwrap();
    let (offered, another) = (offer(&ann).await, offer(&ann).await);
    assert_eq!(offered.user.len(), 43);
    assert!(offered.user != user("ann") && offered.user != another.user, "it is drawn");
    // It comes back with the answer, and nobody puts another one in.
    let says = Says::to_register(Kind::Es256, ID);
    for ceremony in [format!("{}x", offered.ceremony), offered.ceremony.replace(&offered.user, &another.user), "1.2.3".to_owned()] {
        let refused = says.register_for(&world, &ann, &offered.challenge, &ceremony).await;
        assert_eq!(refused.err(), Some(PasskeyError::NotBegunHere), "{ceremony}");
    }
    says.register_for(&world, &ann, &offered.challenge, &offered.ceremony).await.unwrap();
    let signs = |user: &str, counter| Says { user: Some(user.to_owned()), ..Says::to_sign_in(Kind::Es256, ID, counter) };
    for other in [another.user.as_str(), &user("ann"), ""] {
        assert_eq!(signs(other, 1).sign_in(&world, COOKIE).await.err(), Some(PasskeyError::WrongUser), "{other}");
    }
    signs(&offered.user, 1).sign_in(&world, COOKIE).await.unwrap();
    // All passkeys of one account have the same, so that an authenticator knows them for one.
    assert_eq!(offer(&ann).await.user, offered.user);
    assert_ne!(offer(&bob).await.user, offered.user);
}

#[tokio::test]
async fn a_passkey_of_an_earlier_version_goes_on() {
    let (world, ann) = with_passkey().await;
    let mut before = world.store.passkey(&text(ID)).await.unwrap().unwrap();
    before.user_handle = None;
    let remove = CredentialsChange::RemovePasskey { id: before.id.clone(), keep_a_way_in: false };
    for change in [remove, CredentialsChange::AddPasskey(before)] {
        let step = world.step(Vec::new()).await;
        world.store.change_credentials(&step, "ann", change).await.unwrap();
    }
    let signs = Says { user: Some(user("ann")), ..Says::to_sign_in(Kind::Es256, ID, 1) };
    signs.sign_in(&world, COOKIE).await.unwrap();
    // The next one says nothing of them.
    assert_ne!(world.login.offer_registration(&ann).await.unwrap().unwrap().user, user("ann"));
}

#[tokio::test]
async fn without_a_host_name_there_are_none() {
    let world = World::new().await;
    let ann = world.ann().await;
    assert_eq!(world.login.offer_passkey(COOKIE), None);
    assert_eq!(world.login.offer_registration(&ann).await.unwrap(), None);
    let says = Says::to_sign_in(Kind::Es256, ID, 1);
    assert_eq!(says.sign_in_for(&world, COOKIE, "", "").await.err(), Some(PasskeyError::NotHere));
}

#[tokio::test]
async fn a_recovery_code_signs_in_once() {
    let world = world().await;
    let ann = world.ann().await;
    let codes = world.login.make_recovery_codes(&ann).await.unwrap();
    assert_eq!((codes.len(), codes[0].len()), (10, 19));
    assert_eq!(codes.iter().map(|code| code.as_str()).collect::<std::collections::BTreeSet<_>>().len(), 10);
    let visitor = from(common::ADDRESS);
    let typed = codes[3].to_uppercase().replace('-', " ");
    let signed_in = world.login.sign_in_recovery(" ANN ", &typed, &visitor).await.unwrap();
    let session = signed_in.session;
    assert_eq!((session.identity.as_str(), session.method, session.factors), ("local/ann", SignInMethod::RecoveryCode, 1));
    assert!(actions(&world).await.contains(&"recovery code used".to_owned()));
    let stands = world.login.recovery_codes("ann").await.unwrap();
    assert_eq!((stands.left, stands.total, stands.last_used_ms), (9, 10, Some(common::START_MS)));
    world.person("bob", &[], &[]).await;
    for (name, code) in
        [("ann", typed.as_str()), ("ann", ""), ("ann", &codes[4][1..]), ("bob", &codes[4]), ("nobody", &codes[4]), ("no name!", &codes[4])]
    {
        let refused = world.login.sign_in_recovery(name, code, &visitor).await;
        assert_eq!(refused.err(), Some(LoginError::WrongPassword), "{name}");
    }
    // New ones take the place of those before; who may not act signs in with none.
    let new = world.login.make_recovery_codes(&ann).await.unwrap();
    assert_eq!(world.login.sign_in_recovery("ann", &codes[5], &visitor).await.err(), Some(LoginError::WrongPassword));
    world.login.disable_account("test", "ann").await.unwrap();
    assert_eq!(world.login.sign_in_recovery("ann", &new[0], &visitor).await.err(), Some(LoginError::WrongPassword));
    world.login.enable_account("test", "ann").await.unwrap();
    world.login.sign_in_recovery("ann", &new[0], &visitor).await.unwrap();
}

#[tokio::test]
async fn wrong_recovery_codes_count_as_wrong_passwords_do() {
    let world = world().await;
    let ann = world.ann().await;
    let codes = world.login.make_recovery_codes(&ann).await.unwrap();
    let stranger = from([10, 0, 0, 1].into());
    for _ in 0..10 {
        assert_eq!(world.login.sign_in_recovery("ann", "0000-0000-0000-0000", &stranger).await.err(), Some(LoginError::WrongPassword));
    }
    let shut_out = world.login.sign_in_recovery("ann", &codes[0], &stranger).await;
    assert!(matches!(shut_out, Err(LoginError::Throttled { .. })));
    world.login.sign_in_recovery("ann", &codes[0], &from(common::ADDRESS)).await.unwrap();
}
