//! Servers on one database, and what they say.

use std::process::Stdio;
use std::time::Instant;

use falconer_client::{Client, Credentials, Method, Retry};
use falconer_wire::{AuthenticateHawkRequest, AuthenticateHawkResponse, ClientRequest};

use crate::support::patience::patience;
use crate::support::place::Place;
use crate::support::silent_proxy::SilentProxy;
use crate::support::{self, Init, Server};

/// Servers that share a database and a key file, each with a data directory and a way to the database of its own.
pub struct Cluster {
    pub place: Place,
    pub init: Init,
    pub folders: Vec<tempfile::TempDir>,
}

/// One of the servers.
pub struct Node {
    pub server: Server,
    pub proxy: SilentProxy,
    pub metrics: String,
    pub root: Client,
}

/// How a server hears of the others.
#[derive(Clone, Copy, PartialEq)]
pub enum Hears {
    /// By the database's notifications.
    AtOnce,
    /// The same, while all else goes through pgbouncer.
    Pooled,
    /// By looking: its connection for notifications never gets an answer.
    NotAtAll,
}

impl Cluster {
    pub async fn make() -> Cluster {
        let place = Place::postgres().await;
        let (place, init) = tokio::task::spawn_blocking(move || {
            let init = place.init(&[]);
            (place, init)
        })
        .await
        .unwrap();
        Cluster { place, init, folders: Vec::new() }
    }

    /// One that goes on however long a busy machine keeps it from its database.
    pub async fn node(&mut self, hears: Hears) -> Node {
        self.node_with(hears, "1 day").await
    }

    pub async fn node_with(&mut self, hears: Hears, max_staleness: &str) -> Node {
        self.node_of(hears, max_staleness, &[]).await
    }

    /// With more of the environment.
    pub async fn node_of(&mut self, hears: Hears, max_staleness: &str, more: &[(&str, &str)]) -> Node {
        self.folders.push(tempfile::tempdir().unwrap());
        self.node_in(self.folders.len() - 1, hears, max_staleness, more).await
    }

    /// On the data directory of the n-th one, which has ended.
    pub async fn node_in(&self, folder: usize, hears: Hears, max_staleness: &str, more: &[(&str, &str)]) -> Node {
        let folder = &self.folders[folder];
        let direct = self.place.database.as_ref().unwrap().url.clone();
        let mut url = url::Url::parse(&direct).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let way = if hears == Hears::Pooled { pgbouncer() } else { server.clone() };
        let proxy = SilentProxy::before(way).await;
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(proxy.address.port())).unwrap();
        let mut command = self.place.command(&["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
        command
            .env("FALCONER_DATABASE_URL", url.as_str())
            .env("FALCONER_DATA_DIR", folder.path().join("data"))
            .env("FALCONER_KEY_FILE", self.place.data().join("falconer.keys"))
            .env("FALCONER_MAX_STALENESS", max_staleness)
            .envs(more.iter().copied())
            .stderr(Stdio::null());
        if hears == Hears::Pooled {
            command.env("FALCONER_NOTIFY_URL", &direct);
        }
        if hears == Hears::NotAtAll {
            let deaf = SilentProxy::before(server).await;
            deaf.fall_silent();
            url.set_port(Some(deaf.address.port())).unwrap();
            command.env("FALCONER_NOTIFY_URL", url.as_str());
            // It stays as long as the test.
            std::mem::forget(deaf);
        }
        let server = tokio::task::spawn_blocking(move || Server::of(command)).await.unwrap();
        let metrics = server.printed.iter().find_map(|line| line.strip_prefix("metrics at ")).unwrap().to_owned();
        // Without tries again, so that each answer is seen.
        let root = server.client(&self.init).with_retry(Retry { tries: 1, ..Retry::default() });
        Node { server, proxy, metrics, root }
    }
}

/// What a server says of a credential.
#[derive(Debug, PartialEq)]
pub enum Said {
    Right,
    Wrong(String),
    /// 503.
    NotNow(String),
}

impl Node {
    /// What a service hears that asks this server about a request of these credentials.
    pub async fn says_of(&self, credentials: &Credentials) -> Said {
        let client = Client::new("https://notes.example.com").unwrap().with_credentials(credentials.clone());
        let request = AuthenticateHawkRequest {
            method: "get".to_owned(),
            resource: "/note/1".to_owned(),
            host: "notes.example.com".to_owned(),
            port: 443,
            authorization: client.authorization(&Method::GET, "https://notes.example.com/note/1", None).unwrap(),
            source_ip: None,
        };
        match self.root.authenticate_hawk(&request).await {
            Ok(AuthenticateHawkResponse::Success { .. }) => Said::Right,
            Ok(AuthenticateHawkResponse::Failed { message, .. }) => Said::Wrong(message),
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert_eq!(error.status(), Some(503), "{error:?}");
                Said::NotNow(error.to_string())
            }
        }
    }

    /// Asks until the answer is this one; the answers before it.
    pub async fn until(&self, credentials: &Credentials, is_it: impl Fn(&Said) -> bool) -> Vec<Said> {
        let (until, mut before) = (Instant::now() + patience(), Vec::new());
        loop {
            let said = self.says_of(credentials).await;
            if is_it(&said) {
                return before;
            }
            before.push(said);
            assert!(Instant::now() < until, "never: {:?}", before.last());
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    pub async fn metric(&self, name: &str) -> f64 {
        let text = support::http().get(&self.metrics).send().await.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} is not in {text}"));
        line.trim().parse().unwrap()
    }

    pub async fn heartbeat(&self) -> (u16, serde_json::Value) {
        let answer = support::http().get(format!("{}/__heartbeat__", self.server.root_url)).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Makes a client with these scopes.
    pub async fn make_client(&self, client_id: &str, scopes: &[&str]) -> Credentials {
        let request = ClientRequest {
            expires: "2100-01-01T00:00:00.000Z".to_owned(),
            description: "of a test".to_owned(),
            scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            delete_on_expiration: false,
        };
        let created = self.root.create_client(client_id, &request).await.unwrap();
        Credentials::new(client_id, &created.access_token)
    }

    /// Signs and sends a change, which has to go well; the revision that the answer names.
    pub async fn change(&self, method: &Method, path: &str, body: Option<serde_json::Value>) -> i64 {
        let url = format!("{}{path}", self.server.root_url);
        let authorization = self.root.authorization(method, &url, None).unwrap().unwrap();
        let mut request = support::http().request(method.clone(), &url).header("authorization", authorization);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let (status, revision) = (answer.status().as_u16(), answer.headers().get("falconer-revision").cloned());
        let text = answer.text().await.unwrap();
        assert!(status == 200 || status == 204, "{method} {path}: {status} {text}");
        revision.unwrap_or_else(|| panic!("{method} {path}: no revision")).to_str().unwrap().parse().unwrap()
    }

    pub async fn revision(&self) -> i64 {
        self.heartbeat().await.1["revision"].as_i64().unwrap()
    }
}

/// `host:port` of the pgbouncer before the server that tests have.
fn pgbouncer() -> String {
    let url = std::env::var("FALCONER_TEST_PGBOUNCER")
        .expect("FALCONER_TEST_PGBOUNCER; `cargo xtask test` starts one, `cargo xtask postgres` too");
    let url = url::Url::parse(&url).unwrap();
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
}
