//! Linking identities: both sign-ins in one session, and every way in which somebody could come by another's power through it.

use crate::common::{ADDRESS, HOUR_MS, PASSWORD, World, from, settings};
use falconer_login::{LinkError, LoginError, Session, SignInMethod};

const MINUTE_MS: i64 = 60_000;

impl World {
    /// Proves both passwords, as the form does that this session's browser sends.
    async fn begin(&self, session: &Session, own: &str, other: &str, password: &str) -> Result<(), LinkError> {
        self.login.begin_link(session, own, other, password, &from(ADDRESS)).await
    }

    /// Confirms what the page shows, a second after it was made.
    async fn confirm(&self, session: &Session, identity: &str) -> Result<Session, LoginError> {
        let form_time = self.login.form_time(session);
        self.clock.advance(1_000);
        self.login.confirm_link(session, identity, &form_time, &from(ADDRESS)).await.map(|signed_in| signed_in.session)
    }

    async fn is_alive(&self, cookie: &str) -> bool {
        self.login.session(cookie).await.unwrap().is_some()
    }

    fn linked(&self, identity: &str) -> Vec<String> {
        let directory = self.auth.directory();
        let person = directory.person_of(identity).unwrap();
        directory.linked(&person.record.id).map(|linked| linked.record.identity.clone()).collect()
    }

    /// Ann of the team `zap`, and Bob who may `x:y`: two accounts of one person, each with a session somewhere.
    async fn ann_and_bob(&self) -> (Session, [String; 2]) {
        self.person("bob", &[], &["x:y"]).await;
        self.ann().await;
        let others = [self.sign_in("ann").await.0, self.sign_in("bob").await.0];
        (self.sign_in("ann").await.1, others)
    }
}

fn is_over<T: std::fmt::Debug>(answer: Result<T, LoginError>) -> bool {
    matches!(answer, Err(LoginError::Conflict(_)))
}

#[tokio::test]
async fn both_sign_ins_in_one_session_link() {
    let world = World::new().await;
    let (ann, others) = world.ann_and_bob().await;
    assert_eq!((ann.identity.as_str(), ann.method, ann.factors), ("local/ann", SignInMethod::Password, 1));
    world.begin(&ann, PASSWORD, " BOB ", PASSWORD).await.unwrap();
    let offer = world.login.link_offer(&ann).await.unwrap().unwrap();
    assert_eq!(offer.other.identity, "local/bob");
    assert!(offer.gained.satisfies("x:y") && !offer.gained.satisfies("notes:read:zap/x"), "{:?}", offer.gained);
    assert!(offer.given.satisfies("notes:read:zap/x") && !offer.given.satisfies("x:y"), "{:?}", offer.given);
    assert!(!world.auth.person_scopes("local/ann").unwrap().satisfies("x:y"), "nothing is linked yet");

    let after = world.confirm(&ann, "local/bob").await.unwrap();
    assert_eq!(world.linked("local/ann"), ["local/ann", "local/bob"]);
    assert_eq!(after.person.identity, "local/ann", "names what is new, as before");
    assert_eq!((after.person.id.as_str(), after.person.identities()), (ann.person.id.as_str(), world.linked("local/bob")));
    assert_eq!(after.person.groups, ["zap"]);
    for identity in ["local/ann", "local/bob"] {
        let scopes = world.auth.person_scopes(identity).unwrap();
        assert!(scopes.satisfies("x:y") && scopes.satisfies("notes:read:zap/x"));
    }
    // A session of before gains nothing: whoever has one signs in again.
    for cookie in &others {
        assert!(!world.is_alive(cookie).await);
    }
    assert_ne!(after.id, ann.id, "another cookie from now on");
    assert_eq!(world.login.sessions(&after).await.unwrap().len(), 1);
    assert_eq!(world.login.link_offer(&after).await.unwrap(), None);
    // It is in the history of the person.
    let rows = world.store.entity_history("person", &after.person.id, falconer_store::AuditStart::Offset(0), 10).await.unwrap();
    let detail = rows.last().unwrap().detail.clone().unwrap();
    assert_eq!(
        (rows.last().unwrap().actor.as_str(), detail["identity"].as_str(), detail["bySignIn"].as_bool()),
        ("local/ann", Some("local/bob"), Some(true))
    );
    // By either account it is one person, with the same name for what is new.
    let bob = world.sign_in("bob").await.1;
    assert_eq!(
        (bob.identity.as_str(), bob.person.identity.as_str(), bob.person.id.as_str()),
        ("local/bob", "local/ann", after.person.id.as_str())
    );
    assert_eq!(world.login.sessions(&bob).await.unwrap().len(), 2);
}

/// Somebody sits down at a browser in which Ann is signed in, and would link an account of their own: for ever they would act as Ann.
#[tokio::test]
async fn whoever_finds_a_session_links_nothing_without_its_password() {
    let world = World::new().await;
    let (ann, _) = world.ann_and_bob().await;
    for wrong in ["", "a guess of theirs", "correct horse batterY"] {
        assert_eq!(world.begin(&ann, wrong, "bob", PASSWORD).await, Err(LinkError::OwnPassword));
        assert_eq!(world.login.link_offer(&ann).await.unwrap(), None);
    }
    assert!(is_over(world.confirm(&ann, "local/bob").await));
    assert_eq!(world.linked("local/bob"), ["local/bob"]);
}

/// The other way round: somebody is signed in as a stranger, because the stranger's session was left or pushed into their browser, and would give the
/// stranger their account. They would have to know the stranger's password.
#[tokio::test]
async fn nobody_gives_an_account_to_the_stranger_whose_session_is_in_the_browser() {
    let world = World::new().await;
    let (_, _) = world.ann_and_bob().await;
    world.person("mallory", &[], &[]).await;
    world.login.set_password("test", "mallory", "the password of a stranger", false).await.unwrap();
    let signed_in = world.login.sign_in_local("mallory", "the password of a stranger", &from(ADDRESS)).await.unwrap();
    assert_eq!(world.begin(&signed_in.session, PASSWORD, "ann", PASSWORD).await, Err(LinkError::OwnPassword));
    assert!(is_over(world.confirm(&signed_in.session, "local/ann").await));
    assert_eq!(world.linked("local/ann"), ["local/ann"]);
}

#[tokio::test]
async fn the_other_account_is_proven_too_and_guesses_are_counted() {
    let world = World::with(falconer_login::LoginSettings { attempts_by_account: 3, ..settings() }).await;
    let (ann, _) = world.ann_and_bob().await;
    let wrong = Err(LinkError::Other(LoginError::WrongPassword));
    for other in ["bob", "nobody-of-this-name", "Not a name", ""] {
        assert_eq!(world.begin(&ann, PASSWORD, other, "a guess").await, wrong, "{other}");
    }
    for _ in 0..2 {
        assert_eq!(world.begin(&ann, PASSWORD, "bob", "a guess").await, wrong);
    }
    // As on the page where people sign in: the count is one and the same.
    let throttled = |error: &LoginError| matches!(error, LoginError::Throttled { .. });
    assert!(matches!(world.begin(&ann, PASSWORD, "bob", PASSWORD).await, Err(LinkError::Other(error)) if throttled(&error)));
    assert!(world.login.sign_in_local("bob", PASSWORD, &from(ADDRESS)).await.is_err_and(|error| throttled(&error)));
    // Guesses of the own password are counted by session.
    for _ in 0..3 {
        assert_eq!(world.begin(&ann, "a guess", "bob", PASSWORD).await, Err(LinkError::OwnPassword));
    }
    assert!(matches!(world.begin(&ann, PASSWORD, "bob", PASSWORD).await, Err(LinkError::Other(error)) if throttled(&error)));
    assert_eq!(world.login.link_offer(&ann).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_pending_belongs_to_one_session() {
    let world = World::new().await;
    let (ann, _) = world.ann_and_bob().await;
    let (_, elsewhere) = world.sign_in("ann").await;
    let (_, bob) = world.sign_in("bob").await;
    world.begin(&ann, PASSWORD, "bob", PASSWORD).await.unwrap();
    for session in [&elsewhere, &bob] {
        assert_eq!(world.login.link_offer(session).await.unwrap(), None);
        assert!(is_over(world.confirm(session, "local/bob").await));
        assert!(is_over(world.confirm(session, "local/ann").await));
    }
    // Only what the page has shown: another tab may have proven a third account since.
    world.person("eve", &[], &[]).await;
    world.begin(&ann, PASSWORD, "eve", PASSWORD).await.unwrap();
    assert!(is_over(world.confirm(&ann, "local/bob").await));
    assert_eq!(world.linked("local/ann"), ["local/ann"]);
    world.confirm(&ann, "local/eve").await.unwrap();
    assert_eq!(world.linked("local/ann"), ["local/ann", "local/eve"]);
}

#[tokio::test]
async fn what_is_pending_is_confirmed_once_in_time_and_not_by_a_double_click() {
    let world = World::new().await;
    let (ann, _) = world.ann_and_bob().await;
    world.begin(&ann, PASSWORD, "bob", PASSWORD).await.unwrap();
    for form_time in [world.login.form_time(&ann), String::new(), "0.forged".to_owned()] {
        assert_eq!(world.login.confirm_link(&ann, "local/bob", &form_time, &from(ADDRESS)).await.err(), Some(LoginError::TooSoon));
    }
    world.clock.advance(10 * MINUTE_MS);
    assert_eq!(world.login.link_offer(&ann).await.unwrap(), None);
    assert!(is_over(world.confirm(&ann, "local/bob").await), "over");
    world.begin(&ann, PASSWORD, "bob", PASSWORD).await.unwrap();
    world.login.cancel_link(&ann).await.unwrap();
    assert!(is_over(world.confirm(&ann, "local/bob").await), "cancelled");
    world.begin(&ann, PASSWORD, "bob", PASSWORD).await.unwrap();
    let after = world.confirm(&ann, "local/bob").await.unwrap();
    for session in [&ann, &after] {
        assert!(is_over(world.confirm(session, "local/bob").await), "once");
    }
}

/// Whoever notices that somebody knows a password changes it, or stops the account: what was proven with it must be worth nothing then.
#[tokio::test]
async fn a_new_password_or_a_stopped_account_ends_what_is_pending() {
    let world = World::new().await;
    let (ann, _) = world.ann_and_bob().await;
    for account in ["bob", "ann"] {
        let (_, ann) = world.sign_in("ann").await;
        world.begin(&ann, PASSWORD, "bob", PASSWORD).await.unwrap();
        world.login.set_password("test", account, "another password", false).await.unwrap();
        assert!(is_over(world.confirm(&ann, "local/bob").await), "{account}");
        world.login.set_password("test", account, PASSWORD, false).await.unwrap();
    }
    let (_, ann_again) = world.sign_in("ann").await;
    world.begin(&ann_again, PASSWORD, "bob", PASSWORD).await.unwrap();
    world.login.disable_account("test", "bob").await.unwrap();
    assert!(is_over(world.confirm(&ann_again, "local/bob").await));
    assert!(is_over(world.confirm(&ann, "local/bob").await));
    // Who signs out takes what is pending along.
    world.login.enable_account("test", "bob").await.unwrap();
    world.begin(&ann_again, PASSWORD, "bob", PASSWORD).await.unwrap();
    world.login.sign_out_everywhere(&ann_again, false).await.unwrap();
    assert!(is_over(world.confirm(&ann_again, "local/bob").await));
    assert_eq!(world.linked("local/bob"), ["local/bob"]);
}

#[tokio::test]
async fn an_identity_that_has_others_is_refused() {
    let world = World::new().await;
    let (ann, _) = world.ann_and_bob().await;
    world.person("eve", &[], &[]).await;
    world.login.link_identity("test", "local/eve", "local/bob").await.unwrap();
    for other in ["bob", "eve"] {
        let refused = world.begin(&ann, PASSWORD, other, PASSWORD).await;
        assert!(
            matches!(&refused, Err(LinkError::Other(LoginError::Conflict(text))) if text.contains("unlink it there first")),
            "{refused:?}"
        );
    }
    let own = world.begin(&ann, PASSWORD, "ann", PASSWORD).await;
    assert!(matches!(own, Err(LinkError::Other(LoginError::Conflict(_)))));
    // Also where it got another one after it was proven.
    world.person("joe", &[], &[]).await;
    world.begin(&ann, PASSWORD, "joe", PASSWORD).await.unwrap();
    world.login.unlink_identity("test", "local/eve").await.unwrap();
    world.auth.link_identity("test", "local/eve", "local/joe", None).await.unwrap();
    assert!(is_over(world.confirm(&ann, "local/joe").await));
    assert_eq!(world.linked("local/ann"), ["local/ann"]);
}

/// It named the identity that names what is new, so that a look into the history did not say through which door something was done.
#[tokio::test]
async fn the_history_names_the_identity_that_signed_in() {
    let world = World::new().await;
    world.ann_and_bob().await;
    world.login.link_identity("test", "local/bob", "local/ann").await.unwrap();
    let (_, bob) = world.sign_in("bob").await;
    assert_eq!((bob.identity.as_str(), bob.person.identity.as_str()), ("local/bob", "local/ann"));
    world.login.change_password(&bob, PASSWORD, "another horse battery", true, true).await.unwrap();
    let form_time = world.login.form_time(&bob);
    world.clock.advance(1_000);
    world.login.choose_name(&bob, "local/bob", &form_time).await.unwrap();
    world.login.unlink(&bob, "local/ann", &form_time).await.unwrap();
    let histories =
        [("account", "bob", "password changed"), ("person", bob.person.id.as_str(), "named"), ("identity", "local/ann", "unlinked")];
    for (kind, id, action) in histories {
        let rows = world.store.entity_history(kind, id, falconer_store::AuditStart::Offset(0), 50).await.unwrap();
        let row = rows.iter().rfind(|row| row.action == action).unwrap_or_else(|| panic!("{kind} {id} {action}: {rows:?}"));
        assert_eq!(row.actor, "local/bob", "{action}");
    }
}

#[tokio::test]
async fn unlinking_ends_the_sessions_by_that_identity() {
    let world = World::new().await;
    let (ann, _) = world.ann_and_bob().await;
    world.begin(&ann, PASSWORD, "bob", PASSWORD).await.unwrap();
    let ann = world.confirm(&ann, "local/bob").await.unwrap();
    let (by_bob, _) = world.sign_in("bob").await;
    let (by_ann, session) = world.sign_in("ann").await;
    let form_time = world.login.form_time(&ann);
    assert_eq!(world.login.unlink(&ann, "local/bob", &form_time).await, Err(LoginError::TooSoon));
    world.clock.advance(1_000);
    assert!(matches!(world.login.unlink(&ann, "local/eve", &form_time).await, Err(LoginError::NotFound(_))));
    world.login.choose_name(&ann, "local/bob", &form_time).await.unwrap();
    assert_eq!(world.login.session(&by_ann).await.unwrap().unwrap().person.identity, "local/bob");
    world.login.unlink(&ann, "local/bob", &form_time).await.unwrap();
    assert!(!world.is_alive(&by_bob).await && world.is_alive(&by_ann).await);
    assert_eq!(world.login.session(&by_ann).await.unwrap().unwrap().person.identity, "local/ann", "what names the rest");
    assert!(!world.auth.person_scopes("local/ann").unwrap().satisfies("x:y"));
    assert!(!world.auth.person_scopes("local/bob").unwrap().satisfies("notes:read:zap/x"));
    assert!(is_over(world.login.unlink(&session, "local/ann", &session.form_time(0)).await), "the last one stays");
    // Linking can be done again.
    let bob = world.sign_in("bob").await.1;
    assert_eq!(bob.person.identities(), ["local/bob"]);
    assert_ne!(bob.person.id, session.person.id);
    world.begin(&bob, PASSWORD, "ann", PASSWORD).await.unwrap();
    assert_eq!(world.confirm(&bob, "local/ann").await.unwrap().person.id, bob.person.id);
}

#[tokio::test]
async fn a_person_signs_in_by_what_may_act_and_not_at_all_when_disabled() {
    let world = World::new().await;
    world.ann_and_bob().await;
    world.login.link_identity("test", "local/bob", "local/ann").await.unwrap();
    world.login.name_person("test", "local/bob").await.unwrap();
    let (by_ann, session) = world.sign_in("ann").await;
    let (by_bob, _) = world.sign_in("bob").await;
    assert_eq!(session.person.identity, "local/bob");
    world.login.disable_account("test", "bob").await.unwrap();
    // What is named by it is worth nothing meanwhile, so that what is new has another name.
    assert_eq!(world.login.session(&by_ann).await.unwrap().unwrap().person.identity, "local/ann");
    assert!(!world.is_alive(&by_bob).await);
    assert_eq!(world.login.sign_in_local("bob", PASSWORD, &from(ADDRESS)).await.err(), Some(LoginError::WrongPassword));
    world.login.disable_person("test", "local/bob").await.unwrap();
    assert!(!world.is_alive(&by_ann).await);
    assert_eq!(world.auth.person_scopes("local/ann"), None);
    assert_eq!(world.login.sign_in_local("ann", PASSWORD, &from(ADDRESS)).await.err(), Some(LoginError::WrongPassword));
    world.login.enable_person("test", "local/ann").await.unwrap();
    assert_eq!(world.sign_in("ann").await.1.person.identity, "local/ann");
    let shown = world.login.people();
    let ann = shown.iter().find(|person| person.name == "local/bob").unwrap();
    assert_eq!(
        ann.linked.iter().map(|linked| (linked.identity.as_str(), linked.active)).collect::<Vec<_>>(),
        [("local/ann", true), ("local/bob", false)]
    );
    assert!(!ann.disabled && !ann.scopes.satisfies("x:y") && ann.scopes.satisfies("notes:read:zap/x"));
    world.clock.advance(HOUR_MS);
}
