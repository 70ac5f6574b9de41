//! Wrong addresses and wrong words: what is said names the server and what to do.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;

use crate::support::falconer;
use crate::support::foreign::Page;
use crate::support::patience::output_of;
use crate::support::user::{Done, Shell, command};

/// Story: "The server refused the call (status 404)" named no server, and a page of another service was told as a syntax error of JSON.
#[test]
fn a_server_that_is_no_falconer_is_named() {
    for (status, head, said) in [
        ("404 Not Found", "", "answered: The server refused the call (status 404)"),
        ("405 No", "", "answered: The server refused the call (status 405)"),
        ("401 No", "", "answered (status 401): Authentication error"),
        ("200 OK", "", "gave an answer that cannot be understood"),
    ] {
        let root_url = Page::start(status, head);
        let host = root_url.strip_prefix("http://").unwrap();
        for words in [&["current-scopes"][..], &["client", "list"], &["role", "show", "a"]] {
            let done = Shell::at(&root_url).run(words);
            assert!(
                done.err.contains(&format!("{host} {said}")) && done.err.contains(&format!("Is {host} the host of a Falconer?")),
                "{done:?}"
            );
            assert_eq!((done.code, done.out.as_str()), (1, ""));
        }
    }
    let moved = Page::start("301 Moved", "location: https://www.example.com/login?token=x\r\n");
    let done = Shell::at(&moved).run(&["current-scopes"]);
    assert!(done.err.contains("redirect (status 301) to https://www.example.com/login\n") && done.err.contains("as root URL"), "{done:?}");
}

#[test]
fn a_wrong_scheme_is_said() {
    let page = Page::start("404 Not Found", "");
    let https = page.replace("http://", "https://");
    Shell::at(&https).run(&["current-scopes"]).refused(1, "should the URL begin with http:// instead of https://");
    // What speaks first, in another protocol.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    Shell::at(&other).run(&["current-scopes"]).refused(1, "does not speak HTTP");
}

/// `why short` printed a regular expression, and `why ID` with a server in the environment spoke of a folder only.
#[test]
fn why_says_what_an_id_is_and_how_a_server_is_asked() {
    command(&["why", "short"]).refused(2, "the id of a refusal is 22 letters, digits, `-` and `_`");
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| -> Done {
        let mut command = falconer();
        command.args(words).env("TASKCLUSTER_ROOT_URL", "https://auth.example.com").current_dir(folder.path()).stdin(Stdio::null());
        output_of(&mut command).into()
    };
    for words in [&["why", "AbCdEfGhIjKlMnOpQrStUv"][..], &["person", "list"]] {
        run(words).refused(1, "`--remote` asks https://auth.example.com instead");
    }
}

/// "No space left on device" was all that was said of an output that could not be written.
#[test]
fn an_output_that_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = falconer();
    command.args(["config", "check"]).current_dir(folder.path()).stdin(Stdio::null());
    command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap()).stderr(Stdio::piped());
    let done = command.spawn().unwrap().wait_with_output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.code() == Some(1) && said.starts_with("falconer: can't write what this prints: "), "{said}");
}

#[test]
fn files_of_wrong_kinds_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let wide = file("wide.toml", b"\xFF\xFEl\0");
    command(&["config", "check", "--config", &wide]).refused(1, "wide.toml: this is a text in UTF-16: save it as UTF-8");
    command(&["setup-link", "--data-dir", &wide]).refused(1, "wide.toml is a file: a data directory is a folder");
    let near = file("near.toml", b"[grant]\nmax_tll = '1 day'\n");
    command(&["config", "check", "--config", &near]).refused(1, "did you mean `max_ttl`?");
    let list = file("list.toml", b"trusted_proxies = '10.0.0.0/8'\n");
    command(&["config", "check", "--config", &list]).refused(1, "expected a list, such as [\"one\", \"two\"]");
    command(&["serve", "--data-dir", folder.path().join("d").to_str().unwrap(), "--listen", "192.0.2.1:8080"])
        .refused(1, "give one of its own");
    // A line of another tool's export.
    let role = file("roles.json", b"{\"roleId\": \"a\", \"scopes\": []}\n");
    Shell::at("http://127.0.0.1:1").run(&["import", &role]).refused(1, "each line is a record as `falconer export` writes it");
}
