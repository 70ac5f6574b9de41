//! The command line as a new user meets it: what it says, where it says it, and its exit codes (0 done, 1 failed, 2 wrong use).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::patience::end_of;
use crate::support::user::{Done, command, local};
use crate::support::{Server, falconer, init};

/// A folder with the path of a data directory in it that does not exist yet.
fn fresh() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    (folder, data)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn serve(data: &Path, more: &[&str]) -> Done {
    command(&[&["serve", "--data-dir", text(data), "--listen", "127.0.0.1:0"], more].concat())
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn help_is_for_stdout_and_wrong_use_is_2() {
    let help = command(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    for words in ["setup-link", "current-scopes", "Exit codes", "TASKCLUSTER_ROOT_URL"] {
        assert!(help.out.contains(words), "{words}: {}", help.out);
    }
    for each in [
        "init",
        "serve",
        "setup-link",
        "account",
        "person",
        "root-reset",
        "config",
        "signin",
        "current-scopes",
        "expand",
        "curl",
        "client",
        "role",
        "import",
        "export",
    ] {
        assert_eq!(command(&[each, "--help"]).code, 0, "{each}");
    }
    for wrong in [
        &[][..],
        &["nonsense"],
        &["init"],
        &["serve", "--listen"],
        &["expand"],
        &["signin", "--csh", "--fish"],
        &["account", "groups", "ann"],
        &["person", "link", "local/ann"],
    ] {
        command(wrong).refused(2, "--help");
    }
}

#[test]
fn init_makes_everything_once() {
    let (_folder, data) = fresh();
    let initialized = command(&["init", "--data-dir", text(&data), "--root-url", "https://auth.example.com", "--json"]).json();
    let keys: Vec<&String> = initialized.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["rootUrl", "clientId", "accessToken", "setupUrl"]);
    assert_eq!(initialized["rootUrl"], "https://auth.example.com");
    assert_eq!(initialized["clientId"], "static/falconer/root");
    assert_eq!(initialized["accessToken"].as_str().unwrap().len(), 44);
    assert!(initialized["setupUrl"].as_str().unwrap().starts_with("https://auth.example.com/setup?token="));
    #[cfg(unix)]
    {
        assert_eq!(mode(&data), 0o700);
        assert_eq!(mode(&data.join("falconer.keys")), 0o600);
        assert_eq!(mode(&data.join("falconer.sqlite")), 0o600);
    }
    local(&data, &["init"]).refused(1, "root-reset");
    // Until a server has run there, links name what init was told.
    assert!(local(&data, &["setup-link"]).ok().starts_with("https://auth.example.com/setup?token="));

    let (_folder, other) = fresh();
    let said = local(&other, &["init"]).ok();
    assert!(said.contains("falconer serve --data-dir") && said.contains("http://localhost:8080/setup?token="), "{said}");
    for url in ["nonsense", "http://auth.example.com", "https://auth.example.com/path", "ftp://auth.example.com"] {
        local(&other, &["init", "--root-url", url]).refused(2, "root_url");
    }
}

#[test]
fn bare_makes_no_roles() {
    let (_folder, data) = fresh();
    let root = command(&["init", "--bare", "--data-dir", text(&data), "--json"]).json();
    let server = Server::start(&data);
    let shell = crate::support::user::Shell::with(
        &server.root_url,
        &falconer_client::Credentials::new(root["clientId"].as_str().unwrap(), root["accessToken"].as_str().unwrap()),
    );
    assert_eq!(shell.run(&["role", "list", "--json"]).json(), serde_json::json!([]));
}

#[test]
fn the_first_serve_keeps_the_root_credentials_to_a_private_file() {
    let (_folder, data) = fresh();
    let server = Server::start(&data);
    let file = data.join("root-credentials.json");
    let kept: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    #[cfg(unix)]
    assert_eq!(mode(&file), 0o600);
    assert_eq!(kept["rootUrl"], server.root_url.as_str());
    let token = kept["accessToken"].as_str().unwrap();
    let printed = server.printed.join("\n");
    assert_eq!(server.printed.len(), 4, "{printed}");
    assert!(printed.contains(text(&file)) && printed.contains(&format!("{}/setup?token=", server.root_url)), "{printed}");
    assert!(!printed.contains(token), "the token was printed");
    let shell =
        crate::support::user::Shell::with(&server.root_url, &falconer_client::Credentials::new(kept["clientId"].as_str().unwrap(), token));
    assert_eq!(shell.run(&["current-scopes"]).ok(), "*\n");
    assert_eq!(server.end(), Some(0));

    // The second start has nothing more to say, and other links name where it listens.
    let restarted = Server::start(&data);
    assert_eq!(restarted.printed.len(), 2, "{:?}", restarted.printed);
    assert!(local(&data, &["setup-link"]).ok().starts_with(&format!("{}/setup?token=", restarted.root_url)));
}

#[test]
fn serve_json_is_one_object_a_line() {
    let (_folder, data) = fresh();
    let mut child = falconer()
        .args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir", text(&data)])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(3);
    let said: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let keys: Vec<&str> = said.iter().flat_map(|object| object.as_object().unwrap().keys()).map(String::as_str).collect();
    assert_eq!(keys, ["rootCredentials", "setupUrl", "listening", "address"]);
}

#[test]
fn serve_says_why_it_cannot() {
    let (folder, data) = fresh();
    for url in ["nonsense", "http://auth.example.com", "https://auth.example.com/path"] {
        serve(&data, &["--root-url", url]).refused(2, "root_url");
    }
    command(&["serve", "--data-dir", text(&data), "--listen", "8080"]).refused(2, "127.0.0.1:8080");
    command(&["serve", "--data-dir", text(&data), "--listen", "0.0.0.0:0"]).refused(1, "--root-url");
    let config = folder.path().join("falconer.toml");
    for (text_of_it, named) in [
        ("root_url = 'http://auth.example.com'", "TLS proxy"),
        ("listen = '127.0.0.1:1'\nlissten = 1", "line 2"),
        ("[grant]\nmax_ttl = 'soon'", "grant.max_ttl"),
        ("[grant]\nmax_ttl = '32 days'", "31 days"),
        ("trusted_proxies = ['proxy']", "trusted_proxies"),
        ("[limits]\nrequest_seconds = 0", "limits.request_seconds"),
        ("[[static_client]]\nclient_id = 'static/a'\naccess_token = 'short'\nscopes = []", "static/a"),
    ] {
        std::fs::write(&config, text_of_it).unwrap();
        command(&["config", "check", "--config", text(&config)]).refused(1, named);
    }
    for text_of_it in ["root_url = 'http://auth.example.com'", "trusted_proxies = ['proxy']", "[limits]\nrequest_seconds = 0"] {
        std::fs::write(&config, text_of_it).unwrap();
        assert_eq!(serve(&data, &["--config", text(&config)]).code, 1, "{text_of_it}");
    }
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    command(&["serve", "--data-dir", text(&data), "--listen", &address]).refused(1, "give another --listen");
    assert!(!data.exists(), "none of these left anything behind");
}

#[test]
fn config_check_says_what_it_comes_to_and_changes_nothing() {
    let (folder, data) = fresh();
    let config = folder.path().join("falconer.toml");
    std::fs::write(&config, format!("data_dir = {:?}\nroot_url = 'https://auth.example.com'\nlisten = '0.0.0.0:0'", text(&data))).unwrap();
    let said = command(&["config", "check", "--config", text(&config)]).ok();
    assert!(said.contains("https://auth.example.com") && said.contains(text(&data)), "{said}");
    assert!(!data.exists());
    command(&["config", "check", "--config", "nowhere.toml"]).refused(1, "nowhere.toml");
}

#[test]
fn serve_refuses_a_data_directory_that_it_cannot_use() {
    let (folder, data) = fresh();
    init(&data);
    let keys = data.join("falconer.keys");
    let kept = std::fs::read(&keys).unwrap();

    let server = Server::start(&data);
    serve(&data, &[]).refused(1, "another server runs on this data directory");
    assert_eq!(server.end(), Some(0));

    std::fs::remove_file(&keys).unwrap();
    serve(&data, &[]).refused(1, "is missing");
    local(&data, &["account", "list"]).refused(1, "is missing");
    std::fs::write(&keys, "no key\n").unwrap();
    serve(&data, &[]).refused(1, "is no key file");
    let line = String::from_utf8(kept.clone()).unwrap().lines().last().unwrap().to_owned();
    let key = line.split_once(' ').unwrap().1;
    for (text, place) in [
        (format!("# ours\n{line}\n{key}\n"), "line 3 of the key file"),
        (format!("{line}\n{key} k2\n"), "line 2 of the key file"),
        (format!("{line}\n\nk1 {key}\n"), "line 3 of the key file"),
        (format!("{line}\nk2 {}\n", &key[1..]), "line 2 of the key file"),
    ] {
        std::fs::write(&keys, text).unwrap();
        for done in [serve(&data, &[]), local(&data, &["keys", "list"])] {
            done.refused(1, place);
            assert!(done.err.contains("falconer.keys") && !done.err.contains(&key[4..20]), "{done:?}");
        }
    }
    let (_other, elsewhere) = fresh();
    init(&elsewhere);
    std::fs::copy(elsewhere.join("falconer.keys"), &keys).unwrap();
    serve(&data, &[]).refused(1, "the key file");
    std::fs::write(&keys, kept).unwrap();
    assert_eq!(Server::start(&data).end(), Some(0), "nothing was harmed");

    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("falconer.sqlite"), "this is no database, but it is long enough to look like a file").unwrap();
    serve(&foreign, &[]).refused(1, "falconer.keys is missing");
    std::fs::copy(&keys, foreign.join("falconer.keys")).unwrap();
    serve(&foreign, &[]).refused(1, "is this Falconer's data directory");

    local(&folder.path().join("nowhere"), &["account", "list"]).refused(1, "falconer init --data-dir");
}

/// The database was lost or moved away and its first credentials stayed: a new root client must not hide behind the old file.
#[test]
fn old_root_credentials_are_not_taken_for_new_ones() {
    let (_folder, data) = fresh();
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("root-credentials.json"), "{}").unwrap();
    serve(&data, &[]).refused(1, "root-credentials.json");
    assert_eq!(std::fs::read_to_string(data.join("root-credentials.json")).unwrap(), "{}");
}

/// The root client was there and its token lost, and nothing said how to get another: the next `init` found a Falconer already.
#[test]
fn an_init_that_fails_when_the_root_client_is_there_says_how_to_go_on() {
    let (_folder, data) = fresh();
    // In the place of what it writes after that.
    std::fs::create_dir_all(data.join("root-url.new")).unwrap();
    local(&data, &["init", "--bare"]).refused(1, "falconer root-reset --data-dir");
    local(&data, &["init", "--bare"]).refused(1, "holds a Falconer already");
    assert_eq!(local(&data, &["root-reset"]).code, 0);
}

/// A server whose records were in PostgreSQL was started once without `database_url`: an empty Falconer with another root client came up on the same
/// data directory, and wrote over the note by which a restored backup is noticed.
#[test]
fn a_database_that_is_gone_is_not_made_anew() {
    let (_folder, data) = fresh();
    init(&data);
    assert_eq!(Server::start(&data).end(), Some(0));
    let history = std::fs::read(data.join("falconer.history")).unwrap();
    for file in ["falconer.sqlite", "falconer.sqlite-wal", "falconer.sqlite-shm"] {
        let _ = std::fs::remove_file(data.join(file));
    }
    for words in [["serve", "--listen=127.0.0.1:0"], ["init", "--bare"]] {
        let said = local(&data, &words);
        said.refused(1, "database_url");
        assert!(
            said.err.contains("To begin afresh") && said.err.contains("falconer.keys") && said.err.contains("falconer.history"),
            "{said:?}"
        );
    }
    local(&data, &["account", "list"]).refused(1, "database_url");
    assert!(!data.join("falconer.sqlite").exists());
    assert_eq!(std::fs::read(data.join("falconer.history")).unwrap(), history);
    // What the message says to do does it.
    for file in ["falconer.keys", "falconer.history", "root-url"] {
        std::fs::remove_file(data.join(file)).unwrap();
    }
    init(&data);
}

/// The example of the configuration had an access token in it, which was a credential that everybody knew.
#[test]
fn an_access_token_from_the_documentation_is_refused() {
    let (folder, _data) = fresh();
    let config = folder.path().join("falconer.toml");
    let token = "replace-me-with-22-to-66-characters-of-your-own";
    std::fs::write(&config, format!("[[static_client]]\nclient_id = 'static/a'\naccess_token = '{token}'\nscopes = []")).unwrap();
    command(&["config", "check", "--config", text(&config)]).refused(1, "printed in the documentation");
}

/// Whoever started in the wrong folder read the wrong `falconer.toml`, or none, and was not told.
#[test]
fn serve_says_which_configuration_it_read() {
    let (folder, data) = fresh();
    let config = folder.path().join("falconer.toml");
    std::fs::write(&config, "").unwrap();
    let server = Server::start_with(&data, &["--config", text(&config)]);
    assert_eq!(server.printed[0], format!("settings from {}", config.display()));
    assert!(!Server::start_with(&folder.path().join("other"), &[]).printed.iter().any(|line| line.contains("settings from")));
}

#[test]
fn sigterm_lets_a_request_in_flight_end() {
    let (_folder, data) = fresh();
    init(&data);
    let mut server = Server::start(&data);
    let body = r#"{"method":"get","resource":"/x","host":"h.example","port":443}"#;
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(crate::support::patience::patience())).unwrap();
    // `100-continue` comes when the handler asks for the body: from then on the request is in flight.
    let head = format!(
        "POST /api/auth/v1/authenticate-hawk HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.contains("100"), "{line}");
    server.terminate();
    let address = server.address();
    crate::support::user::eventually("the listener closes", || TcpStream::connect(&address).is_err().then_some(()));
    assert!(server.lives(), "it waits for the request");
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    reader.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("HTTP/1.1 200") && answer.contains("no-auth"), "{answer}");
    assert_eq!(end_of(&mut server.child, "the server").code(), Some(0));
}

/// What `serve --demo` printed, and its process.
fn demo(data: &Path) -> (std::process::Child, serde_json::Value) {
    let mut child = falconer()
        .args(["serve", "--demo", "--json", "--listen", "127.0.0.1:0", "--data-dir", text(data)])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    (child, said)
}

fn end(mut child: std::process::Child) {
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(end_of(&mut child, "the demo").code(), Some(0));
}

#[test]
fn the_demo_starts_again_on_its_own_directory_and_on_no_other() {
    let (folder, data) = fresh();
    let (first, said) = demo(&data);
    assert!(said["listening"].as_str().unwrap().starts_with("http://localhost:"), "{said}");
    assert!(said["notes"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{said}");
    assert_eq!(said["name"], "demo");
    command(&["serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", text(&data)]).refused(1, "another server runs");
    end(first);
    let (second, restarted) = demo(&data);
    assert_ne!(said["password"], restarted["password"]);
    end(second);

    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        command(&["serve", "--demo", "--data-dir", text(&data), "--listen", listen]).refused(2, "loopback");
    }
    command(&["serve", "--demo", "--root-url", "https://auth.example.com"]).refused(2, "--demo");
    let earnest = folder.path().join("earnest");
    init(&earnest);
    let full = folder.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("letter.txt"), "mine").unwrap();
    for other in [&earnest, &full] {
        command(&["serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", text(other)]).refused(1, "was not made by the demo");
        assert!(!other.join("this-is-a-demo").exists());
    }
}

/// `println!` panics when nobody reads any more, as in `falconer role list | head -1`.
#[test]
fn a_reader_that_has_gone_ends_a_command_quietly() {
    let (_folder, data) = fresh();
    init(&data);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = falconer().args(["setup-link", "--data-dir", text(&data)]).stdout(writer).output().unwrap();
    assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()), (Some(0), ""));
}
