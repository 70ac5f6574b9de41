//! A sign-in with GitHub that works, until something of it is changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use falconer_login::github::{GithubProvider, GithubSettings};
use falconer_login::mapping::Mapping;
use falconer_login::{
    Attributes, Callback, ConfiguredDirectory, ConfiguredProvider, Directory, Inbound, Known, Login, LoginSettings, ProviderError,
    ProviderSignInError, RefreshError, Refreshment, SignInResult, Way,
};
use falconer_store::{IdentityRecord, Secret};
use serde_json::json;

use crate::common::{self, ADDRESS, Counting, HOUR_MS, START_MS, World, from};
use crate::emulator::{App, CLIENT_SECRET, Emulator, Says};

/// The number of the person.
pub const ID: &str = "583231";

/// What can be changed.
#[derive(Clone)]
pub struct Case {
    /// The path of the callback: a provider's name.
    pub back_at: String,
    pub callback: Callback,
    pub cookies: Vec<String>,
    /// Cookie, code and state of a sign-in that somebody else has begun.
    pub of_somebody_else: (String, String, String),
    /// The same of this browser with the other GitHub.
    pub with_other: (String, String, String),
    pub says: Says,
    /// So much time passes before the browser is back.
    pub later_ms: i64,
    /// The callback comes twice.
    pub twice: bool,
}

impl Case {
    pub fn cookie(&mut self, cookie: &str) {
        self.cookies = vec![cookie.to_owned()];
    }

    pub fn state(&mut self, state: &str) {
        self.callback.state = Some(state.to_owned());
    }

    pub fn code(&mut self, code: &str) {
        self.callback.code = Some(code.to_owned());
    }
}

pub fn says() -> Says {
    Says {
        user: json!({"id": 583_231, "login": "octocat", "name": "The Octocat", "type": "User", "email": "public@example.com", "site_admin": true}),
        emails: json!([
            {"email": "old@example.com", "primary": false, "verified": true, "visibility": null},
            {"email": "you@example.com", "primary": true, "verified": true, "visibility": "private"},
        ]),
        orgs: json!([{"id": 131_524, "login": "Mozilla"}, {"id": 3838, "login": "taskcluster"}, {"id": 666, "login": "evil"}]),
        teams: json!([
            {"id": 1, "slug": "releng", "name": "RelEng", "organization": {"id": 131_524, "login": "Mozilla"}},
            {"id": 2, "slug": "core", "name": "Core", "organization": {"id": 3838, "login": "taskcluster"}},
            {"id": 3, "slug": "releng", "name": "RelEng", "organization": {"id": 666, "login": "evil"}},
        ]),
        token: json!({}),
        instead: HashMap::new(),
        page: 100,
        headers: Vec::new(),
        next: None,
        answer_ms: 0,
        hangs: None,
        tokens_end: false,
        deleted: false,
    }
}

/// What the person gets when nothing is changed.
pub const SCOPES: [&str; 8] = [
    "assume:login-identity:github/583231",
    "assume:everybody",
    "assume:person:583231/octocat",
    "assume:mail:you@example.com",
    "assume:org:mozilla",
    "assume:org:taskcluster",
    "assume:team:mozilla/releng",
    "assume:team:taskcluster/core",
];

/// A directory that knows everybody under the name that they have elsewhere.
#[derive(Default)]
pub struct Believing(pub Mutex<Vec<(Option<String>, Option<String>)>>);

#[async_trait]
impl Directory for Believing {
    async fn look_up(&self, known: &Known<'_>, _: i64) -> Result<Option<Attributes>, ProviderError> {
        let (username, email) = (known.username.map(str::to_owned), known.email.map(str::to_owned));
        self.0.lock().unwrap().push((username.clone(), email));
        Ok(username.map(|name| Attributes { subject: name.clone(), username: Some(name), ..Attributes::default() }))
    }

    fn read_answer(&self, _: &serde_json::Map<String, serde_json::Value>) -> Result<Option<Attributes>, ProviderError> {
        Ok(None)
    }

    async fn probe(&self, _: i64) -> Result<Vec<(&'static str, String)>, ProviderError> {
        Ok(Vec::new())
    }
}

/// The providers `github` and `enterprise`, as a process that has just been started has them.
fn settings(emulator: &Arc<Emulator>, believing: &Arc<Believing>) -> LoginSettings {
    let provider = |name: &str, url: Option<&str>, organizations: Option<&[&str]>| {
        let settings = GithubSettings {
            url: url.map(str::to_owned),
            client_id: App::named(name).client_id.to_owned(),
            client_secret: Secret::new(CLIENT_SECRET),
            organizations: organizations.map(|list| list.iter().map(|text| (*text).to_owned()).collect()),
            groups: true,
            email: true,
        };
        let scopes = ["assume:person:{sub}/{username}", "assume:mail:{email}", "assume:org:{org}", "assume:team:{org}/{team}"];
        ConfiguredProvider {
            name: name.to_owned(),
            label: name.to_owned(),
            mapping: Mapping::new(&scopes.map(str::to_owned), [], None, true).unwrap(),
            kind: Arc::new(GithubProvider::new(settings, emulator.clone()).unwrap()),
            refresh_ms: Some(HOUR_MS),
        }
    };
    let providers = vec![
        provider("github", None, Some(&["mozilla", "taskcluster:3838"])),
        provider("enterprise", Some("https://github.example.com"), None),
    ];
    let directory = ConfiguredDirectory {
        name: "believing".to_owned(),
        mapping: Mapping::new(&["assume:staff:{username}".to_owned()], [], None, false).unwrap(),
        kind: believing.clone(),
        refresh_ms: None,
    };
    LoginSettings { providers, directories: vec![directory], ..common::settings() }
}

/// A node with the providers `github` and `enterprise`.
pub struct Site {
    pub world: World,
    pub emulator: Arc<Emulator>,
    pub believing: Arc<Believing>,
}

impl Site {
    pub async fn new() -> Site {
        let (emulator, believing) = (Arc::new(Emulator::default()), Arc::new(Believing::default()));
        let world = World::with(settings(&emulator, &believing)).await;
        emulator.set(&says(), START_MS);
        Site { world, emulator, believing }
    }

    /// The same, once the process was started anew.
    pub fn restarted(self) -> Site {
        let Site { world, emulator, believing } = self;
        let settings = settings(&emulator, &believing);
        let (auth, store, clock) = (world.auth.clone(), world.store.clone(), world.clock.clone());
        let login = Login::open(auth, store, settings, clock, Arc::new(Counting::default())).unwrap();
        Site { world: World { login: Arc::new(login), ..world }, emulator, believing }
    }

    /// Signs the person in, with one thing changed: what comes back, and what GitHub says then.
    pub async fn sign_in(&self, change: impl Fn(&mut Case)) -> Result<Inbound, ProviderSignInError> {
        self.sign_in_with("github", change).await
    }

    pub async fn sign_in_with(&self, name: &str, change: impl Fn(&mut Case)) -> Result<Inbound, ProviderSignInError> {
        let (cookie, code, state) = self.leave(name).await?;
        let mut case = Case {
            back_at: name.to_owned(),
            callback: Callback { state: Some(state), code: Some(code), issuer: None, error: None },
            cookies: vec![cookie],
            of_somebody_else: self.leave(name).await?,
            with_other: self.leave(if name == "github" { "enterprise" } else { "github" }).await?,
            says: says(),
            later_ms: 0,
            twice: false,
        };
        change(&mut case);
        self.finish(&case).await
    }

    /// Begins a sign-in, and the person says yes there: cookie, code and state.
    async fn leave(&self, name: &str) -> Result<(String, String, String), ProviderError> {
        let outbound = self.world.login.leave_for_provider(name, "/?a=b", &App::named(name).callback(), Way::SignIn).await;
        let outbound = outbound.map_err(|error| match error {
            ProviderSignInError::Provider(error) => error,
            other => panic!("{other}"),
        })?;
        let (code, state) = self.emulator.authorize(&outbound.url);
        Ok((outbound.cookie_value.to_string(), code, state))
    }

    async fn finish(&self, case: &Case) -> Result<Inbound, ProviderSignInError> {
        use falconer_auth::Clock as _;
        self.world.clock.advance(case.later_ms);
        self.emulator.set(&case.says, self.world.clock.now_ms());
        let back = || async {
            let cookies: Vec<&str> = case.cookies.iter().map(String::as_str).collect();
            let redirect_uri = format!("https://auth.example.com/login/{}/callback", case.back_at);
            let back =
                self.world.login.return_from_provider(&case.back_at, &cookies, &case.callback, &redirect_uri, None, &from(ADDRESS)).await;
            back.map(|arrival| match arrival {
                SignInResult::SignedIn(inbound) => *inbound,
                SignInResult::ToConfirm => panic!("nothing was to be linked"),
            })
        };
        if case.twice {
            back().await?;
            self.disable(&format!("github/{ID}")).await;
        }
        back().await
    }

    /// GitHub is asked about the person without them, and says this.
    pub async fn refresh(&self, change: impl Fn(&mut Says)) -> Result<Refreshment, RefreshError> {
        use falconer_auth::Clock as _;
        let mut says = says();
        change(&mut says);
        self.emulator.set(&says, self.world.clock.now_ms());
        self.world.login.refresh_person(&format!("github/{ID}")).await
    }

    pub fn record(&self, identity: &str) -> Option<IdentityRecord> {
        self.world.auth.directory().identity(identity).map(|person| person.record.clone())
    }

    pub fn assert_nobody_is_known(&self, name: &str) {
        let identities = ["0", "1", ID, "octocat", "", "-1", "18446744073709551615", "666"];
        for identity in identities.into_iter().flat_map(|id| [format!("github/{id}"), format!("enterprise/{id}")]) {
            let active = self.record(&identity).is_some_and(|record| !record.disabled);
            assert!(!active, "{name}: {identity} is known");
        }
    }

    pub async fn disable(&self, identity: &str) {
        let record = self.record(identity).unwrap();
        self.world.auth.put_identity("test", &IdentityRecord { disabled: true, ..record }).await.unwrap();
    }
}
