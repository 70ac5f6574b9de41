//! Linking an identity of a provider, and signing in again with one: what each is bound to, and every way in which somebody could come by another's power.

use std::sync::{Arc, Mutex};

use crate::common::{ADDRESS, World, from, settings};
use crate::provider::{FakeProvider, configured, found};
use falconer_auth::{ApiError, Authentication, Clock as _};
use falconer_login::{
    Callback, LoginError, LoginSettings, Outbound, ProviderError, ProviderSignInError, Session, SignInMethod, SignInResult, SignedIn, Way,
};
use falconer_store::AuditStart;

const MINUTE_MS: i64 = 60_000;
const URI: &str = "https://auth.example.com/login/company/callback";

struct Office {
    world: World,
    company: Arc<FakeProvider>,
    /// When the company says that it has asked for a password.
    proved_ms: Arc<Mutex<Option<i64>>>,
}

/// It said that somebody else was asking at that moment, for ever.
#[tokio::test]
async fn a_provider_without_an_interval_is_not_asked_about_anybody() {
    let office = Office::new().await;
    let back = office.back(&office.leave(Way::SignIn).await.unwrap(), "7", None).await;
    assert!(matches!(back, Ok(SignInResult::SignedIn(_))));
    office.world.person("helper", &[], &["auth:refresh-person:*"]).await;
    let outcome = office.world.login.ask_about_person(&Authentication::person("local/helper"), "company/7").await;
    let Err(ApiError::RequestConflict(text)) = outcome else { panic!("nobody was asked") };
    assert!(text.contains("the provider company has no `refresh`"), "{text}");
}

impl Office {
    async fn new() -> Office {
        let proved_ms = Arc::new(Mutex::new(None));
        let says = Arc::clone(&proved_ms);
        let company = Arc::new(FakeProvider::away(move |subject, _| Ok(found(subject, *says.lock().unwrap()))));
        let provider = configured("company", "Company", &["x:y"], company.clone());
        let world = World::with(LoginSettings { providers: vec![provider], ..settings() }).await;
        let office = Office { world, company, proved_ms };
        office.asks_now();
        office
    }

    /// From now on the company says that it has just asked.
    fn asks_now(&self) {
        *self.proved_ms.lock().unwrap() = Some(self.world.clock.now_ms());
    }

    async fn leave(&self, way: Way<'_>) -> Result<Outbound, ProviderSignInError> {
        self.world.login.leave_for_provider("company", "/next", URI, way).await
    }

    async fn back(&self, left: &Outbound, subject: &str, session: Option<&Session>) -> Result<SignInResult, ProviderSignInError> {
        let state = left.url.query_pairs().next().unwrap().1.into_owned();
        let callback = Callback { state: Some(state), code: Some(subject.to_owned()), ..Callback::default() };
        self.world.login.return_from_provider("company", &[&left.cookie_value], &callback, URI, session, &from(ADDRESS)).await
    }

    async fn link(&self, session: &Session, subject: &str) -> Result<SignInResult, ProviderSignInError> {
        let left = self.leave(Way::Link(session)).await?;
        self.back(&left, subject, Some(session)).await
    }

    async fn sign_in(&self, subject: &str) -> SignedIn {
        let left = self.leave(Way::SignIn).await.unwrap();
        let Ok(SignInResult::SignedIn(inbound)) = self.back(&left, subject, None).await else { panic!("nobody was signed in") };
        inbound.signed_in
    }

    async fn sign_in_again(&self, session: &Session, subject: &str) -> Result<SignedIn, ProviderSignInError> {
        let left = self.leave(Way::Reauthenticate(session)).await?;
        match self.back(&left, subject, Some(session)).await? {
            SignInResult::SignedIn(inbound) => Ok(inbound.signed_in),
            SignInResult::ToConfirm => panic!("nothing was to be linked"),
        }
    }

    async fn confirm(&self, session: &Session, identity: &str) -> Result<Session, LoginError> {
        let form_time = self.world.login.form_time(session);
        self.world.clock.advance(1_000);
        self.world.login.confirm_link(session, identity, &form_time, &from(ADDRESS)).await.map(|signed_in| signed_in.session)
    }

    fn is_known(&self, identity: &str) -> bool {
        self.world.auth.directory().identity(identity).is_some()
    }
}

fn refusal<T>(outcome: Result<T, ProviderSignInError>) -> ProviderError {
    match outcome.err() {
        Some(ProviderSignInError::Provider(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn text_of(outcome: Result<SignInResult, ProviderSignInError>) -> String {
    match refusal(outcome) {
        ProviderError::NotToBeLinked(text) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_identity_of_a_provider_is_linked_when_that_is_confirmed() {
    let office = Office::new().await;
    let ann = office.world.ann().await;
    assert!(matches!(office.link(&ann, "17").await, Ok(SignInResult::ToConfirm)));
    assert_eq!(*office.company.begun.lock().unwrap(), [true], "whoever is signed in there may be somebody else");
    let offer = office.world.login.link_offer(&ann).await.unwrap().unwrap();
    assert_eq!(offer.other.identity, "company/17");
    assert!(offer.gained.satisfies("x:y") && offer.given.satisfies("notes:read:zap/x"));
    assert!(!office.world.auth.person_scopes("local/ann").unwrap().satisfies("x:y"), "nothing is linked yet");
    let after = office.confirm(&ann, "company/17").await.unwrap();
    assert_eq!(after.person.identities(), ["company/17", "local/ann"]);
    for identity in ["local/ann", "company/17"] {
        let scopes = office.world.auth.person_scopes(identity).unwrap();
        assert!(scopes.satisfies("x:y") && scopes.satisfies("notes:read:zap/x"), "{identity}");
    }
    let rows = office.world.store.entity_history("person", &after.person.id, AuditStart::Offset(0), 10).await.unwrap();
    let detail = rows.last().unwrap().detail.clone().unwrap();
    assert_eq!((detail["identity"].as_str(), detail["bySignIn"].as_bool()), (Some("company/17"), Some(true)));
    // And back.
    let form_time = office.world.login.form_time(&after);
    office.world.clock.advance(1_000);
    office.world.login.unlink(&after, "company/17", &form_time).await.unwrap();
    assert!(!office.world.auth.person_scopes("local/ann").unwrap().satisfies("x:y"));
}

#[tokio::test]
async fn the_way_back_counts_in_its_session_and_once() {
    let office = Office::new().await;
    let ann = office.world.ann().await;
    let elsewhere = office.world.sign_in("ann").await.1;
    let mallory = office.world.person("mallory", &[], &[]).await;
    let left = office.leave(Way::Link(&ann)).await.unwrap();
    for session in [None, Some(&elsewhere), Some(&mallory)] {
        assert_eq!(refusal(office.back(&left, "17", session).await), ProviderError::OtherSession);
    }
    assert!(!office.is_known("company/17"), "nobody was asked");
    assert!(matches!(office.back(&left, "17", Some(&ann)).await, Ok(SignInResult::ToConfirm)));
    assert_eq!(refusal(office.back(&left, "17", Some(&ann)).await), ProviderError::Used);
    for session in [&elsewhere, &mallory] {
        assert_eq!(office.world.login.link_offer(session).await.unwrap(), None);
        assert!(matches!(office.confirm(session, "company/17").await, Err(LoginError::Conflict(_))));
    }
    // Whoever has signed out meanwhile takes it along.
    office.world.login.sign_out(&ann).await.unwrap();
    assert!(matches!(office.confirm(&ann, "company/17").await, Err(LoginError::Conflict(_))));
    // What was made for signing in links nothing, whatever its cookie is changed to.
    let left = office.leave(Way::SignIn).await.unwrap();
    let forged = left.cookie_value.replacen(".company.", &format!(".company_l{}.", elsewhere.id), 1);
    let forged = Outbound { cookie_value: forged.into(), ..left };
    assert_eq!(refusal(office.back(&forged, "17", Some(&elsewhere)).await), ProviderError::NotBegunHere);
}

/// Whoever finds a browser signed in would add their own identity, and be Ann for ever.
#[tokio::test]
async fn both_have_just_proved_to_be_there() {
    let office = Office::new().await;
    let ann = office.world.ann().await;
    // The company knows the browser, and lets whoever sits there through.
    for proved_ms in [None, Some(office.world.clock.now_ms() - 15 * MINUTE_MS)] {
        *office.proved_ms.lock().unwrap() = proved_ms;
        assert_eq!(refusal(office.link(&ann, "17").await), ProviderError::NotAskedAgain);
    }
    office.asks_now();
    let left = office.leave(Way::Link(&ann)).await.unwrap();
    office.world.clock.advance(15 * MINUTE_MS - 1);
    office.asks_now();
    assert!(matches!(office.back(&left, "17", Some(&ann)).await, Ok(SignInResult::ToConfirm)));
    let left = office.leave(Way::Link(&ann)).await.unwrap();
    office.world.clock.advance(1);
    let stale = Some(ProviderSignInError::Login(LoginError::SignInAgain));
    assert_eq!(office.back(&left, "18", Some(&ann)).await.err(), stale);
    assert_eq!(office.leave(Way::Link(&ann)).await.err(), stale);
    assert!(!office.is_known("company/18"));
}

#[tokio::test]
async fn an_identity_that_is_somebodys_is_refused_with_what_to_do() {
    let office = Office::new().await;
    let ann = office.world.ann().await;
    office.world.person("bob", &[], &[]).await;
    office.sign_in("17").await;
    office.world.login.link_identity("test", "company/17", "local/bob").await.unwrap();
    let text = text_of(office.link(&ann, "17").await);
    assert!(text.contains("is linked with local/bob already") && text.contains("unlink it there first"), "{text}");
    assert_eq!(office.world.login.link_offer(&ann).await.unwrap(), None);
    office.link(&ann, "18").await.unwrap();
    let ann = office.confirm(&ann, "company/18").await.unwrap();
    assert_eq!(text_of(office.link(&ann, "18").await), "company/18 is yours already.");
    office.sign_in("19").await;
    office.world.login.disable_person("test", "company/19").await.unwrap();
    let refused = office.link(&ann, "19").await.err().unwrap();
    assert!(
        matches!(&refused, ProviderSignInError::Provider(ProviderError::NotToBeLinked(text)) if text.contains("may not act here")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn somebody_signs_in_again_with_the_provider_as_the_same_identity() {
    let office = Office::new().await;
    let session = office.sign_in("17").await.session;
    assert!(office.world.login.is_fresh(&session));
    office.world.clock.advance(15 * MINUTE_MS);
    assert!(!office.world.login.is_fresh(&session));
    assert_eq!(refusal(office.sign_in_again(&session, "17").await), ProviderError::NotAskedAgain);
    office.asks_now();
    assert_eq!(refusal(office.sign_in_again(&session, "18").await), ProviderError::OtherIdentity);
    assert!(!office.is_known("company/18"), "nothing is written of somebody else");
    let renewed = office.sign_in_again(&session, "17").await.unwrap().session;
    assert!(office.world.login.is_fresh(&renewed) && renewed.owns_form(&session.csrf) && renewed.id != session.id);
    assert_eq!((renewed.identity.as_str(), renewed.method), ("company/17", SignInMethod::Provider));
    assert_eq!(*office.company.begun.lock().unwrap(), [false, true, true, true]);
    // In another session it counts for nothing.
    let left = office.leave(Way::Reauthenticate(&renewed)).await.unwrap();
    let other = office.sign_in("17").await.session;
    for session in [None, Some(&other)] {
        assert_eq!(refusal(office.back(&left, "17", session).await), ProviderError::OtherSession);
    }
}

/// A provider that does not say when it asked lets people in; that they are there, they prove when it matters.
#[tokio::test]
async fn a_sign_in_that_may_have_asked_nothing_is_not_fresh() {
    let office = Office::new().await;
    *office.proved_ms.lock().unwrap() = None;
    let session = office.sign_in("17").await.session;
    assert!(!office.world.login.is_fresh(&session));
    assert_eq!(office.world.login.check_fresh(&session), Err(LoginError::SignInAgain));
    // No provider is believed about the future.
    *office.proved_ms.lock().unwrap() = Some(office.world.clock.now_ms() + 60 * MINUTE_MS);
    let session = office.sign_in("17").await.session;
    assert_eq!(session.proved_ms, office.world.clock.now_ms());
}

/// What was proved and waits to be confirmed is not lost when somebody signs in again.
#[tokio::test]
async fn what_is_pending_comes_along() {
    let office = Office::new().await;
    let session = office.sign_in("17").await.session;
    assert!(matches!(office.link(&session, "18").await, Ok(SignInResult::ToConfirm)));
    let renewed = office.sign_in_again(&session, "17").await.unwrap().session;
    office.world.login.sign_out(&session).await.unwrap();
    let after = office.confirm(&renewed, "company/18").await.unwrap();
    assert_eq!(after.person.identities(), ["company/17", "company/18"]);
}
