//! Providers that are asked about people later on, and directories that only add. Both are of the test: they say what they are told to, and note what they were asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::common::{ADDRESS, Counting, DAY_MS, HOUR_MS, World, from, settings};
use crate::provider::{FakeProvider, configured};
use async_trait::async_trait;
use falconer_auth::{ApiError, Authentication, Random as _};
use falconer_login::http::HttpError;
use falconer_login::mapping::Mapping;
use falconer_login::{
    Attributes, Callback, ConfiguredDirectory, ConfiguredProvider, Directory, Found, Known, LoginSettings, ProviderError, RefreshError,
    RefreshOutcome, Refreshed, Refreshment, Round, SignInResult, SignedIn, Way,
};
use falconer_store::{AuditStart, KeyRing};
use falconer_store_sqlite::SqliteStore;
use zeroize::Zeroizing;

const ANN: &str = "company/ann";

/// What it says when it is asked again.
#[derive(Clone, Default)]
enum Says {
    #[default]
    Still,
    Gone,
    Refused,
    Away,
    SomebodyElse,
    Forged,
}

#[derive(Default)]
struct Company {
    says: Mutex<Says>,
    groups: Mutex<Vec<String>>,
    /// The handle of each question.
    requests: Mutex<Vec<Option<String>>>,
}

impl Company {
    fn person(&self, subject: &str) -> Attributes {
        Attributes {
            subject: subject.to_owned(),
            display_name: "Ann".to_owned(),
            username: Some("ann.smith".to_owned()),
            email: Some("ann@example.com".to_owned()),
            email_verified: true,
            groups: self.groups.lock().unwrap().clone(),
        }
    }
}

/// The provider that says what the test tells this to say.
fn provider_of(company: Arc<Company>) -> FakeProvider {
    let finishing = Arc::clone(&company);
    let finish = move |_: &str, _: i64| {
        Ok(Found { attributes: finishing.person("ann"), handle: Some(Zeroizing::new("handle-0".to_owned())), proved_ms: None })
    };
    FakeProvider::away(finish).refreshing(move |known, _| {
        let mut requests = company.requests.lock().unwrap();
        requests.push(known.handle.map(str::to_owned));
        if known.handle.is_none() {
            return Ok(Refreshed::CannotBeAsked);
        }
        let handle = Some(Zeroizing::new(format!("handle-{}", requests.len())));
        match company.says.lock().unwrap().clone() {
            Says::Still => Ok(Refreshed::Still(Found { attributes: company.person(known.subject), handle, proved_ms: None })),
            Says::Gone => Ok(Refreshed::Gone),
            Says::Refused => Ok(Refreshed::Refused),
            Says::Away => Err(ProviderError::Http { what: "token endpoint", error: HttpError::TooSlow }),
            Says::SomebodyElse => Ok(Refreshed::Still(Found { attributes: company.person("bob"), handle, proved_ms: None })),
            Says::Forged => Err(ProviderError::Signature),
        }
    })
}

/// A directory that knows people by their address.
#[derive(Default)]
struct Phonebook(Mutex<HashMap<String, Vec<String>>>, Mutex<bool>);

#[async_trait]
impl Directory for Phonebook {
    async fn look_up(&self, known: &Known<'_>, _: i64) -> Result<Option<Attributes>, ProviderError> {
        if *self.1.lock().unwrap() {
            return Err(ProviderError::Http { what: "directory", error: HttpError::TooSlow });
        }
        let groups = known.email.and_then(|email| self.0.lock().unwrap().get(email).cloned());
        Ok(groups.map(|groups| Attributes { subject: "17".to_owned(), groups, ..Attributes::default() }))
    }

    fn read_answer(&self, _: &serde_json::Map<String, serde_json::Value>) -> Result<Option<Attributes>, ProviderError> {
        Ok(None)
    }

    async fn probe(&self, _: i64) -> Result<Vec<(&'static str, String)>, ProviderError> {
        Ok(Vec::new())
    }
}

/// In memory, with these keys.
fn stored_with(keys: KeyRing) -> Arc<SqliteStore> {
    let sealing = Counting::default();
    Arc::new(SqliteStore::in_memory(keys, Arc::new(move |bytes: &mut [u8]| sealing.fill(bytes))).unwrap())
}

struct Office {
    world: World,
    company: Arc<Company>,
    phonebook: Arc<Phonebook>,
}

impl Office {
    async fn new() -> Office {
        Office::on(stored_with(KeyRing::from_bytes("k1", [7; 32]).unwrap())).await
    }

    async fn on(store: Arc<SqliteStore>) -> Office {
        let (company, phonebook) = (Arc::new(Company::default()), Arc::new(Phonebook::default()));
        *company.groups.lock().unwrap() = vec!["zap".to_owned()];
        let kind = provider_of(Arc::clone(&company));
        let provider = configured("company", "Company", &["assume:team:{group}", "assume:mozilla-user:{email}"], kind);
        let provider = ConfiguredProvider { refresh_ms: Some(HOUR_MS), ..provider };
        let directory = ConfiguredDirectory {
            name: "phonebook".to_owned(),
            mapping: Mapping::new(&["phone:{group}".to_owned()], [], None, false).unwrap(),
            kind: phonebook.clone(),
            refresh_ms: None,
        };
        let world = World::on(store, LoginSettings { providers: vec![provider], directories: vec![directory], ..settings() }).await;
        world.role("team:zap", &["notes:read:zap/*"]).await;
        Office { world, company, phonebook }
    }

    async fn sign_in(&self) -> SignedIn {
        let login = &self.world.login;
        let outbound = login.leave_for_provider("company", "/", "https://auth.example.com/cb", Way::SignIn).await.unwrap();
        let state = outbound.url.query_pairs().next().unwrap().1.into_owned();
        let callback = Callback { state: Some(state), code: Some("code".to_owned()), ..Callback::default() };
        let (kept, visitor, redirect_uri) = ([outbound.cookie_value.as_str()], from(ADDRESS), "https://auth.example.com/cb");
        let back = login.return_from_provider("company", &kept, &callback, redirect_uri, None, &visitor);
        let SignInResult::SignedIn(inbound) = back.await.unwrap() else { panic!("nothing was to be linked") };
        inbound.signed_in
    }

    /// An hour later.
    async fn round(&self) -> Round {
        self.world.clock.advance(HOUR_MS);
        self.world.login.refresh_due().await.unwrap()
    }

    fn say(&self, says: Says) {
        *self.company.says.lock().unwrap() = says;
    }

    fn has(&self, scope: &str) -> bool {
        self.world.auth.person_scopes(ANN).is_some_and(|scopes| scopes.satisfies(scope))
    }

    async fn is_signed_in(&self, signed_in: &SignedIn) -> bool {
        self.world.login.session(&signed_in.cookie_value).await.unwrap().is_some()
    }

    async fn is_disabled(&self, client_id: &str) -> bool {
        self.world.store.client(client_id).await.unwrap().unwrap().disabled
    }
}

#[tokio::test]
async fn a_group_that_was_lost_takes_scopes_and_clients_with_it() {
    let office = Office::new().await;
    let signed_in = office.sign_in().await;
    office.world.client("company/ann/reader", &["notes:read:zap/1"]).await;
    office.world.client("company/ann/mail", &["assume:mozilla-user:ann@example.com"]).await;
    assert!(office.has("notes:read:zap/1"));
    assert_eq!(office.world.login.refresh_due().await.unwrap(), Round::default(), "nobody is due yet");
    assert_eq!(office.round().await, Round { still: 1, ..Round::default() });

    office.company.groups.lock().unwrap().clear();
    assert_eq!(office.round().await, Round { still: 1, disabled: 1, ..Round::default() });
    assert!(!office.has("notes:read:zap/1") && office.has("assume:mozilla-user:ann@example.com"));
    assert!(office.is_disabled("company/ann/reader").await && !office.is_disabled("company/ann/mail").await);
    assert!(office.is_signed_in(&signed_in).await);
    let history = office.world.store.entity_history("client", "company/ann/reader", AuditStart::Offset(1), 1).await.unwrap();
    assert_eq!(history[0].detail.as_ref().unwrap()["lostGroups"], serde_json::json!(["zap"]));
    // What the provider gives for asking works once; the next question has the next one.
    let requests = office.company.requests.lock().unwrap().clone();
    assert_eq!(requests, [Some("handle-0".to_owned()), Some("handle-1".to_owned())]);
}

#[tokio::test]
async fn whoever_is_gone_loses_everything() {
    let office = Office::new().await;
    let signed_in = office.sign_in().await;
    office.world.client("company/ann/mail", &["assume:mozilla-user:ann@example.com"]).await;
    office.say(Says::Gone);
    assert_eq!(office.round().await, Round { ended: 1, ..Round::default() });
    assert!(!office.is_signed_in(&signed_in).await && !office.has("assume:everybody"));
    assert!(office.is_disabled("company/ann/mail").await);
    assert_eq!(office.round().await, Round::default(), "nobody is asked about them any more");
    // The directory has them again: they sign in anew.
    let signed_in = office.sign_in().await;
    assert!(office.is_signed_in(&signed_in).await && office.has("notes:read:zap/1"));
}

#[tokio::test]
async fn a_handle_that_is_refused_ends_what_was_said_until_the_next_sign_in() {
    let office = Office::new().await;
    let signed_in = office.sign_in().await;
    office.world.client("company/ann/mail", &["assume:mozilla-user:ann@example.com"]).await;
    office.say(Says::Refused);
    assert_eq!(office.round().await, Round { ended: 1, ..Round::default() });
    assert!(!office.has("assume:mozilla-user:ann@example.com") && !office.is_signed_in(&signed_in).await);
    assert!(!office.is_disabled("company/ann/mail").await, "it is worth nothing until then, and is there afterwards");
    office.sign_in().await;
    assert!(office.has("assume:mozilla-user:ann@example.com"));
}

#[tokio::test]
async fn a_provider_that_is_away_changes_nothing_before_the_time_of_what_it_said_is_over() {
    let office = Office::new().await;
    let signed_in = office.sign_in().await;
    office.say(Says::Away);
    let failed = Round { failed: 1, ..Round::default() };
    assert_eq!(office.round().await, failed);
    assert!(office.has("notes:read:zap/1") && office.is_signed_in(&signed_in).await);
    // Soon again, with the handle that it has not taken.
    office.world.clock.advance(HOUR_MS / 10);
    assert_eq!(office.world.login.refresh_due().await.unwrap(), failed);
    assert_eq!(office.company.requests.lock().unwrap().clone(), [Some("handle-0".to_owned()), Some("handle-0".to_owned())]);
    office.world.clock.advance(7 * DAY_MS);
    assert_eq!(office.world.login.refresh_due().await.unwrap(), failed);
    assert!(!office.has("notes:read:zap/1"), "a week is the longest");
    office.say(Says::Still);
    assert_eq!(office.round().await, Round { still: 1, ..Round::default() });
    assert!(office.has("notes:read:zap/1"));
}

/// Story: a server that lacked the key asked nobody, and wrote that there was nothing to ask with. Nobody asked any more, and the person stopped counting.
#[tokio::test]
async fn a_handle_that_does_not_open_here_is_kept_for_a_server_that_has_its_key() {
    let keys = KeyRing::from_bytes("k1", [7; 32]).unwrap();
    let mut both = keys.clone();
    both.push("k2", [8; 32]).unwrap();
    let store = stored_with(keys.clone());
    let office = Office::on(store.clone()).await;
    store.use_keys(both.clone());
    office.sign_in().await;
    store.use_keys(keys);
    assert_eq!(office.round().await, Round { failed: 1, ..Round::default() });
    assert!(office.has("notes:read:zap/1"), "what was said counts for its time");
    store.use_keys(both);
    office.world.clock.advance(HOUR_MS / 10);
    assert_eq!(office.world.login.refresh_due().await.unwrap(), Round { still: 1, ..Round::default() }, "soon again");
    assert_eq!(office.company.requests.lock().unwrap().clone(), [None, Some("handle-0".to_owned())]);
}

#[tokio::test]
async fn an_answer_that_is_not_accepted_changes_nothing() {
    for says in [Says::SomebodyElse, Says::Forged] {
        let office = Office::new().await;
        office.sign_in().await;
        office.company.groups.lock().unwrap().push("root".to_owned());
        office.say(says);
        assert_eq!(office.round().await, Round { failed: 1, ..Round::default() });
        assert!(office.has("notes:read:zap/1") && !office.has("assume:team:root"));
        assert!(office.world.auth.directory().identity("company/bob").is_none());
    }
}

#[tokio::test]
async fn somebody_can_be_asked_about_at_once() {
    let office = Office::new().await;
    let login = &office.world.login;
    assert_eq!(login.refresh_person("company/nobody").await, Err(RefreshError::Unknown));
    office.sign_in().await;
    office.company.groups.lock().unwrap().clear();
    assert_eq!(login.refresh_person(ANN).await, Ok(Refreshment::Still { disabled: Vec::new() }));
    assert!(!office.has("notes:read:zap/1"));
    // Two at once would use a handle twice, and the provider would take that for theft.
    let now_ms = falconer_auth::Clock::now_ms(&*office.world.clock);
    office.world.store.claim_refresh(ANN, now_ms, now_ms + HOUR_MS).await.unwrap().unwrap();
    assert_eq!(login.refresh_person(ANN).await, Err(RefreshError::Busy));
}

/// An administrator is told what came of it, and the history says who wanted it.
#[tokio::test]
async fn an_administrator_has_somebody_asked_about() {
    let office = Office::new().await;
    let login = &office.world.login;
    office.sign_in().await;
    office.world.person("helper", &[], &["auth:refresh-person:company/*", "auth:refresh-person:local/*"]).await;
    office.world.person("other", &[], &["auth:refresh-person:local/*"]).await;
    let (helper, other) = (Authentication::person("local/helper"), Authentication::person("local/other"));
    let ask = async |who: &Authentication, identity: &str| login.ask_about_person(who, identity).await.map(|(requests, _)| requests);
    assert!(matches!(ask(&other, ANN).await, Err(ApiError::InsufficientScopes { .. })));
    assert!(matches!(ask(&other, "company/nobody").await, Err(ApiError::InsufficientScopes { .. })), "and learns nothing");
    assert!(matches!(ask(&helper, "company/nobody").await, Err(ApiError::ResourceNotFound(_))));
    assert!(matches!(ask(&helper, "local/helper").await, Err(ApiError::InputError(_))));
    assert_eq!(office.company.requests.lock().unwrap().len(), 0);

    let answers = [
        (Says::Away, RefreshOutcome::Unanswered),
        (Says::Forged, RefreshOutcome::NotAccepted),
        (Says::SomebodyElse, RefreshOutcome::NotAccepted),
        (Says::Still, RefreshOutcome::Answered(Refreshment::Still { disabled: Vec::new() })),
    ];
    for (says, expected) in answers {
        office.say(says);
        assert_eq!(ask(&helper, ANN).await, Ok(expected));
        assert!(office.has("notes:read:zap/1"));
    }
    office.say(Says::Gone);
    assert_eq!(ask(&helper, ANN).await, Ok(RefreshOutcome::Answered(Refreshment::Gone)));
    assert!(!office.has("notes:read:zap/1"));
    let rows = office.world.store.entity_history("identity", ANN, AuditStart::Offset(0), 50).await.unwrap();
    let refreshes = rows.iter().filter(|row| row.action == "refresh asked for" && row.actor == "local/helper").count();
    assert_eq!(refreshes, 5, "{rows:?}");
}

#[tokio::test]
async fn a_directory_adds_what_it_knows_and_takes_it_back() {
    let office = Office::new().await;
    let set = |groups: Option<&str>| {
        let mut known = office.phonebook.0.lock().unwrap();
        known.clear();
        known.extend(groups.map(|group| ("ann@example.com".to_owned(), vec![group.to_owned()])));
    };
    set(Some("long-distance"));
    office.sign_in().await;
    assert!(office.has("phone:long-distance") && office.has("notes:read:zap/1"));
    assert!(!office.has("assume:login-identity:phonebook/17"), "it signs nobody in, so it is nobody");
    set(Some("local"));
    office.round().await;
    assert!(!office.has("phone:long-distance") && office.has("phone:local"));
    // Both can be away, each for itself.
    *office.phonebook.1.lock().unwrap() = true;
    office.company.groups.lock().unwrap().clear();
    office.round().await;
    assert!(office.has("phone:local") && !office.has("notes:read:zap/1"));
    *office.phonebook.1.lock().unwrap() = false;
    set(None);
    office.say(Says::Away);
    office.round().await;
    assert!(!office.has("phone:local"), "nobody like that in the directory");
}
