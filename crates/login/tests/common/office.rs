//! People of a company, whose provider says who they are, and a directory called `phonebook` that only authorizes.

use std::sync::Arc;

use falconer_auth::{Auth, AuthSettings, Origin};
use falconer_login::mapping::Mapping;
use falconer_login::{
    Attributes, Callback, ConfiguredDirectory, Directory, Found, Login, LoginSettings, Refreshed, SignInResult, SignedIn, Way,
};

use crate::common::{ADDRESS, Counting, World, from, settings};
use crate::failing::Failing;
use crate::provider::{FakeProvider, configured, found};

const URI: &str = "https://auth.example.com/cb";

pub struct Office {
    pub world: World,
    pub store: Arc<Failing>,
}

impl Office {
    /// `refresh_ms` is of the directory; the provider is never asked without the person. What it says of each is their username and an address that it has
    /// verified.
    pub async fn new(phonebook: Arc<dyn Directory>, refresh_ms: Option<i64>) -> Office {
        let named = |subject: &str| {
            let Found { attributes, .. } = found(subject, None);
            let (username, email) = (Some(subject.to_owned()), Some(format!("{subject}@example.com")));
            Found { attributes: Attributes { username, email, email_verified: true, ..attributes }, handle: None, proved_ms: None }
        };
        let company = FakeProvider::away(move |code, _| Ok(named(code))).refreshing(|_, _| Ok(Refreshed::CannotBeAsked));
        let directory = ConfiguredDirectory {
            name: "phonebook".to_owned(),
            mapping: Mapping::new(&["phone:{group}".to_owned()], [], None, false).unwrap(),
            kind: phonebook,
            refresh_ms,
        };
        let company = configured("company", "Company", &["assume:team:{sub}", "assume:mail:{email}"], company);
        let world = World::with(settings()).await;
        let store = Arc::new(Failing::new(world.store.clone()));
        let (random, clock) = (Arc::new(Counting::default()), world.clock.clone());
        let origin = AuthSettings::new(Origin::parse("https://auth.example.com").unwrap());
        let auth = Arc::new(Auth::open(store.clone(), origin, clock.clone(), random.clone()).await.unwrap());
        let settings = LoginSettings { providers: vec![company], directories: vec![directory], ..settings() };
        let login = Arc::new(Login::open(auth.clone(), store.clone(), settings, clock, random).unwrap());
        Office { world: World { login, auth, ..world }, store }
    }

    pub async fn sign_in(&self, subject: &str) -> SignedIn {
        let login = &self.world.login;
        let left = login.leave_for_provider("company", "/", URI, Way::SignIn).await.unwrap();
        let state = left.url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let callback = Callback { state: Some(state), code: Some(subject.to_owned()), ..Callback::default() };
        let back = login.return_from_provider("company", &[&left.cookie_value], &callback, URI, None, &from(ADDRESS)).await;
        let SignInResult::SignedIn(inbound) = back.unwrap() else { panic!("nothing was to be linked") };
        inbound.signed_in
    }

    pub fn has(&self, subject: &str, scope: &str) -> bool {
        self.world.auth.person_scopes(&format!("company/{subject}")).is_some_and(|scopes| scopes.satisfies(scope))
    }

    /// Somebody signs in whom the directory has nothing to do with, and everybody is verified from memory: the store is not asked for that.
    pub async fn others_notice_nothing(&self, scope_of_ann: &str) {
        self.world.sign_in("zoe").await;
        let calls = || self.store.calls.lock().unwrap().values().sum::<usize>();
        let before = calls();
        for _ in 0..1000 {
            assert!(self.has("ann", scope_of_ann) && self.world.auth.person_scopes("local/zoe").is_some());
        }
        assert_eq!(calls(), before, "what is verified is read from memory");
    }
}
