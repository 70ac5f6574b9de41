//! `falconer doctor` on the real binary: what it finds where all is well, and where something is not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::patience::{Lines, output_of};
use crate::support::place::Place;
use crate::support::user::{Done, local};
use crate::support::{Server, init};
use serde_json::Value;

/// The levels of a check, and all that is said of it.
fn of(done: &Done, check: &str) -> (Vec<String>, String) {
    let answer: Value = serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {done:?}"));
    let findings: Vec<&Value> = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == check).collect();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let levels = findings.iter().map(|finding| text(finding, "level")).collect();
    let said = findings.iter().map(|finding| format!("{} -> {}\n", text(finding, "found"), text(finding, "todo"))).collect();
    (levels, said)
}

/// The check says this of something, at this level, and what to do.
fn says(done: &Done, check: &str, level: &str, words: &str) {
    let (levels, said) = of(done, check);
    assert!(levels.iter().any(|found| found == level) && said.contains(words), "wanted {level} and {words:?}: {levels:?} {said}");
    let code = match level {
        "ok" => return,
        "look" => [3, 4].contains(&done.code),
        _ => done.code == 4,
    };
    assert!(code, "{done:?}");
}

fn doctor(data: &Path, more: &[&str]) -> Done {
    local(data, &[&["doctor", "--json"], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_well_is_said_to_be() {
    for place in Place::each().await {
        let root = place.init(&[]);
        let server = place.start();
        let done = place.run(&["doctor", "--json"]);
        for check in ["database", "version", "clock", "keys", "root URL", "proxy"] {
            let (levels, said) = of(&done, check);
            assert!(!levels.is_empty() && levels.iter().all(|level| level == "ok"), "{} {check}: {levels:?} {said}", place.store());
        }
        says(&done, "root URL", "ok", "is answered by this very server");
        let left = std::fs::read_dir(place.data()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(!left.into_iter().any(|name| name.contains("doctor")), "what it writes it removes");
        // For people: the same, and no secret in any form.
        let output = place.run(&["doctor"]);
        let keys = std::fs::read_to_string(place.data().join("falconer.keys")).unwrap();
        let key = keys.split_whitespace().nth(1).unwrap();
        for text in [&done.out, &done.err, &output.out, &output.err] {
            assert!(!text.contains(&root.access_token) && !text.contains(key), "{text}");
            assert!(place.database.as_ref().is_none_or(|database| !text.contains(&database.password)));
        }
        assert!(output.out.contains("ok    root URL: http://localhost:"), "{output:?}");
        assert_eq!(server.end(), Some(0));
        says(&place.run(&["doctor", "--json"]), "root URL", "wrong", "does the server run");
    }
}

/// Until the first checkpoint, what says whose a database is stands in the write-ahead log: a server that had just begun was called corrupt.
#[test]
fn a_server_that_has_just_begun_is_well() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let database = std::fs::read(data.join("falconer.sqlite")).unwrap();
    assert_eq!(database.get(68..72), Some(&[0_u8; 4][..]), "the file itself does not say it yet");
    let done = doctor(&data, &["--root-url", &server.root_url]);
    let (levels, said) = of(&done, "database");
    assert!(!levels.is_empty() && levels.iter().all(|level| level == "ok"), "{levels:?} {said}");
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    let nothing = doctor(&data, &[]);
    says(&nothing, "disk", "wrong", "falconer init");
    says(&nothing, "database", "wrong", "falconer restore");
    init(&data);
    init(&other);
    let server = Server::start(&data);

    says(&doctor(&other, &["--root-url", &server.root_url]), "root URL", "wrong", "another installation");

    std::fs::set_permissions(data.join("falconer.sqlite"), std::fs::Permissions::from_mode(0o644)).unwrap();
    says(&doctor(&data, &[]), "configuration", "look", "chmod 600");
    std::fs::set_permissions(data.join("falconer.sqlite"), std::fs::Permissions::from_mode(0o600)).unwrap();

    let keys = data.join("falconer.keys");
    let right = std::fs::read(&keys).unwrap();
    std::fs::copy(other.join("falconer.keys"), &keys).unwrap();
    says(&doctor(&data, &[]), "keys", "wrong", "another installation");
    std::fs::remove_file(&keys).unwrap();
    says(&doctor(&data, &[]), "keys", "wrong", "restore it");
    std::fs::write(&keys, right).unwrap();
    assert_eq!(server.end(), Some(0));

    let change = |sql: &str| {
        rusqlite::Connection::open(data.join("falconer.sqlite")).unwrap().execute(sql, []).unwrap();
    };
    change("UPDATE meta SET highest_ms = highest_ms + 3600000");
    says(&doctor(&data, &[]), "clock", "wrong", "falconer clock accept");
    change("UPDATE meta SET highest_ms = 1000");
    says(&doctor(&data, &[]), "clock", "wrong", "days ahead");
    change("INSERT INTO migrations (version, name, checksum) VALUES (9999, '9999_later', 'x')");
    says(&doctor(&data, &[]), "version", "wrong", "run the version of Falconer that the servers have");
    std::fs::write(data.join("falconer.sqlite"), "no database").unwrap();
    says(&doctor(&data, &[]), "database", "wrong", "restore a backup");
    let done = doctor(&data, &["--config", folder.path().join("missing.toml").to_str().unwrap()]);
    says(&done, "configuration", "wrong", "config check");
}

/// What a proxy does not let through is told apart from what Falconer itself says no to.
#[test]
fn a_proxy_that_refuses_large_requests_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    init(&data);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let root_url = format!("http://localhost:{}", port.local_addr().unwrap().port());
    let server = Server::start_with(&data, &["--root-url", &root_url]);
    let bound = server.printed.iter().find_map(|line| line.strip_prefix("bound to ")).unwrap().to_owned();
    let bound_there = bound.clone();
    std::thread::spawn(move || small_proxy(&port, &bound));
    let done = doctor(&data, &["--root-url", &root_url]);
    says(&done, "root URL", "ok", "this very server");
    says(&done, "proxy", "look", "client_max_body_size");
    says(&done, "proxy", "look", "large_client_header_buffers");
    // Signed for another port than the one that counts, as behind a proxy that changes the host.
    says(&doctor(&data, &["--root-url", &format!("http://{bound_there}")]), "root URL", "wrong", "proxy_set_header Host");
    assert_eq!(server.end(), Some(0));
}

/// Passes on requests of up to 8 KiB, one a connection; answers larger ones itself, with a page.
fn small_proxy(port: &std::net::TcpListener, to: &str) {
    use std::io::{Read as _, Write as _};
    for connection in port.incoming() {
        let (mut connection, mut request) = (connection.unwrap(), Vec::new());
        let mut part = [0; 65536];
        let whole = loop {
            let read = connection.read(&mut part).unwrap_or(0);
            request.extend_from_slice(&part[..read]);
            let head = request.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|place| place + 4);
            let text = String::from_utf8_lossy(&request[..head.unwrap_or(0)]).to_lowercase();
            let length =
                text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok()).unwrap_or(0);
            match head {
                _ if read == 0 => break false,
                Some(head) if request.len() >= head + length => break request.len() <= 8192,
                _ => {}
            }
        };
        if !whole {
            let _ = connection
                .write_all(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nno!\n");
            continue;
        }
        let request = String::from_utf8_lossy(&request).replacen("\r\n", "\r\nConnection: close\r\n", 1);
        let mut server = std::net::TcpStream::connect(to).unwrap();
        server.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = server.read_to_end(&mut answer);
        let _ = connection.write_all(&answer);
    }
}

/// Behind a pooler without a way around it nothing was said: other servers' changes came half a second later, and limits of statements held for whoever came next.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_pooler_without_a_way_around_it_is_noticed() {
    let place = Place::postgres().await;
    place.init(&[]);
    let direct = place.database.as_ref().unwrap().url.clone();
    let pooler = std::env::var("FALCONER_TEST_PGBOUNCER")
        .expect("FALCONER_TEST_PGBOUNCER; `cargo xtask test` starts one, `cargo xtask postgres` too");
    let mut pooled = url::Url::parse(&direct).unwrap();
    pooled.set_port(url::Url::parse(&pooler).unwrap().port()).unwrap();
    let run = |words: &[&str], url: &str, notify_url: Option<&str>| -> Done {
        let mut command = place.command(words);
        command.env("FALCONER_DATABASE_URL", url).envs(notify_url.map(|url| ("FALCONER_NOTIFY_URL", url)));
        output_of(&mut command).into()
    };
    let of_doctor = |url: &str, notify_url| run(&["doctor", "--json"], url, notify_url);
    says(&of_doctor(pooled.as_str(), None), "pooler", "wrong", "set notify_url");
    for done in [of_doctor(pooled.as_str(), Some(&direct)), of_doctor(&direct, None)] {
        assert_eq!(of(&done, "pooler").0, Vec::<String>::new(), "{done:?}");
    }
    // The server says so in its log, and serves all the same.
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("FALCONER_DATABASE_URL", pooled.as_str()).stderr(std::process::Stdio::piped());
    let mut server = Server::of(command);
    let log = Lines::of(server.child.stderr.take().unwrap(), "the log");
    log.with("notify_url is not set");
    assert_eq!(server.end(), Some(0));
}
