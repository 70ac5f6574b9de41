//! The real binary with its records in PostgreSQL, as an operator meets it.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::browser::Browser;
use crate::support::patience::output_of_child;
use crate::support::place::Place;
use crate::support::ports::HeldPort;
use crate::support::postgres::Database;
use crate::support::user::{Done, eventually};
use crate::support::{Server, falconer};
use falconer_client::{Client, Credentials};
use falconer_wire::ClientRequest;

/// What the first `serve` wrote to its file.
fn root(place: &Place, server: &Server) -> Client {
    let kept = std::fs::read_to_string(place.data().join("root-credentials.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    let credentials = Credentials::new(kept["clientId"].as_str().unwrap(), kept["accessToken"].as_str().unwrap());
    Client::new(&server.root_url).unwrap().with_credentials(credentials)
}

fn some_client() -> ClientRequest {
    ClientRequest {
        expires: "2100-01-01T00:00:00.000Z".to_owned(),
        description: "made on PostgreSQL".to_owned(),
        scopes: Some(vec!["auth:current-scopes".to_owned(), "notes:read:*".to_owned()]),
        delete_on_expiration: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_server_lives_in_a_database() {
    let place = Place::postgres().await;
    let server = place.start();
    assert_eq!(server.printed.len(), 4, "{:?}", server.printed);
    let created_client = root(&place, &server).create_client("project/robot", &some_client()).await.unwrap();
    assert!(!place.data().join("falconer.sqlite").exists());
    assert_eq!(server.end(), Some(0));

    let server = place.start();
    assert_eq!(server.printed.len(), 2, "{:?}", server.printed);
    let found = root(&place, &server).client("project/robot").await.unwrap().unwrap();
    assert_eq!((found.description.as_str(), found.created), ("made on PostgreSQL", created_client.client.created));
    let robot = Client::new(&server.root_url).unwrap().with_credentials(Credentials::new("project/robot", &created_client.access_token));
    assert!(robot.current_scopes().await.unwrap().scopes.contains(&"notes:read:*".to_owned()));

    // A second server is welcome; a second installation is not.
    let second = place.start();
    let there = Client::new(&second.root_url).unwrap().with_credentials(Credentials::new("project/robot", &created_client.access_token));
    assert!(there.current_scopes().await.unwrap().scopes.contains(&"notes:read:*".to_owned()));
    assert_eq!(second.end(), Some(0));
    place.run(&["init", "--data-dir", place.data().to_str().unwrap()]).refused(1, "holds a Falconer already");
    assert!(robot.current_scopes().await.is_ok(), "the others did not disturb it");

    // Administration on the spot works beside it, and the server takes it in.
    let mut create = place.command(&["account", "create", "ann", "--password-stdin"]);
    let mut create = create.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    create.stdin.take().unwrap().write_all(b"correct horse battery staple").unwrap();
    assert_eq!(Done::from(output_of_child(create, "account create")).code, 0);
    eventually("ann signs in", || Browser::new(&server).sign_in("ann", "correct horse battery staple").then_some(()));
    assert_eq!(place.run(&["account", "list", "--json"]).json()[0]["name"], "ann");

    // Without its key file nothing is served, and nothing new is made in its place.
    assert_eq!(server.end(), Some(0));
    std::fs::rename(place.data().join("falconer.keys"), place.data().join("elsewhere")).unwrap();
    place.run(&["serve", "--listen", "127.0.0.1:0"]).refused(1, "the key file");
    assert!(!place.data().join("falconer.keys").exists());

    // A start without `database_url` made an empty Falconer with another root client, and wrote over the note of the revision.
    std::fs::rename(place.data().join("elsewhere"), place.data().join("falconer.keys")).unwrap();
    let history = std::fs::read(place.data().join("falconer.history")).unwrap();
    crate::support::user::local(&place.data(), &["serve", "--listen=127.0.0.1:0"]).refused(1, "set database_url");
    assert!(!place.data().join("falconer.sqlite").exists());
    assert_eq!(std::fs::read(place.data().join("falconer.history")).unwrap(), history);
    assert_eq!(place.start().end(), Some(0), "with it all is well");
}

/// As after a failover: the URL names two hosts, and nobody is at the first one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn of_several_hosts_the_one_that_takes_writes_is_used() {
    let mut place = Place::postgres().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let database = place.database.as_mut().unwrap();
    let url = url::Url::parse(&database.url).unwrap();
    let (user, password, there) = (url.username(), &database.password, url.port().unwrap_or(5432));
    database.url = format!("postgres://{user}:{password}@127.0.0.1:{free},127.0.0.1:{there}{}", url.path());
    let server = place.start();
    root(&place, &server).create_client("project/robot", &some_client()).await.unwrap();
    assert_eq!(server.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn what_is_wrong_is_said_without_the_password() {
    let database = Database::make().await;
    let nobody = HeldPort::new();
    let elsewhere = |path: &str| {
        let mut url = url::Url::parse(&database.url).unwrap();
        url.set_path(path);
        url.to_string()
    };
    let nowhere = {
        let mut url = url::Url::parse(&database.url).unwrap();
        url.set_port(Some(nobody.port())).unwrap();
        url.to_string()
    };
    let without_tls = format!("{}?sslmode=require", database.url.split('?').next().unwrap());
    for (url, words) in [
        (
            format!("mysql://u:{}@localhost/f", database.password),
            "database_url: it is no URL of PostgreSQL; write something like postgres://",
        ),
        (format!("postgres://u:{}@localhost:port/f", database.password), "database_url: write something like postgres://"),
        (nowhere, "is the server running, and database_url right?"),
        (elsewhere("no_such_database"), "\"no_such_database\" does not exist"),
        (without_tls, "TLS"),
    ] {
        for words_of in [&["serve", "--listen", "127.0.0.1:0"][..], &["init"], &["account", "list"], &["setup-link"]] {
            let place = Place::file();
            let data = place.data();
            let output = falconer()
                .args(words_of)
                .args(["--data-dir", data.to_str().unwrap()])
                .env("FALCONER_DATABASE_URL", &url)
                .env("FALCONER_LOG__LEVEL", "trace")
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let done = Done::from(output);
            done.refused(1, words);
            assert!(!done.err.contains(&database.password), "{words_of:?}: {done:?}");
            assert!(!data.exists(), "{words_of:?} left something behind: {done:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn the_password_is_never_told() {
    let place = Place::postgres().await;
    let database = place.database.as_ref().unwrap();
    let log = place.file_with("log", "");
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("FALCONER_LOG__LEVEL", "trace").stderr(std::fs::File::create(&log).unwrap());
    let server = Server::of(command);
    let created = root(&place, &server).create_client("project/robot", &some_client()).await.unwrap();
    database.throw_out().await;
    let client = root(&place, &server);
    eventually("the log says that the database is back", || {
        std::fs::read_to_string(&log).unwrap().contains("the database is back").then_some(())
    });
    client.reset_access_token("project/robot").await.unwrap();
    let printed = server.printed.join("\n");
    assert_eq!(server.end(), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.len() > 1000, "trace says a lot: {log}");
    for secret in [&database.password, &created.access_token] {
        assert!(!log.contains(secret.as_str()) && !printed.contains(secret.as_str()), "a secret is in the log");
    }
    for file in std::fs::read_dir(place.data()).unwrap() {
        let file = file.unwrap().path();
        assert!(!String::from_utf8_lossy(&std::fs::read(&file).unwrap()).contains(&database.password), "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_a_setting_leaves_nothing_behind() {
    for place in Place::each().await {
        for (settings, words) in [
            ("[[static_client]]\nclient_id = \"static/robot\"\naccess_token = \"short\"\nscopes = []", "static/robot"),
            ("[[static_client]]\nclient_id = \"robot\"\naccess_token = \"0123456789012345678901234567890\"\nscopes = []", "static/"),
            ("[[static_client]]\nclient_id = \"static/robot\"\naccess_token_file = \"/nowhere/at/all\"\nscopes = []", "/nowhere/at/all"),
            ("hawk_origins = [\"nonsense\"]", "hawk_origins"),
            ("[grant]\nmax_ttl = \"40 days\"", "grant.max_ttl"),
            ("[audit]\nretention = \"soon\"", "audit.retention"),
            ("[identity]\nmax_age = \"\"", "identity.max_age"),
            ("[session]\nidle = \"0 days\"", "session.idle"),
            ("[session]\nmax_age = \"soon\"", "session.max_age"),
            ("[session]\nfresh = \"\"", "session.fresh"),
            ("[[target]]\nname = \"Notes\"\ntargets = [\"nonsense\"]", "nonsense"),
            ("root_url = \"http://auth.example.com\"", "root_url"),
        ] {
            let file = place.file_with("falconer.toml", settings);
            let (file, data) = (file.to_str().unwrap(), place.data());
            for words_of in [&["serve", "--listen", "127.0.0.1:0"][..], &["init"]] {
                let all = [words_of, &["--config", file, "--data-dir", data.to_str().unwrap()]].concat();
                place.run(&all).refused(1, words);
                assert!(!data.exists(), "{}: {settings:?} left a data directory behind", place.store());
                if let Some(database) = &place.database {
                    assert_eq!(database.tables().await, 0, "{settings:?} left tables behind");
                }
            }
        }
        // The mistakes corrected, everything is made.
        let server = place.start();
        assert_eq!(server.end(), Some(0));
    }
}
