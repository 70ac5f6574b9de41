//! An HTTP directory that takes connections and answers none, over real ones: who waits, how long, what counts meanwhile, and who does not notice it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "../../auth/tests/common/failing.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod failing;
#[path = "common/provider.rs"]
mod provider;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use common::{ADDRESS, Counting, DAY_MS, World, from, settings};
use failing::Failing;
use falconer_auth::{Auth, AuthSettings, Origin};
use falconer_login::http::{HttpLimits, WebHttp};
use falconer_login::http_directory::{AnswerPaths, HttpDirectory, HttpDirectorySettings};
use falconer_login::mapping::Mapping;
use falconer_login::{Arrival, Attributes, Callback, ConfiguredDirectory, Found, Login, LoginSettings, RefreshEnd, Refreshed, Way};
use falconer_store::Secret;
use provider::{FakeProvider, configured, found};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;

const URI: &str = "https://auth.example.com/cb";
const PATIENCE: Duration = Duration::from_secs(5);

/// A directory on this machine: everybody is in `vip`, or nobody is answered.
#[derive(Default)]
struct Phonebook {
    hangs: AtomicBool,
    asked: AtomicUsize,
}

impl Phonebook {
    async fn start() -> (Arc<Phonebook>, String) {
        let phonebook = Arc::new(Phonebook::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let directory = phonebook.clone();
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let directory = directory.clone();
                tokio::spawn(async move {
                    let mut head = [0; 4096];
                    let read = connection.read(&mut head).await.unwrap();
                    directory.asked.fetch_add(1, Ordering::SeqCst);
                    if directory.hangs.load(Ordering::SeqCst) {
                        return std::future::pending().await;
                    }
                    let head = String::from_utf8_lossy(&head[..read]).into_owned();
                    let email = head.split("email=").nth(1).unwrap().split(' ').next().unwrap().replace("%40", "@").replace("%2E", ".");
                    let body = format!(r#"{{"username":"you","is_vouched":true,"email":"{email}","groups":["vip"]}}"#);
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                    );
                    connection.write_all(answer.as_bytes()).await.unwrap();
                });
            }
        });
        (phonebook, format!("http://{address}/api?email={{email}}"))
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

fn kind(url: String) -> HttpDirectory {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let http = WebHttp::new(&tls, HttpLimits { total: Duration::from_secs(20), bytes: 64 * 1024 }).unwrap();
    let path = |name: &str| vec![name.to_owned()];
    let paths = AnswerPaths {
        profiles: Vec::new(),
        details: Vec::new(),
        username: path("username"),
        vouched: path("is_vouched"),
        groups: path("groups"),
        email: path("email"),
    };
    let key = Some(("X-API-KEY".to_owned(), Secret::new("canary")));
    HttpDirectory::new(HttpDirectorySettings { url, key, paths, require_vouched: true }, Arc::new(http)).unwrap()
}

/// Somebody whose address the company has verified: by that the directory knows them.
fn mailed(subject: &str) -> Found {
    let Found { attributes, .. } = found(subject, None);
    let attributes = Attributes { email: Some(format!("{subject}@example.com")), email_verified: true, ..attributes };
    Found { attributes, handle: None, proved_ms: None }
}

struct Office {
    world: World,
    phonebook: Arc<Phonebook>,
    store: Arc<Failing>,
}

impl Office {
    async fn new() -> Office {
        let (phonebook, url) = Phonebook::start().await;
        let company = FakeProvider::away(move |code, _| Ok(mailed(code))).refreshing(|_, _| Ok(Refreshed::CannotBeAsked));
        let directory = ConfiguredDirectory {
            name: "phonebook".to_owned(),
            mapping: Mapping::new(&["phone:{group}".to_owned()], [], None, false).unwrap(),
            kind: Arc::new(kind(url)),
            refresh_ms: None,
        };
        let company = configured("company", "Company", &["assume:team:{sub}", "assume:mail:{email}"], company);
        let world = World::with(settings()).await;
        let store = Arc::new(Failing::new(world.store.clone()));
        let (random, clock) = (Arc::new(Counting::default()), world.clock.clone());
        let origin = AuthSettings::new(Origin::parse("https://auth.example.com").unwrap());
        let auth = Arc::new(Auth::open(store.clone(), origin, clock.clone(), random.clone()).await.unwrap());
        let settings = LoginSettings { providers: vec![company], directories: vec![directory], ..settings() };
        let login = Arc::new(Login::open(auth.clone(), store.clone(), settings, clock, random).unwrap());
        Office { world: World { login, auth, ..world }, phonebook, store }
    }

    async fn sign_in(&self, subject: &str) {
        let login = &self.world.login;
        let left = login.leave_for_provider("company", "/", URI, Way::SignIn).await.unwrap();
        let state = left.url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let callback = Callback { state: Some(state), code: Some(subject.to_owned()), ..Callback::default() };
        let back = login.return_from_provider("company", &[&left.cookie_value], &callback, URI, None, &from(ADDRESS)).await;
        assert!(matches!(back, Ok(Arrival::SignedIn(_))));
    }

    fn has(&self, subject: &str, scope: &str) -> bool {
        self.world.auth.person_scopes(&format!("company/{subject}")).is_some_and(|scopes| scopes.satisfies(scope))
    }

    /// How often the directory was asked, by what came of it.
    fn counted(&self, end: RefreshEnd) -> u64 {
        let figures = self.world.login.refresh_figures();
        let (_, figures) = figures.into_iter().find(|(name, _)| *name == "phonebook").unwrap();
        figures.ends.get(&end).copied().unwrap_or_default()
    }
}

/// The clock of the runtime stands from the moment when the directory hangs: what is waited is exact, and nobody waits for it here.
#[tokio::test]
async fn a_sign_in_waits_once_and_others_do_not_notice_it() {
    let office = Office::new().await;
    let (world, phonebook) = (&office.world, &office.phonebook);
    world.person("zoe", &[], &[]).await;
    office.sign_in("ann").await;
    assert!(office.has("ann", "phone:vip"));
    assert_eq!((phonebook.asked(), office.counted(RefreshEnd::Answered)), (1, 1));
    phonebook.hangs.store(true, Ordering::SeqCst);

    // Four sign in and wait; meanwhile somebody with a local account signs in, and everybody is verified from memory.
    let waiting = async { _ = futures_util::future::join_all(["ann", "bob", "cleo", "dan"].map(|subject| office.sign_in(subject))).await };
    let others = async {
        while phonebook.asked.load(Ordering::SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
        world.sign_in("zoe").await;
        let calls = || office.store.calls.lock().unwrap().values().sum::<usize>();
        let before = calls();
        for _ in 0..1000 {
            assert!(office.has("ann", "phone:vip") && world.auth.person_scopes("local/zoe").is_some());
        }
        assert_eq!((calls(), phonebook.asked()), (before, 4), "neither the store nor the directory is asked");
    };
    tokio::select! {
        () = waiting => panic!("they were answered"),
        () = others => {}
    }

    tokio::time::pause();
    let begun = Instant::now();
    office.sign_in("ann").await;
    assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs());
    let asked = phonebook.asked();
    assert!(asked <= 1 && office.counted(RefreshEnd::Away) == 1, "{asked}");
    let begun = Instant::now();
    for subject in ["ann", "bob", "cleo"] {
        office.sign_in(subject).await;
    }
    assert_eq!((begun.elapsed().as_secs(), phonebook.asked()), (0, 0), "it is passed over, and not asked");
    assert!(office.has("ann", "phone:vip") && office.has("bob", "assume:team:bob"));
    assert!(!office.has("bob", "phone:vip") && !office.has("cleo", "phone:vip"), "nobody gains");
    world.clock.advance(7 * DAY_MS + 1);
    office.sign_in("ann").await;
    assert!(!office.has("ann", "phone:vip") && office.has("ann", "assume:team:ann"), "what it said ends in its time");
}
