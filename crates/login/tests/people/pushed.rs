//! What follows of a push when something else happens at the same time: a node ends in the middle, an administrator acts, a provider is asked, or the configuration
//! says that people are others.

use std::sync::{Arc, Mutex};

use crate::common::{ADDRESS, Counting, HOUR_MS, World, from, settings};
use crate::failing::Failing;
use crate::provider::{FakeProvider, configured};
use falconer_auth::{Auth, AuthSettings, Origin};
use falconer_login::mapping::Mapping;
use falconer_login::{
    Attributes, Callback, ConfiguredDirectory, ConfiguredProvider, Directory, Found, Known, Login, LoginError, LoginSettings,
    ProviderError, ProviderSignInError, Refreshed, ScimError, ScimKind, ScimSettings, ScimSubjectAttribute, ShowMembers, SignInResult,
    SignedIn, Way,
};
use falconer_store::{AuditStart, Store, StoreError};
use serde_json::{Map, Value, json};

const ANN: &str = "company/ann";
const URI: &str = "https://auth.example.com/cb";

fn person(subject: &str) -> Attributes {
    Attributes {
        subject: subject.to_owned(),
        display_name: "Ann".to_owned(),
        email: Some("ann@example.com".to_owned()),
        email_verified: true,
        ..Attributes::default()
    }
}

/// A company that believes every code, and whose directory pushes.
fn company(known_by: &'static str) -> LoginSettings {
    let found = |subject: &str| Found { attributes: person(subject), handle: None, proved_ms: None };
    let kind = FakeProvider::away(move |code, _| Ok(found(code))).known_by(known_by);
    let kind = kind.refreshing(move |known, _| Ok(Refreshed::Still(found(known.subject))));
    let provider = configured("company", "Company", &["assume:team:{group}", "assume:mail:{email}"], kind);
    LoginSettings { providers: vec![ConfiguredProvider { refresh_ms: Some(HOUR_MS), ..provider }], scim: vec![scim()], ..settings() }
}

fn scim() -> ScimSettings {
    ScimSettings::new("company", "token-of-the-company-0123456789abcdef", ScimSubjectAttribute::ExternalId, true, false)
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn user(active: bool) -> Map<String, Value> {
    object(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann@example.com", "externalId": "ann", "active": active,
    }))
}

struct Office {
    world: World,
    /// Of the pushed user.
    id: String,
    /// Of the pushed group.
    group: String,
}

impl Office {
    /// Ann was pushed, is in the group `zap`, and has signed in.
    async fn new() -> (Office, SignedIn) {
        let world = World::with(company("company id")).await;
        let created = world.login.create_scim(&scim(), ScimKind::User, &user(true)).await.unwrap();
        let group = object(json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "zap", "members": [{"value": created.id}],
        }));
        let group = world.login.create_scim(&scim(), ScimKind::Group, &group).await.unwrap();
        let office = Office { world, id: created.id, group: group.id };
        let signed_in = office.sign_in().await;
        (office, signed_in)
    }

    async fn sign_in(&self) -> SignedIn {
        self.sign_in_at(&self.world.login).await.unwrap()
    }

    async fn sign_in_at(&self, login: &Login) -> Result<SignedIn, ProviderSignInError> {
        let left = login.leave_for_provider("company", "/", URI, Way::SignIn).await.unwrap();
        let state = left.url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let callback = Callback { state: Some(state), code: Some("ann".to_owned()), ..Callback::default() };
        let back = login.return_from_provider("company", &[&left.cookie_value], &callback, URI, None, &from(ADDRESS)).await;
        let SignInResult::SignedIn(inbound) = back? else { panic!("nothing was to be linked") };
        Ok(inbound.signed_in)
    }

    async fn push_active(&self, login: &Login, active: bool) -> Result<(), ScimError> {
        login.replace_scim(&scim(), ScimKind::User, &self.id, &user(active), None).await.map(|_| ())
    }

    fn has(&self, scope: &str) -> bool {
        self.world.auth.person_scopes(ANN).is_some_and(|scopes| scopes.satisfies(scope))
    }

    fn is_gone(&self) -> bool {
        self.world.auth.directory().identity(ANN).unwrap().record.gone
    }

    async fn is_signed_in(&self, signed_in: &SignedIn) -> bool {
        self.world.login.session(&signed_in.cookie_value).await.unwrap().is_some()
    }

    /// Another process on the same store.
    async fn beside(&self, settings: LoginSettings, store: Arc<dyn Store>) -> (Arc<Auth>, Login) {
        let (random, clock) = (Arc::new(Counting::default()), self.world.clock.clone());
        let origin = AuthSettings::new(Origin::parse("https://auth.example.com").unwrap());
        let auth = Arc::new(Auth::open(store.clone(), origin, clock.clone(), random.clone()).await.unwrap());
        (auth.clone(), Login::open(auth, store, settings, clock, random).unwrap())
    }
}

/// Story: the deactivation was noted as followed, and nobody was told that it was not.
#[tokio::test]
async fn what_is_pushed_while_people_are_known_by_something_else_is_kept_and_the_directory_is_told() {
    let (office, signed_in) = Office::new().await;
    let (_, other) = office.beside(company("company oid"), office.world.store.clone()).await;
    let answer = office.push_active(&other, false).await;
    let Err(ScimError::Login(LoginError::NotFollowed(text))) = answer else { panic!("{answer:?}") };
    assert!(text.contains("is kept") && text.contains("company oid"), "{text}");
    assert!(!office.is_gone() && office.is_signed_in(&signed_in).await, "it could be anybody's");
    // Somebody else is pushed meanwhile; that says nothing of anybody here, and waits all the same.
    other.refresh_due().await.unwrap();
    assert!(!office.is_gone());
    // The configuration is as before: the next round follows what waited, without another push.
    office.world.login.refresh_due().await.unwrap();
    assert!(office.is_gone() && !office.is_signed_in(&signed_in).await && !office.has("assume:team:zap"));
    // Deleting is not lost either.
    let (office, _) = Office::new().await;
    let (_, other) = office.beside(company("company oid"), office.world.store.clone()).await;
    assert!(other.delete_scim(&scim(), ScimKind::User, &office.id, None).await.is_err());
    office.world.login.refresh_due().await.unwrap();
    assert!(office.is_gone());
}

/// Story: a store that did not answer just then counted as a directory that says no. Clients, grants and sessions were over for good.
#[tokio::test]
async fn a_question_without_an_answer_ends_nobody() {
    let (office, signed_in) = Office::new().await;
    let store = Arc::new(Failing::new(office.world.store.clone()));
    let (_, failing) = office.beside(company("company id"), store.clone()).await;
    office.sign_in_at(&failing).await.unwrap();
    let asked = store.calls_of("scim_standing");
    assert!(asked > 1, "what was said meanwhile is asked too");
    for answered in 0..asked {
        store.lose_after("scim_standing", answered);
        let refused = office.sign_in_at(&failing).await.err();
        assert!(matches!(refused, Some(ProviderSignInError::Login(LoginError::Unavailable(_)))), "{answered}: {refused:?}");
        office.world.auth.catch_up().await.unwrap();
        assert!(!office.is_gone() && office.has("assume:team:zap") && office.is_signed_in(&signed_in).await, "{answered}");
    }
    office.sign_in_at(&failing).await.unwrap();
}

/// Story: the answer said that nothing was changed. The directory sent the same once more, and heard that it was taken.
#[tokio::test]
async fn what_is_kept_is_not_told_as_refused() {
    let (office, _) = Office::new().await;
    let store = Arc::new(Failing::new(office.world.store.clone()));
    let (_, failing) = office.beside(company("company id"), store.clone()).await;
    let lose = |method| store.errors.lock().unwrap().push_back((method, StoreError::Unavailable("away".to_owned())));
    let kept = |answer: Result<(), ScimError>| {
        assert!(matches!(answer, Err(ScimError::Login(LoginError::OutcomeUnknown(_)))), "{answer:?}");
        assert!(store.errors.lock().unwrap().is_empty());
    };
    let bob = object(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bob@example.com", "externalId": "bob",
    }));
    lose("scim_standing");
    kept(failing.create_scim(&scim(), ScimKind::User, &bob).await.map(|_| ()));
    assert!(matches!(failing.create_scim(&scim(), ScimKind::User, &bob).await, Err(ScimError::Taken(_))), "it is there");
    lose("scim_standing");
    kept(office.push_active(&failing, false).await);
    lose("pending_scim");
    let group = object(json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "other"}));
    kept(failing.create_scim(&scim(), ScimKind::Group, &group).await.map(|_| ()));
    lose("pending_scim");
    let patch = object(json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "remove", "path": format!("members[value eq \"{}\"]", office.id)}],
    }));
    kept(failing.patch_scim(&scim(), ScimKind::Group, &office.group, &patch, None, ShowMembers::Never).await.map(|_| ()));
    lose("scim_standing");
    kept(failing.delete_scim(&scim(), ScimKind::User, &office.id, None).await);
}

/// Story: whoever was gone was passed over, so that a session which the step before could not end lived again with the person's return.
#[tokio::test]
async fn a_deactivation_that_came_half_way_is_finished() {
    for method in ["delete_sessions_of", "grants_of", "delete_refresh"] {
        let (office, signed_in) = Office::new().await;
        let store = Arc::new(Failing::new(office.world.store.clone()));
        let (_, failing) = office.beside(company("company id"), store.clone()).await;
        store.errors.lock().unwrap().push_back((method, StoreError::Unavailable("away".to_owned())));
        assert!(office.push_active(&failing, false).await.is_err(), "{method}: the directory hears of it");
        assert!(store.errors.lock().unwrap().is_empty(), "{method} was called");
        failing.refresh_due().await.unwrap();
        office.world.auth.catch_up().await.unwrap();
        office.push_active(&office.world.login, true).await.unwrap();
        office.sign_in().await;
        assert!(!office.is_signed_in(&signed_in).await, "{method}");
    }
}

/// Story: what was known before a slow question was written after it, so that a group that was taken away meanwhile came back.
#[tokio::test]
async fn a_slow_answer_brings_nothing_back_that_a_push_took() {
    /// A directory that answers when it is told to.
    #[derive(Default)]
    struct Slow(tokio::sync::Notify, Mutex<bool>);
    #[async_trait::async_trait]
    impl Directory for Slow {
        async fn look_up(&self, _: &Known<'_>, _: i64) -> Result<Option<Attributes>, ProviderError> {
            if *self.1.lock().unwrap() {
                self.0.notified().await;
            }
            Ok(None)
        }
        fn read_answer(&self, _: &serde_json::Map<String, serde_json::Value>) -> Result<Option<Attributes>, ProviderError> {
            Ok(None)
        }
        async fn probe(&self, _: i64) -> Result<Vec<(&'static str, String)>, ProviderError> {
            Ok(Vec::new())
        }
    }
    let slow = Arc::new(Slow::default());
    let mapping = Mapping::new(&["phone:{group}".to_owned()], [], None, false).unwrap();
    let directory = ConfiguredDirectory { name: "slow".to_owned(), mapping, kind: slow.clone(), refresh_ms: Some(HOUR_MS) };
    let mut with_slow = LoginSettings { directories: vec![directory], ..company("company id") };
    // The provider itself is not asked.
    with_slow.providers.iter_mut().for_each(|provider| provider.refresh_ms = None);
    let (office, _) = Office::new().await;
    let (auth, login) = office.beside(with_slow, office.world.store.clone()).await;
    *slow.1.lock().unwrap() = true;
    let asking = login.refresh_person(ANN);
    let pushing = async {
        // The question is on its way.
        tokio::task::yield_now().await;
        login.delete_scim(&scim(), ScimKind::Group, &office.group, None).await.unwrap();
        slow.0.notify_one();
    };
    let (asked, ()) = tokio::join!(asking, pushing);
    asked.unwrap();
    assert!(!auth.person_scopes(ANN).unwrap().satisfies("assume:team:zap"));
}

/// Who acts first, and what the administrator does.
#[derive(Clone, Copy, Debug)]
enum Does {
    Disable,
    Enable,
    Unlink,
}

/// An administrator says whether a person may act, the directory whether there is such an identity. Neither takes back what the other one said, whoever comes first, and
/// although each decides on a node that has not heard of the other one (ADR 234).
#[tokio::test]
async fn an_administrator_and_a_directory_take_nothing_back_of_each_other() {
    for does in [Does::Disable, Does::Enable, Does::Unlink] {
        let mut ends = Vec::new();
        for directory_first in [true, false] {
            let (office, signed_in) = Office::new().await;
            let world = &office.world;
            world.person("bob", &[], &[]).await;
            world.login.link_identity("test", ANN, "local/bob").await.unwrap();
            let disabled_before = matches!(does, Does::Enable);
            if disabled_before {
                world.login.disable_person("test", ANN).await.unwrap();
            }
            // Opened now: it hears of what follows when it decides, and not before.
            let (auth, administrator) = office.beside(company("company id"), world.store.clone()).await;
            let administer = async || match does {
                Does::Disable => administrator.disable_person("admin", ANN).await.map(|_| ()).unwrap(),
                Does::Enable => administrator.enable_person("admin", ANN).await.map(|_| ()).unwrap(),
                Does::Unlink => administrator.unlink_identity("admin", ANN).await.map(|_| ()).unwrap(),
            };
            if directory_first {
                office.push_active(&world.login, false).await.unwrap();
                administer().await;
            } else {
                administer().await;
                office.push_active(&world.login, false).await.unwrap();
            }
            world.auth.catch_up().await.unwrap();
            auth.catch_up().await.unwrap();
            let what = format!("{does:?}, directory first: {directory_first}");
            assert!(office.is_gone() && !office.is_signed_in(&signed_in).await, "{what}");
            assert!(!office.has("assume:team:zap"), "{what}");
            let directory = auth.directory();
            let person = directory.person(&directory.identity(ANN).unwrap().record.person).unwrap();
            let linked = directory.identity("local/bob").unwrap().record.person == person.record.id;
            assert_eq!((person.record.disabled, linked), (matches!(does, Does::Disable), !matches!(does, Does::Unlink)), "{what}");
            ends.push((person.record.disabled, linked, auth.person_scopes("local/bob").map(|scopes| scopes.to_vec())));
            // Both are in the history.
            let mut actions = Vec::new();
            for (kind, id) in [("identity", ANN), ("person", person.record.id.as_str())] {
                let history = world.store.entity_history(kind, id, AuditStart::Offset(0), 100).await.unwrap();
                actions.extend(history.into_iter().map(|row| (row.actor, row.action)));
            }
            let has = |by: &str, action: &str| actions.iter().any(|row| row == &(by.to_owned(), action.to_owned()));
            let administered = match does {
                Does::Disable => has("admin", "disabled"),
                Does::Enable => has("admin", "enabled"),
                Does::Unlink => has("admin", "unlinked"),
            };
            assert!(administered && has("falconer/scim/company", "gone"), "{what}: {actions:?}");
            // The directory has them again: the administrator's word counts still.
            office.push_active(&world.login, true).await.unwrap();
            if matches!(does, Does::Disable) {
                assert!(
                    world.auth.person_scopes(ANN).is_none()
                        && world.auth.directory().person_of(ANN).is_none_or(|person| person.record.disabled)
                );
            } else {
                office.sign_in().await;
                assert!(office.has("assume:team:zap"), "{what}");
            }
        }
        assert_eq!(ends[0], ends[1], "{does:?}");
    }
}
