//! Moving a deployment: import from a file and from another server, export, and what a stop in the middle leaves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod killed;
#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use falconer_client::{Client, Credentials};
use serde_json::{Value, json};
use support::patience::{end_of, output_of_child};
use support::user::{Done, Shell, eventually};
use support::{Init, Server, falconer, init};

const TOKEN: &str = "a-token-that-was-in-use-elsewhere_1234567890";

struct World {
    server: Server,
    root: Init,
    folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let root = init(&folder.path().join("data"));
    World { server: Server::start(&folder.path().join("data")), root, folder }
}

impl World {
    fn as_root(&self) -> Shell {
        Shell::with(&self.server.root_url, &Credentials::new(&self.root.client_id, &self.root.access_token))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, lines: &[Value]) -> PathBuf {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.write_text(name, &text)
    }

    fn write_text(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn import(&self, file: &Path, more: &[&str]) -> Done {
        self.as_root().run(&[&["import", text(file)], more].concat())
    }

    /// `import` in the background, with what it prints on stdout.
    fn start_import(&self, file: &Path, more: &[&str]) -> Child {
        falconer()
            .args(["import", text(file), "--root-url", &self.server.root_url])
            .args(more)
            .env("TASKCLUSTER_CLIENT_ID", &self.root.client_id)
            .env("TASKCLUSTER_ACCESS_TOKEN", &self.root.access_token)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn export(&self) -> String {
        self.as_root().run(&["export"]).ok()
    }

    /// The server is started again on the same data.
    fn restart(self, end: impl FnOnce(Server)) -> World {
        let World { server, root, folder } = self;
        end(server);
        World { server: Server::start(&folder.path().join("data")), root, folder }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn role(id: &str, scopes: &[&str]) -> Value {
    json!({ "kind": "role", "roleId": id, "scopes": scopes, "description": format!("about {id}") })
}

fn client(id: &str, scopes: &[&str]) -> Value {
    json!({ "kind": "client", "clientId": id, "scopes": scopes, "expires": "2100-01-01T00:00:00.000Z", "description": format!("about {id}") })
}

fn clients(count: usize) -> Vec<Value> {
    (0..count).map(|n| client(&format!("project/p{}/robot-{n}", n % 10), &["auth:current-scopes", &format!("x:{n}")])).collect()
}

fn with(mut record: Value, more: Value) -> Value {
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record
}

/// `{"clientId":...,"accessToken":...}` lines.
fn tokens(lines: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let word = |key: &str| line[key].as_str().unwrap().to_owned();
        assert_eq!(found.insert(word("clientId"), word("accessToken")), None, "a token was told twice");
    }
    found
}

fn counts(done: &Done, kind: &str) -> (u64, u64, u64) {
    let summary: Value = serde_json::from_str(done.out.lines().last().unwrap_or_else(|| panic!("{done:?}"))).unwrap();
    let count = |what: &str| summary[kind][what].as_u64().unwrap();
    (count("created"), count("updated"), count("unchanged"))
}

async fn works(world: &World, client_id: &str, token: &str) -> bool {
    let client = Client::new(&world.server.root_url).unwrap().with_credentials(Credentials::new(client_id, token));
    client.current_scopes().await.is_ok()
}

#[tokio::test]
async fn a_file_becomes_roles_and_clients_and_comes_out_again() {
    let world = world();
    let file = world.write(
        "in.jsonl",
        &[
            // Clients may come before roles, and roles before those that they need.
            client("project/new", &["assume:team:red", "auth:current-scopes"]),
            role("team:red", &["assume:base", "notes:*"]),
            role("base", &["x:1"]),
            role("team-*", &["z:<..>", "a:<..>"]),
            with(client("project/moved", &["b", "auth:current-scopes", "a"]), json!({ "accessToken": TOKEN, "deleteOnExpiration": true })),
            with(client("project/off", &[]), json!({ "disabled": true })),
        ],
    );
    let before = world.export();
    let planned = world.import(&file, &["--dry-run", "--json"]);
    assert_eq!((counts(&planned, "roles"), counts(&planned, "clients")), ((3, 0, 0), (3, 0, 0)));
    assert_eq!(planned.out.lines().count(), 1, "{planned:?}");
    // A dry run counted, and did not say which records it was about.
    let changes = |done: &Done| serde_json::from_str::<Value>(&done.out).unwrap()["changes"].clone();
    assert_eq!(changes(&planned)[0], json!({ "kind": "role", "id": "team:red", "outcome": "created" }));
    assert!(world.import(&file, &["--dry-run"]).out.contains("client project/off would be created\n"));
    assert_eq!(world.export(), before, "a dry run changes nothing");

    let done = world.import(&file, &[]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("roles: 3 created, 0 updated, 0 unchanged"), "{done:?}");
    let new_tokens = tokens(&done.out);
    assert_eq!(new_tokens.keys().collect::<Vec<_>>(), ["project/new", "project/off"]);
    assert!(works(&world, "project/new", &new_tokens["project/new"]).await);
    assert!(works(&world, "project/moved", TOKEN).await, "the token is kept");
    assert!(!works(&world, "project/off", &new_tokens["project/off"]).await);

    let repeated = world.import(&file, &["--json"]);
    assert_eq!((counts(&repeated, "roles"), counts(&repeated, "clients")), ((0, 0, 3), (0, 0, 3)));

    let exported = world.export();
    assert!(!exported.contains("accessToken") && !exported.contains("static/"), "{exported}");
    let to_file = world.path("out.jsonl");
    let done = world.as_root().run(&["export", "--output", text(&to_file)]);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{done:?}");
    assert_eq!(std::fs::read_to_string(&to_file).unwrap(), exported);

    // Another server becomes equal, its own first roles included.
    let other = self::world();
    let done = other.import(&to_file, &["--tokens", text(&other.path("tokens.jsonl")), "--json"]);
    assert_eq!(counts(&done, "clients"), (3, 0, 0), "{done:?}");
    assert_eq!(other.export(), exported);
    assert_eq!(counts(&world.import(&to_file, &["--json"]), "clients"), (0, 0, 3), "an export is no change where it comes from");
    assert_eq!(counts(&world.import(&to_file, &["--json"]), "roles"), (0, 0, 5));

    // Tokens that are told once more were counted as those of new clients.
    let summary = |done: Done| serde_json::from_str::<Value>(done.out.lines().last().unwrap()).unwrap();
    let report = summary(world.import(&file, &["--tokens", text(&world.path("again.jsonl")), "--json"]));
    assert_eq!((&report["newTokens"], &report["repeatedTokens"]), (&json!(0), &json!(1)), "one of both was changed after it was made");

    let changed = world.write("changed.jsonl", &[client("project/new", &["y"]), client("project/moved", &["c"])]);
    assert_eq!(counts(&world.import(&changed, &["--json"]), "clients"), (0, 2, 0));
    assert!(!works(&world, "project/moved", TOKEN).await, "it keeps its token, and lost the scope");
    let moved = world.as_root().run(&["client", "show", "project/moved", "--json"]).json();
    assert_eq!((&moved["scopes"], &moved["deleteOnExpiration"]), (&json!(["c"]), &json!(false)));
}

#[test]
fn what_is_wrong_is_told_by_line_before_anything_is_written() {
    let world = world();
    let good = client("project/good", &["a"]).to_string();
    let (x, y) = (role("x", &["assume:y"]).to_string(), role("y", &["assume:x"]).to_string());
    let before = world.export();
    for (lines, words) in [
        (vec![r#"{"kind":"role","roleId":"r","roleId":"s","scopes":[],"description":""}"#], "line 2 of"),
        (vec![r#"{"kind":"role","roleId":"r","roleId":"s","scopes":[],"description":""}"#], "duplicate field `roleId`"),
        (vec![r#"{"kind":"role","kind":"role","roleId":"r","scopes":[],"description":""}"#], "duplicate field `kind`"),
        (vec![r#"{"kind":"hook","hookId":"r"}"#], "unknown variant `hook`"),
        (vec![r#"{"kind":"role","roleId":"r","scopes":[],"description":"","colour":"red"}"#], "unknown field `colour`"),
        (vec!["", "  ", "nonsense"], "line 4 of"),
        (vec![r#"{"kind":"role","roleId":"r","scopes":[],"description":""#], "EOF"),
        (vec![r#"{"kind":"client","clientId":"c","scopes":[],"expires":"tomorrow","description":""}"#], "expires"),
        (vec![r#"{"kind":"client","clientId":"c d","scopes":[],"expires":"2100-01-01T00:00:00Z","description":""}"#], "a clientId is"),
        (vec![r#"{"kind":"client","clientId":"static/c","scopes":[],"expires":"2100-01-01T00:00:00Z","description":""}"#], "static/"),
        (vec![r#"{"kind":"role","roleId":"r","scopes":["a**"],"description":""}"#], "ends with `**`"),
        // A role of this name came in and could not be deleted again.
        (vec![r#"{"kind":"role","roleId":"..","scopes":[],"description":""}"#], "no address can name it"),
        (
            vec![r#"{"kind":"client","clientId":".","scopes":[],"expires":"2100-01-01T00:00:00Z","description":""}"#],
            "no address can name it",
        ),
        (vec![r#"{"kind":"role","roleId":"r","scopes":["assume:grant:x"],"description":""}"#], "reserved"),
        (vec![r#"{"kind":"role","roleId":"r","scopes":["a","a"],"description":""}"#], "there twice"),
        (vec![r#"{"kind":"role","roleId":"r","scopes":["\u00e9"],"description":""}"#], "is no scope"),
        (vec![&good], "is in line 1 already"),
        (vec![&x, &y], "dependency cycles, found: 'assume:x' -> 'assume:y' -> 'assume:x'"),
    ] {
        let file = world.write_text("bad.jsonl", &format!("{good}\n{}\n", lines.join("\n")));
        world.import(&file, &[]).refused(1, words);
    }
    let secret = with(client("c", &[]), json!({ "accessToken": "too-short-secret" }));
    let file = world.write("secret.jsonl", &[secret]);
    let done = world.import(&file, &[]);
    done.refused(1, "line 1 of");
    assert!(!done.err.contains("too-short-secret"), "{done:?}");
    world.import(&world.write_text("empty.jsonl", "\n"), &[]).refused(1, "holds no record");
    world.import(&world.path("nowhere.jsonl"), &[]).refused(1, "nowhere.jsonl");
    // All complaints at once, up to a number.
    let many: String = (0..30).map(|_| "{}\n").collect();
    let done = world.import(&world.write_text("many.jsonl", &many), &[]);
    done.refused(1, "and 10 more");
    assert!(done.err.contains("line 20 of") && !done.err.contains("line 21 of"), "{done:?}");

    // What only the server knows: nothing of the batches before is written either.
    let file = world.write("later.jsonl", &[client("project/a", &["a"]), client("project/b", &["a"]), client("other/c", &["secret:1"])]);
    let shell = world.as_root();
    let created = shell.run(&["client", "create", "mover", "--scope", "auth:create-client:*", "--scope", "a", "--json"]).json();
    let mover = Shell::with(&world.server.root_url, &Credentials::new("mover", created["accessToken"].as_str().unwrap()));
    let done = mover.run(&["import", text(&file), "--batch-size", "1"]);
    done.refused(1, "line 3 of");
    assert!(done.err.contains("secret:1") && done.err.contains("nothing was written"), "{done:?}");
    shell.run(&["client", "delete", "mover"]).ok();
    assert_eq!(world.export(), before);
    for wrong in
        [&["import"][..], &["import", text(&file), "--from-root-url", "http://localhost:1"], &["import", text(&file), "--batch-size", "0"]]
    {
        shell.run(wrong).refused(2, "--help");
    }
}

/// Editors on Windows put a byte order mark before a text; the first line was "no JSON".
#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let world = world();
    let file = world.write_text("marked.jsonl", &format!("\u{feff}{}\r\n", role("marked", &["a"])));
    assert_eq!(counts(&world.import(&file, &["--json"]), "roles"), (1, 0, 0));
    let file = world.path("wide.jsonl");
    std::fs::write(&file, b"\xFF\xFE{\0}\0").unwrap();
    world.import(&file, &[]).refused(1, "save it as UTF-8");
}

#[test]
fn standard_input_is_read_too() {
    let world = world();
    let mut child = world.start_import(Path::new("-"), &["--json"]);
    // The test's own stdin is not a terminal: `-` with nothing in it is an empty file.
    assert!(!end_of(&mut child, "an import of nothing").success());
    let mut child = falconer()
        .args(["import", "-", "--json", "--root-url", &world.server.root_url])
        .env("TASKCLUSTER_CLIENT_ID", &world.root.client_id)
        .env("TASKCLUSTER_ACCESS_TOKEN", &world.root.access_token)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{}\r\n\r\n{}", role("r", &["a"]), role("s", &["a"])).as_bytes()).unwrap();
    let done: Done = output_of_child(child, "an import").into();
    assert_eq!(counts(&done, "roles"), (2, 0, 0), "{done:?}");
}

#[tokio::test]
async fn a_running_deployment_is_taken_over() {
    let (old, new) = (world(), world());
    let file = old.write(
        "in.jsonl",
        &[
            role("team:red", &["assume:base"]),
            role("base", &["x:1"]),
            with(client("project/robot", &["assume:team:red", "auth:current-scopes"]), json!({ "accessToken": TOKEN })),
            with(client("project/off", &["a"]), json!({ "disabled": true, "deleteOnExpiration": true })),
        ],
    );
    old.import(&file, &[]).json_lines();
    let old_token = old.root.access_token.as_str();
    let shell = new.as_root();
    let from = ["import", "--from-root-url", &old.server.root_url];
    let without = shell.run(&from);
    without.refused(1, "can't list the roles");
    assert!(without.err.contains("FALCONER_FROM_CLIENT_ID") && !without.err.contains("signin"), "{without:?}");
    shell.run(&[&from[..], &["--from-client-id", "x"]].concat()).refused(2, "--from-access-token");
    let file = new.path("tokens.jsonl");
    let arguments =
        [&from[..], &["--from-client-id", &old.root.client_id, "--from-access-token", old_token, "--tokens", text(&file), "--json"]]
            .concat();
    let done = shell.run(&arguments);
    assert_eq!((counts(&done, "clients"), done.code), ((2, 0, 0), 0), "{done:?}");
    assert!(done.err.contains("left out") && done.err.contains("static/falconer/root"), "{done:?}");
    assert_eq!(new.export(), old.export());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let new_tokens = tokens(&std::fs::read_to_string(&file).unwrap());
    assert_eq!(new_tokens.len(), 2);
    assert!(works(&new, "project/robot", &new_tokens["project/robot"]).await);
    assert!(!works(&new, "project/robot", TOKEN).await, "secrets can't be read");
    let repeated = shell.run(&arguments);
    assert_eq!(counts(&repeated, "clients"), (0, 0, 2));
    assert_eq!(tokens(&std::fs::read_to_string(&file).unwrap()), new_tokens, "each token is told once");

    let foreign = new.write_text("foreign.jsonl", "something else\n");
    let mut other = arguments.clone();
    other[8] = text(&foreign);
    #[cfg(unix)]
    {
        shell.run(&other).refused(1, "can be read by others");
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&foreign, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    shell.run(&other).refused(1, "is not of an earlier import");
    assert_eq!(std::fs::read_to_string(&foreign).unwrap(), "something else\n");
}

trait Lines {
    fn json_lines(&self);
}

impl Lines for Done {
    /// It succeeded, and each line of its output is JSON.
    fn json_lines(&self) {
        assert_eq!(self.code, 0, "{self:?}");
        self.out.lines().for_each(|line| assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}"));
    }
}
