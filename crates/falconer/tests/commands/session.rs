//! Sessions: signing in as the command that every server knows, by a code, by a pasted address and by a device's code; what commands do with one; its end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use falconer_client::Credentials;
use serde_json::Value;

use crate::support::browser::{Browser, fields, put};
use crate::support::falconer;
use crate::support::patience::{Lines, output_of, output_of_child, patience};
use crate::support::ports::HeldPort;
use crate::support::user::{Done, Shell, command_with_input, eventually};
use crate::support::world::{World, world, world_with};

const DECISION: &str = "/login/oauth/authorize/decision";
/// What a grant of `notes:read:red` is good for.
const RED: &str = "assume:anonymous\nauth:current-scopes\nnotes:read:red\n";
const PASSWORD: &str = "a few good words";

/// A server with somebody who may do something, and a folder for sessions.
struct Desk {
    world: World,
    sessions: tempfile::TempDir,
}

fn desk_of(world: World) -> Desk {
    let made = ["account", "create", "ann", "--password-stdin", "--scope", "notes:*", "--scope", "auth:current-scopes", "--data-dir"];
    command_with_input(&[&made[..], &[world.data.to_str().unwrap()]].concat(), PASSWORD).ok();
    let sessions = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(sessions.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    Desk { world, sessions }
}

impl Desk {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = falconer();
        command.args(args).env("FALCONER_SESSIONS", self.sessions.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Done {
        output_of(&mut self.command(args)).into()
    }

    fn ann(&self) -> Browser<'_> {
        let mut browser = Browser::new(&self.world.server);
        eventually("ann can sign in", || browser.sign_in("ann", PASSWORD).then_some(()));
        browser
    }

    /// `falconer signin --session NAME` as far as the address of the page.
    fn signing_in(&self, more: &[&str]) -> (Child, Lines, String) {
        let words = [&["signin", "--no-browser", "--timeout", "100000", "--root-url", &self.world.server.root_url], more].concat();
        let mut child = self.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Lines::of(child.stderr.take().unwrap(), "signin");
        let address = lines.with("client_id=").trim().to_owned();
        let path = address.strip_prefix(&self.world.server.root_url).unwrap().to_owned();
        (child, lines, path)
    }

    /// Signs in by a code, through the browser of ann.
    fn sign_in(&self, more: &[&str]) {
        let (child, _lines, path) = self.signing_in(more);
        let mut browser = self.ann();
        let page = browser.get(&path);
        let location = browser.press_grant(&page, DECISION, "");
        assert!(arrive(&location).contains("Signed in"));
        let done: Done = output_of_child(child, "signin").into();
        assert_eq!((done.code, done.out.as_str()), (0, ""), "{done:?}");
    }

    fn file(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.sessions.path().join("sessions.json")).unwrap()).unwrap()
    }
}

/// What a browser does at a redirect to this machine.
fn arrive(location: &str) -> String {
    let callback = url::Url::parse(location).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", callback.port().unwrap())).unwrap();
    stream.set_read_timeout(Some(patience())).unwrap();
    write!(stream, "GET {}?{} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", callback.path(), callback.query().unwrap()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_session_is_what_commands_use_until_it_is_signed_out() {
    let desk = desk_of(world());
    desk.run(&["whoami"]).refused(2, "no server");
    desk.run(&["status"]).refused(1, "nobody is signed in");
    desk.run(&["refresh"]).refused(1, "nobody is signed in");
    // It named itself as what prints the address.
    desk.run(&["signin"]).refused(2, "give --root-url https://");
    assert!(desk.run(&["switch"]).err.contains("There are no sessions"));
    desk.sign_in(&["--session", "work"]);

    let who = desk.run(&["whoami"]).ok();
    assert!(who.starts_with("local/ann/127.0.0.1"), "{who}");
    let status = desk.run(&["status", "--json"]).json();
    assert_eq!((status["session"].as_str(), status["check"].as_str()), (Some("work"), Some("accepted")), "{status}");
    assert!(status["scopes"].as_u64().unwrap() >= 2 && status["expires"].is_string(), "{status}");
    assert!(desk.run(&["current-scopes"]).ok().contains("notes:*"));
    assert!(desk.run(&["curl", "/api/auth/v1/scopes/current"]).ok().contains("notes:*"));
    let (service, sent) = crate::curl::service("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    desk.run(&["curl", "--token", &format!("{service}/books")]).ok();
    let head = sent.recv().unwrap();
    assert!(head.contains("authorization: Bearer falconer_") && !head.contains("Hawk"), "{head}");
    assert!(desk.run(&["sign-url", "/api/auth/v1/ping"]).ok().contains("bewit="));
    let listed = desk.run(&["switch", "--json"]).json();
    assert_eq!((listed[0]["session"].as_str(), listed[0]["current"].as_bool()), (Some("work"), Some(true)));

    // The environment wins, and a session that is named wins over it.
    let root = [("TASKCLUSTER_ROOT_URL", &desk.world.server.root_url), ("TASKCLUSTER_CLIENT_ID", &desk.world.root.client_id)];
    let as_root = |args: &[&str]| -> Done {
        let mut command = desk.command(args);
        command.envs(root).env("TASKCLUSTER_ACCESS_TOKEN", &desk.world.root.access_token);
        output_of(&mut command).into()
    };
    assert_eq!(as_root(&["whoami"]).ok().trim(), desk.world.root.client_id);
    assert_eq!(as_root(&["whoami", "--session", "work"]).ok(), who);
    as_root(&["whoami", "--session", "none"]).refused(1, "no session none");
    as_root(&["refresh"]).refused(1, "those of the environment");

    // It ends at the server, and then here.
    let secret = desk.file()["sessions"]["work"].clone();
    let text = |name: &str| secret[name].as_str().unwrap().to_owned();
    let stolen = Credentials::new(text("clientId"), text("accessToken")).with_certificate(text("certificate")).unwrap();
    let stolen = Shell::with(&desk.world.server.root_url, &stolen);
    stolen.run(&["current-scopes"]).ok();
    let out = desk.run(&["logout"]);
    assert!(out.code == 0 && out.out.is_empty() && out.err.contains("has ended"), "{out:?}");
    stolen.run(&["current-scopes"]).refused(1, "has been revoked");
    desk.run(&["whoami"]).refused(2, "no server");
    assert_eq!(desk.file()["sessions"], serde_json::json!({}));
}

#[test]
fn a_program_gets_all_or_less_and_its_end_is_ours() {
    let desk = desk_of(world());
    desk.sign_in(&["--session", "work"]);
    let own = env!("CARGO_BIN_EXE_falconer");
    desk.run(&["exec", "--", "sh", "-c", "test -n \"$TASKCLUSTER_ACCESS_TOKEN$TASKCLUSTER_CERTIFICATE\" && exit 7"]).refused(7, "");
    desk.run(&["exec", "--", "/nonexistent/program"]).refused(1, "can't run /nonexistent/program");
    assert!(desk.run(&["exec", "--", own, "current-scopes"]).ok().contains("notes:*"));

    // A part of the grant, which ends with the program.
    let less = desk.run(&["exec", "--scope", "notes:read:red", "--", own, "current-scopes"]).ok();
    assert_eq!(less, RED);
    let kept = desk.run(&["exec", "--scope", "notes:read:red", "--", "sh", "-c", "env | grep ^TASKCLUSTER_; exit 3"]);
    assert_eq!(kept.code, 3, "{kept:?}");
    let mut after = falconer();
    after.args(["current-scopes"]).envs(kept.out.lines().filter_map(|line| line.split_once('=')));
    Done::from(output_of(&mut after)).refused(1, "revoked");
    desk.run(&["exec", "--scope", "queue:ping", "--", "true"]).refused(1, "can't be made less");

    // Signals reach the program that runs beside us, and its end is said as shells say it.
    let mut child = desk
        .command(&[
            "exec",
            "--scope",
            "notes:read:red",
            "--",
            "sh",
            "-c",
            "trap 'echo passed; exit 9' TERM; echo ready; while :; do sleep 0.05; done",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Lines::of(child.stdout.take().unwrap(), "exec");
    lines.with("ready");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM).unwrap();
    lines.with("passed");
    assert_eq!(output_of_child(child, "exec").status.code(), Some(9));

    // Out of a client that lasts, temporary credentials are made without asking anybody.
    let shell = desk.world.as_root();
    assert_eq!(shell.run(&["exec", "--scope", "notes:read:red", "--scope", "auth:current-scopes", "--", own, "current-scopes"]).ok(), less);
}

#[test]
fn two_refreshes_at_once_use_each_token_once() {
    let desk = desk_of(world());
    desk.sign_in(&["--session", "work"]);
    let before = desk.file();
    let children: Vec<Child> =
        (0..4).map(|_| desk.command(&["refresh"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()).collect();
    for child in children {
        Done::from(output_of_child(child, "refresh")).ok();
    }
    let after = desk.file();
    assert_ne!(before["sessions"]["work"]["refreshToken"], after["sessions"]["work"]["refreshToken"]);
    desk.run(&["whoami"]).ok();

    // A refresh whose answer was lost is not sent once more: that would end the grant.
    let mut lost = after.clone();
    lost["sessions"]["work"]["refreshInDoubt"] = true.into();
    std::fs::write(desk.sessions.path().join("sessions.json"), lost.to_string()).unwrap();
    desk.run(&["refresh"]).refused(1, "its answer was lost");
    desk.run(&["whoami"]).ok();
    // Neither is one that the server was not there for.
    let nobody = HeldPort::new();
    let mut away = after;
    away["sessions"]["work"]["rootUrl"] = format!("http://{}", nobody.address()).into();
    std::fs::write(desk.sessions.path().join("sessions.json"), away.to_string()).unwrap();
    desk.run(&["refresh"]).refused(1, "was not refreshed");
    assert_eq!(desk.file()["sessions"]["work"]["refreshInDoubt"], false, "nothing was sent");
    // Story: a server that could not answer at that moment, and said so, cost the session.
    let answers: [(&str, bool, &str); 5] = [
        ("503 Service Unavailable", false, r#"{"error": "temporarily_unavailable", "error_description": "Try again in a moment."}"#),
        ("429 Too Many Requests", false, r#"{"error": "invalid_request", "error_description": "Wait."}"#),
        ("503 Service Unavailable", true, r#"{"error": "server_error", "error_description": "It may have been done, or not."}"#),
        ("500 Internal Server Error", true, r#"{"error": "server_error", "error_description": "It is in the log."}"#),
        ("502 Bad Gateway", true, "no server behind"),
    ];
    for (status, in_doubt, body) in answers {
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let (service, _sent) = crate::curl::service_that(move |_| answer.clone());
        away["sessions"]["work"]["rootUrl"] = service.into();
        std::fs::write(desk.sessions.path().join("sessions.json"), away.to_string()).unwrap();
        desk.run(&["refresh"]).refused(1, "was not refreshed");
        assert_eq!(desk.file()["sessions"]["work"]["refreshInDoubt"], in_doubt, "{status} {body}");
    }
}

#[test]
fn what_nobody_will_grant_is_said_at_once() {
    let desk = desk_of(world());
    let signin = ["signin", "--session", "x", "--timeout", "100000", "--root-url"];
    let nobody = HeldPort::new();
    desk.run(&[&signin[..], &[&format!("http://{}", nobody.address()), "--no-browser"]].concat()).refused(1, "does the server run there");
    let here = desk.world.server.root_url.as_str();
    desk.run(&[&signin[..], &[here, "--no-browser", "--description", &"x".repeat(3000)]].concat()).refused(1, "more than 2 KiB");

    let (child, lines, path) = desk.signing_in(&["--session", "x"]);
    let mut browser = desk.ann();
    let page = browser.get(&path);
    let mut form = fields(&page.body, DECISION);
    put(&mut form, "cancel", "yes");
    let cancelled = browser.post(DECISION, &form);
    // An answer of somebody else, who does not know the state, is none.
    let foreign = cancelled.location.replace("state=", "state=x");
    assert!(arrive(&foreign).contains("404"));
    assert!(arrive(&cancelled.location).contains("Nothing was granted"));
    lines.with("Cancel was pressed");
    assert_eq!(output_of_child(child, "signin").status.code(), Some(1));
    assert!(!desk.sessions.path().join("sessions.json").exists());
}

/// The browser of a machine that one is logged in from ends at a page of its own machine, where nobody waits.
#[test]
fn an_address_that_is_pasted_is_as_good_as_the_browser() {
    let desk = desk_of(world());
    let words =
        format!("{} signin --no-browser --timeout 100000 --root-url {}", env!("CARGO_BIN_EXE_falconer"), desk.world.server.root_url);
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &words, "/dev/null"]).env("FALCONER_SESSIONS", desk.sessions.path());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut typed = child.stdin.take().unwrap();
    let lines = Lines::of(child.stdout.take().unwrap(), "signin on a terminal");
    let address = lines.with("client_id=").trim().to_owned();
    lines.with("paste that page's whole address here");
    let mut browser = desk.ann();
    let page = browser.get(address.strip_prefix(&desk.world.server.root_url).unwrap());
    let location = browser.press_grant(&page, DECISION, "");
    writeln!(typed, "http://127.0.0.1:1/signed-in?code=x&state=wrong").unwrap();
    lines.with("That is not the address");
    writeln!(typed, "{location}").unwrap();
    lines.with("Signed in as local/ann/");
    assert_eq!(output_of_child(child, "signin").status.code(), Some(0));
    desk.run(&["whoami"]).ok();
}

/// Over SSH, and without a browser, it shows a code by itself.
#[test]
fn a_device_shows_a_code_where_there_is_no_browser() {
    let desk = desk_of(world());
    let here = desk.world.server.root_url.as_str();
    let mut child = desk
        .command(&["signin", "--session", "box", "--root-url", here, "--scope", "notes:read:red"])
        .env("SSH_CONNECTION", "203.0.113.9 1 203.0.113.1 22")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Lines::of(child.stderr.take().unwrap(), "signin by a code");
    let link = lines.with("has the code in it");
    let code = link.rsplit_once("user_code=").unwrap().1.trim().to_owned();
    let mut browser = desk.ann();
    let mut form = fields(&browser.get("/device").body, "/device");
    put(&mut form, "user_code", &code);
    let page = browser.post("/device", &form);
    assert!(page.body.contains("comes with Falconer"), "{page:?}");
    let name = fields(&page.body, "/device/decision").into_iter().find(|(name, _)| name == "grant_name").map(|(_, name)| name);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(name.unwrap(), if host.trim() == "localhost" { "" } else { host.trim() }, "what this machine is called");
    browser.press_grant(&page, "/device/decision", "");
    lines.with("Signed in as local/ann/");
    assert_eq!(output_of_child(child, "signin").status.code(), Some(0));
    assert_eq!(desk.run(&["current-scopes"]).ok(), RED);
}

#[test]
fn a_server_may_refuse_devices_and_the_command_as_a_whole() {
    let desk = desk_of(world_with("[grant]\ncommand_line = 'browser'\n"));
    let here = desk.world.server.root_url.as_str();
    desk.run(&["signin", "--session", "x", "--device", "--root-url", here]).refused(2, "does not let the command line");
    let off = desk_of(world_with("[grant]\nregistered_only = true\n"));
    // Where it is not known it asks as any site does, and here only registered ones may.
    let there = off.world.server.root_url.as_str();
    off.run(&["signin", "--session", "x", "--device", "--root-url", there]).refused(2, "does not let the command line");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_open_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = desk_of(world());
    desk.sign_in(&["--session", "work"]);
    let file = desk.sessions.path().join("sessions.json");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    desk.run(&["whoami"]).refused(1, "chmod 600");
    // Whoever has credentials in the environment needs no session.
    let mut command = desk.command(&["whoami", "--root-url", &desk.world.server.root_url]);
    command.env("TASKCLUSTER_CLIENT_ID", &desk.world.root.client_id).env("TASKCLUSTER_ACCESS_TOKEN", &desk.world.root.access_token);
    Done::from(output_of(&mut command)).ok();
}

#[test]
fn signing_in_once_more_ends_the_session_of_before() {
    let desk = desk_of(world());
    desk.sign_in(&["--session", "work"]);
    let first = desk.file()["sessions"]["work"].clone();
    desk.sign_in(&["--session", "work", "--scope", "notes:read:red"]);
    let text = |name: &str| first[name].as_str().unwrap().to_owned();
    let first = Credentials::new(text("clientId"), text("accessToken")).with_certificate(text("certificate")).unwrap();
    Shell::with(&desk.world.server.root_url, &first).run(&["current-scopes"]).refused(1, "has been revoked");
    assert_eq!(desk.run(&["current-scopes"]).ok(), RED);
    // A second session stands beside it, and one chooses.
    desk.sign_in(&["--session", "other"]);
    assert!(desk.run(&["current-scopes"]).ok().contains("notes:*"));
    desk.run(&["switch", "work"]).ok();
    assert!(!desk.run(&["current-scopes"]).ok().contains("notes:*"));
    desk.run(&["switch", "nowhere"]).refused(1, "no session nowhere");
}
