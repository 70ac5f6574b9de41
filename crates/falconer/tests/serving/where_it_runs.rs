//! What surrounds a server: variables of an orchestrator, signals, modes of files, an address that is not the origin, and a log that a terminal shows.

#![cfg(unix)]
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::patience::{Lines, end_of, eventually, output_of};
use crate::support::user::Done;
use crate::support::{Server, falconer, init};

fn serve(data: &Path) -> Command {
    let mut command = falconer();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
    command
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A Service named `falconer` makes Kubernetes set these variables in every container beside it; each stopped every command.
#[test]
fn a_server_runs_behind_a_service_of_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(&folder.path().join("data"));
    command.stderr(Stdio::null()).envs([
        ("FALCONER_SERVICE_HOST", "10.96.0.17"),
        ("FALCONER_SERVICE_PORT", "8080"),
        ("FALCONER_PORT", "tcp://10.96.0.17:8080"),
        ("FALCONER_PORT_8080_TCP", "tcp://10.96.0.17:8080"),
        ("FALCONER_PORT_8080_TCP_ADDR", "10.96.0.17"),
    ]);
    assert_eq!(Server::of(command).end(), Some(0));
}

/// Of two servers that were started at once in a new folder, one found the keys of the other without its database, and advised to move them away.
#[test]
fn first_starts_at_once_let_one_make_everything() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let data = folder.path().join(format!("data-{round}"));
        let spawn = || {
            let mut init = falconer();
            init.args(["init", "--data-dir"]).arg(&data).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            init.spawn().unwrap()
        };
        let children: Vec<_> = (0..4).map(|_| spawn()).collect();
        let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        let (winners, others): (Vec<_>, Vec<_>) = outputs.into_iter().partition(|output| output.status.success());
        assert_eq!(winners.len(), 1, "{others:?}");
        for other in others {
            let said = String::from_utf8_lossy(&other.stderr).into_owned();
            assert!(said.contains("another server runs on this data directory") || said.contains("holds a Falconer already"), "{said}");
        }
        assert!(!data.join("falconer.first-start").exists());
    }
}

/// Of two servers with one key file the first one made it, failed at its database, and removed it: the second one had read it, and sealed what it kept with keys
/// that were on no disk.
#[test]
fn a_first_start_that_fails_leaves_the_keys_that_another_server_may_have_read() {
    let folder = tempfile::tempdir().unwrap();
    for (round, keys) in [None, Some(folder.path().join("shared.keys"))].into_iter().enumerate() {
        let data = folder.path().join(format!("data-{round}"));
        let run = || {
            let mut init = falconer();
            init.args(["init", "--bare", "--data-dir"]).arg(&data);
            if let Some(keys) = &keys {
                init.env("FALCONER_KEY_FILE", keys);
            }
            Done::from(output_of(&mut init))
        };
        // In the place of the lock of its database, so that there is none.
        let in_the_way = data.join("falconer.sqlite.lock");
        std::fs::create_dir_all(&in_the_way).unwrap();
        run().refused(1, "falconer.sqlite.lock");
        let keys = keys.clone().unwrap_or_else(|| data.join("falconer.keys"));
        let made = std::fs::read_to_string(&keys).unwrap();
        assert!(!data.join("falconer.sqlite").exists());
        // They are in nobody's way, and the next start takes them.
        std::fs::remove_dir(&in_the_way).unwrap();
        assert_eq!(run().code, 0);
        assert_eq!(std::fs::read_to_string(&keys).unwrap(), made);
        assert!(!data.join("falconer.first-start").exists());
    }
}

/// SIGHUP ended the process in the middle of a request, as when a terminal closes.
/// The tests may themselves run where a hangup is switched off, as below `nohup`: so it is switched on first.
#[cfg(target_os = "linux")]
#[test]
fn the_hangup_of_a_terminal_lets_requests_end_like_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("log"));
    let plain = serve(&data);
    let words: Vec<&str> = std::iter::once(plain.get_program()).chain(plain.get_args()).map(|word| word.to_str().unwrap()).collect();
    let words = format!("echo pid $$; exec env --default-signal=HUP {} 2>{}", words.join(" "), log.display());
    // It gives what it runs a terminal.
    let mut command = Command::new("script");
    command.args(["-qec", &words, "/dev/null"]).stdin(Stdio::null()).stderr(Stdio::null());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut server = Server::of(command);
    let pid = server.printed.iter().find_map(|line| line.trim().strip_prefix("pid ").map(str::to_owned)).unwrap();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    assert_eq!(end_of(&mut server.child, "a server after SIGHUP").code(), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("SIGHUP") && log.contains("ended"), "{log}");
}

/// `nohup falconer serve` goes on without its terminal: a hangup that was switched off before the start stays off.
#[cfg(target_os = "linux")]
#[test]
fn a_hangup_that_was_switched_off_stays_off() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(env!("CARGO_BIN_EXE_falconer"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data).stderr(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FALCONER_") || name.starts_with("TASKCLUSTER_")) {
        command.env_remove(name);
    }
    let mut server = Server::of(command);
    server.signal("HUP");
    assert_eq!(server.raw(b"GET /__lbheartbeat__ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").0, 200);
    assert!(server.lives());
    assert_eq!(server.end(), Some(0));
}

/// A key file that everybody may read was taken without a word.
#[test]
fn files_that_others_can_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    init(&data);
    let warnings = || {
        let config = ["config", "check", "--config"];
        let file = folder.path().join("falconer.toml");
        std::fs::write(&file, format!("data_dir = {:?}\nlisten = '127.0.0.1:0'\n", data.to_str().unwrap())).unwrap();
        let done = Done::from(output_of(falconer().args(config).arg(&file)));
        assert_eq!(done.code, 0, "{done:?}");
        done.err
    };
    assert_eq!(warnings(), "");
    chmod(&data.join("falconer.keys"), 0o640);
    assert_eq!(warnings(), "", "a group is somebody's choice");
    chmod(&data.join("falconer.keys"), 0o644);
    chmod(&data.join("falconer.sqlite"), 0o604);
    chmod(&data, 0o755);
    let said = warnings();
    for words in ["the key file", "mode 644", "chmod 600", "the database", "mode 604", "the data directory", "mode 755", "chmod 700"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let mut command = serve(&data);
    command.stderr(Stdio::piped());
    let mut server = Server::of(command);
    let log = Lines::of(server.child.stderr.take().unwrap(), "the log");
    assert!(log.with("the key file").contains("WARN"));
}

/// Behind a proxy one has to know where to send requests, and `serve` named its public origin only.
#[test]
fn serve_says_where_it_is_bound() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--root-url", "https://auth.example.com"]);
    assert_eq!(server.root_url, "https://auth.example.com");
    let bound = server.printed.iter().find_map(|line| line.strip_prefix("bound to ")).unwrap_or_else(|| panic!("{:?}", server.printed));
    assert!(TcpListener::bind(bound).is_err(), "{bound} is free");
    assert_eq!(server.end(), Some(0));
    let mut child = serve(&data).arg("--json").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let line = Lines::of(child.stdout.take().unwrap(), "serve --json").with("listening");
    child.kill().unwrap();
    child.wait().unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(said["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
}

/// A SIGABRT left the sealing key in a core file. That a function forbids that was tried, and not that the program calls it.
#[cfg(target_os = "linux")]
#[test]
fn a_server_that_is_aborted_leaves_no_core_file() {
    use std::os::unix::process::ExitStatusExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(&folder.path().join("data"));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.child.id())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"]);
    server.signal("ABRT");
    let end = end_of(&mut server.child, "a server after SIGABRT");
    assert_eq!((end.signal(), end.core_dumped()), (Some(6), false));
}

/// A proxy that passes on another port, or that is not trusted, made every signed call a 401, and nothing was in any log.
#[test]
fn what_a_proxy_does_wrong_is_said_once_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(&folder.path().join("data"));
    command.args(["--root-url", "https://auth.example.com"]).stderr(Stdio::piped());
    let mut server = Server::of(command);
    let log = Lines::of(server.child.stderr.take().unwrap(), "the log");
    let address = server.printed.iter().find_map(|line| line.strip_prefix("bound to ")).unwrap().to_owned();
    let send = |head: &str| {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        write!(stream, "GET {head}connection: close\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    };
    let signed = "authorization: Hawk id=\"a\", ts=\"1\", nonce=\"n\", mac=\"bWFj\"\r\n";
    for _ in 0..2 {
        send("/login HTTP/1.1\r\nhost: auth.example.com\r\nx-forwarded-proto: https\r\n");
        send(&format!("/api/auth/v1/roles/ HTTP/1.1\r\nhost: inner.example:8443\r\n{signed}"));
    }
    send("/last HTTP/1.1\r\nhost: auth.example.com\r\n");
    let mut warnings = Vec::new();
    eventually("the last request is logged", || {
        let line = log.next().expect("the log goes on");
        if line.contains("WARN") {
            warnings.push(line.clone());
        }
        line.contains("path=/last").then_some(())
    });
    let [untrusted, elsewhere] = &warnings[..] else { panic!("each is said once: {warnings:#?}") };
    for words in ["a forwarded header counts for nothing", "peer=127.0.0.1:", "header=\"x-forwarded-proto\""] {
        assert!(untrusted.contains(words), "{words}: {untrusted}");
    }
    for words in ["signed for another host or port", "peer=\"127.0.0.1:", "inner.example:8443", "root_url=\"https://auth.example.com\""] {
        assert!(elsewhere.contains(words), "{words}: {elsewhere}");
    }
}

/// `warning` was taken for the name of a module: the server logged nothing at all, and `config check` said fine.
#[test]
fn a_level_that_is_none_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (level, words) in [("warning", "`warning` is no level; write one of error, warn"), ("fatal", "`fatal`"), ("loud", "`loud`")] {
        for words_of_command in [&["config", "check"][..], &["serve", "--data-dir", folder.path().join("data").to_str().unwrap()]] {
            let done = Done::from(output_of(falconer().args(words_of_command).env("FALCONER_LOG__LEVEL", level)));
            done.refused(1, words);
        }
    }
    assert!(!folder.path().join("data").exists());
}

/// U+009B in a request's path reached the operator's terminal, where it begins a command as `ESC [` does.
#[test]
fn nothing_that_a_stranger_sends_steers_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(&folder.path().join("data"));
    command.stderr(Stdio::piped());
    let mut server = Server::of(command);
    let log = Lines::of(server.child.stderr.take().unwrap(), "the log");
    for path in ["/api/a\u{9b}2J", "/api/a\u{202e}b", "/a\u{2066}b\u{85}", "/%C2%9B%E2%80%AE"] {
        server.raw(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: \u{9b}x\r\nconnection: close\r\n\r\n").as_bytes());
    }
    server.raw(b"GET /last HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    eventually("the last request is logged", || {
        let line = log.next().expect("the log goes on");
        assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
        line.contains("/last").then_some(())
    });
}
