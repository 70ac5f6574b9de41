//! The command line, as somebody at a terminal uses it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop")]

mod support;

use std::process::{Command, Output};

use support::{Init, Server, falconer, init, run};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A command with the environment that the published clients know.
fn user(server: &Server, who: &Init) -> Command {
    let mut command = falconer();
    command
        .env("TASKCLUSTER_ROOT_URL", &server.root_url)
        .env("TASKCLUSTER_CLIENT_ID", &who.client_id)
        .env("TASKCLUSTER_ACCESS_TOKEN", &who.access_token);
    command
}

fn ok(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn wrong_use_is_2_and_failure_is_1_and_both_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_eq!(run(&["no-such-command"]).status.code(), Some(2));
    let missing = falconer().args(["account", "list", "--data-dir"]).arg(&data).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(said(&missing).contains("falconer init"), "{}", said(&missing));
    let made = init(&data);
    assert!(made.client_id == "static/falconer/root" && made.access_token.len() == 44 && made.setup_url.contains("/setup?token="));
    let again = falconer().args(["init", "--data-dir"]).arg(&data).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(said(&again).contains("root-reset"), "{}", said(&again));
    let nowhere = falconer().args(["current-scopes"]).output().unwrap();
    assert!(!nowhere.status.success() && said(&nowhere).contains("TASKCLUSTER_ROOT_URL"), "{}", said(&nowhere));
    let open = falconer().args(["serve", "--listen", "0.0.0.0:0", "--data-dir"]).arg(&data).output().unwrap();
    assert!(!open.status.success() && said(&open).contains("root_url"), "{}", said(&open));
    let plain = falconer()
        .args(["serve", "--listen", "127.0.0.1:0", "--root-url", "http://auth.example.com", "--data-dir"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(!plain.status.success() && said(&plain).contains("https"), "{}", said(&plain));
    let demo = falconer().args(["serve", "--demo", "--data-dir"]).arg(&data).output().unwrap();
    assert!(!demo.status.success() && said(&demo).contains("not a demo"), "{}", said(&demo));
    let demo =
        falconer().args(["serve", "--demo", "--listen", "0.0.0.0:0", "--data-dir"]).arg(folder.path().join("demo")).output().unwrap();
    assert!(!demo.status.success() && said(&demo).contains("loopback"), "{}", said(&demo));
    std::fs::remove_file(data.join("falconer.keys")).unwrap();
    let keyless = falconer().args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data).output().unwrap();
    assert!(!keyless.status.success() && said(&keyless).contains("falconer.keys"), "{}", said(&keyless));
}

#[test]
fn the_configuration_is_checked_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("falconer.toml");
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        falconer().args(["config", "check", "--config"]).arg(&file).output().unwrap()
    };
    assert!(check("root_url = 'https://auth.example.com'\n[grant]\nmax_ttl = '3 days'\n").status.success());
    let bad = check("listen = '127.0.0.1:1'\nlissten = 1\n");
    assert!(!bad.status.success() && said(&bad).contains("line 2"), "{}", said(&bad));
    assert!(!check("root_url = 'http://auth.example.com'").status.success());
    assert!(!check("[grant]\nmax_ttl = 'soon'\n").status.success());
}

#[test]
fn a_first_serve_makes_what_is_missing_and_prints_no_secret() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::start(&data);
    let printed = server.printed.join("\n");
    let file = data.join("root-credentials.json");
    let root: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let token = root.get("accessToken").and_then(|t| t.as_str()).unwrap();
    assert!(printed.contains("root-credentials.json") && printed.contains("/setup?token=") && !printed.contains(token), "{printed}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let second = falconer().args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data).output().unwrap();
    assert!(!second.status.success() && said(&second).contains("in use by another process"), "{}", said(&second));
    let terminated = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(terminated.success());
    assert_eq!(server.child.wait().unwrap().code(), Some(0), "SIGTERM ends gracefully");
}

#[test]
fn clients_roles_and_signed_requests() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let root = init(&data);
    let server = Server::start(&data);
    ok(user(&server, &root).args(["role", "create", "team:*", "--scope", "notes:read:<..>", "--description", "d"]));
    assert_eq!(ok(user(&server, &root).args(["expand", "assume:team:red"])), "assume:team:red\nnotes:read:red\n");
    ok(user(&server, &root).args(["role", "update", "team:*", "--scope", "notes:write:<..>"]));
    assert!(ok(user(&server, &root).args(["role", "show", "team:*"])).contains("\"description\": \"d\""));
    let made = ok(user(&server, &root).args([
        "client",
        "create",
        "cli/one",
        "--scope",
        "auth:current-scopes",
        "--scope",
        "assume:team:red",
        "--json",
    ]));
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let text = |key: &str| made.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let one = Init { client_id: text("clientId"), access_token: text("accessToken"), setup_url: String::new() };
    assert_eq!(
        ok(user(&server, &one).args(["current-scopes"])),
        "assume:anonymous\nassume:team:red\nauth:current-scopes\nnotes:write:red\n"
    );
    assert!(ok(user(&server, &one).args(["curl", "/api/auth/v1/scopes/current"])).contains("notes:write:red"));
    let refused = user(&server, &one).args(["client", "list"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("auth:list-clients"), "{}", said(&refused));
    assert!(ok(user(&server, &root).args(["client", "list", "--prefix", "cli/"])).contains("cli/one"));
    ok(user(&server, &root).args(["client", "disable", "cli/one"]));
    let disabled = user(&server, &one).args(["current-scopes"]).output().unwrap();
    assert!(said(&disabled).contains("is disabled"), "{}", said(&disabled));
    ok(user(&server, &root).args(["client", "delete", "cli/one"]));
    ok(user(&server, &root).args(["role", "delete", "team:*"]));
    assert!(!ok(user(&server, &root).args(["role", "list"])).contains("team:*"));
}

#[test]
fn accounts_are_managed_beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    init(&data);
    let server = Server::start(&data);
    let account = |args: &[&str]| falconer().arg("account").args(args).arg("--data-dir").arg(&data).output().unwrap();
    let made = account(&["create", "ann", "--group", "red", "--scope", "notes:read:*"]);
    assert!(made.status.success() && String::from_utf8_lossy(&made.stdout).trim().len() == 22, "{}", said(&made));
    assert!(said(&account(&["list"])).contains("notes:read:*"));
    let star = account(&["scopes", "ann", "*"]);
    assert!(!star.status.success() && said(&star).contains("assume:"), "{}", said(&star));
    for command in ["disable", "enable", "delete"] {
        assert!(account(&[command, "ann"]).status.success(), "{command}");
    }
    assert!(!account(&["create", "ann"]).status.success(), "a name is never used again");
    drop(server);
}
