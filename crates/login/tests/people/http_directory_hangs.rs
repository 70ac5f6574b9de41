//! An HTTP directory that takes connections and answers none, over real ones: who waits, how long, what counts meanwhile, and who does not notice it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::DAY_MS;
use crate::office::Office;
use crate::standing_clock::StandingClock;
use falconer_login::RefreshEnd;
use falconer_login::http::{HttpLimits, WebHttp};
use falconer_login::http_directory::{AnswerPaths, HttpDirectory, HttpDirectorySettings};
use falconer_store::Secret;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(5);

/// A directory on this machine: everybody is in `vip`, or nobody is answered.
#[derive(Default)]
struct Phonebook {
    hangs: AtomicBool,
    requests: AtomicUsize,
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
                    directory.requests.fetch_add(1, Ordering::SeqCst);
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

    fn requests(&self) -> usize {
        self.requests.swap(0, Ordering::SeqCst)
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

/// How often the directory was asked, by what came of it.
fn counted(office: &Office, end: RefreshEnd) -> u64 {
    let figures = office.world.login.refresh_figures();
    let (_, figures) = figures.into_iter().find(|(name, _)| *name == "phonebook").unwrap();
    figures.ends.get(&end).copied().unwrap_or_default()
}

/// What real connections take is no time here, and what is waited is exact.
#[tokio::test(start_paused = true)]
async fn a_sign_in_waits_once_and_others_do_not_notice_it() {
    let clock = StandingClock::hold();
    let (phonebook, url) = Phonebook::start().await;
    let office = Office::new(Arc::new(kind(url)), None).await;
    office.world.person("zoe", &[], &[]).await;
    office.sign_in("ann").await;
    assert!(office.has("ann", "phone:vip"));
    assert_eq!((phonebook.requests(), counted(&office, RefreshEnd::Answered)), (1, 1));
    phonebook.hangs.store(true, Ordering::SeqCst);

    // Four sign in and wait; meanwhile somebody with a local account signs in, and everybody is verified from memory.
    let waiting = async { _ = futures_util::future::join_all(["ann", "bob", "cleo", "dan"].map(|subject| office.sign_in(subject))).await };
    let others = async {
        while phonebook.requests.load(Ordering::SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
        office.others_notice_nothing("phone:vip").await;
        assert_eq!(phonebook.requests(), 4, "nor is the directory asked");
    };
    tokio::select! {
        () = waiting => panic!("they were answered"),
        () = others => {}
    }

    drop(clock);
    let begun = Instant::now();
    office.sign_in("ann").await;
    assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs());
    let requests = phonebook.requests();
    assert!(requests <= 1 && counted(&office, RefreshEnd::Away) == 1, "{requests}");
    let begun = Instant::now();
    for subject in ["ann", "bob", "cleo"] {
        office.sign_in(subject).await;
    }
    assert_eq!((begun.elapsed().as_secs(), phonebook.requests()), (0, 0), "it is passed over, and not asked");
    assert!(office.has("ann", "phone:vip") && office.has("bob", "assume:team:bob"));
    assert!(!office.has("bob", "phone:vip") && !office.has("cleo", "phone:vip"), "nobody gains");
    office.world.clock.advance(7 * DAY_MS + 1);
    office.sign_in("ann").await;
    assert!(!office.has("ann", "phone:vip") && office.has("ann", "assume:team:ann"), "what it said ends in its time");
}
