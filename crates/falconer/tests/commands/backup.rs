//! `falconer backup`, `restore` and `restored`, on the real binary: one moment beside a server that writes, nothing half at any kill, another history afterwards.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::patience::output_of;
use crate::support::place::Place;
use crate::support::user::{Done, local};
use crate::support::{Init, Server, init};
use falconer_wire::ClientRequest;

fn some_client(description: &str) -> ClientRequest {
    ClientRequest {
        expires: "2100-01-01T00:00:00.000Z".to_owned(),
        description: description.to_owned(),
        scopes: Some(vec!["notes:read:*".to_owned()]),
        delete_on_expiration: false,
    }
}

/// A data directory with a few records, and a folder for backups.
struct World {
    folder: tempfile::TempDir,
    root: Init,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let root = init(&folder.path().join("data"));
        World { folder, root }
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn backup(&self, name: &str) -> Done {
        local(&self.data(), &["backup", text(&self.path(name)), "--json"])
    }

    fn restore(&self, name: &str, data: &Path, more: &[&str]) -> Done {
        local(data, &[&["restore", text(&self.path(name)), "--json"], more].concat())
    }

    /// What lies in the data directory, but for the copies that a restore keeps.
    fn files(&self) -> BTreeSet<String> {
        let names = std::fs::read_dir(self.data()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.contains(".before-")).collect()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn clients(data: &Path, root: &Init) -> BTreeSet<String> {
    let server = Server::start(data);
    let found = server.client(root).list_all_clients(Some("made/")).await.unwrap().into_iter().map(|client| client.client_id).collect();
    assert_eq!(server.end(), Some(0));
    found
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Each backup beside writers holds what was acknowledged before it began, and a prefix of what each of them wrote.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_writers_is_of_one_moment() {
    let world = World::new();
    let server = Server::start(&world.data());
    let over = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for writer in 0..3 {
        let (client, over) = (server.client(&world.root), over.clone());
        writers.push(tokio::spawn(async move {
            let mut written = 0;
            while !over.load(Ordering::SeqCst) {
                client.create_client(&format!("made/{writer}/{written:05}"), &some_client(&"x".repeat(2000))).await.unwrap();
                written += 1;
            }
            written
        }));
    }
    for number in 0..3 {
        let before = server.client(&world.root).list_all_clients(Some("made/")).await.unwrap().len();
        let name = format!("backup-{number}");
        let done = world.backup(&name).json();
        assert_eq!((done["unopened"].as_u64(), mode(&world.path(&name))), (Some(0), 0o600));
        let elsewhere = world.path(&format!("elsewhere-{number}"));
        let keys = world.data().join("falconer.keys");
        assert_eq!(world.restore(&name, &elsewhere, &["--keys", text(&keys)]).json()["revision"], done["revision"]);
        assert_eq!(
            (mode(&elsewhere), mode(&elsewhere.join("falconer.sqlite")), mode(&elsewhere.join("falconer.keys"))),
            (0o700, 0o600, 0o600)
        );
        let found = clients(&elsewhere, &world.root).await;
        assert!(found.len() >= before, "{} of {before} that were acknowledged before", found.len());
        for writer in 0..3 {
            let of_writer: Vec<_> = found.iter().filter(|id| id.starts_with(&format!("made/{writer}/"))).collect();
            let prefix: Vec<_> = (0..of_writer.len()).map(|number| format!("made/{writer}/{number:05}")).collect();
            assert!(of_writer.into_iter().eq(&prefix), "a client is there, and not the one that was made before it");
        }
    }
    over.store(true, Ordering::SeqCst);
    for writer in writers {
        assert!(writer.await.unwrap() > 0);
    }
    let left: BTreeSet<_> =
        std::fs::read_dir(world.folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.contains("part")), "{left:?}");
    assert_eq!(server.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_begins_another_history_and_takes_back_what_came_later() {
    let world = World::new();
    let server = Server::start(&world.data());
    let client = server.client(&world.root);
    client.create_client("made/before", &some_client("")).await.unwrap();
    let before = client.create_client("made/revision", &some_client("")).await.unwrap();
    let backup = world.backup("backup").json();
    client.create_client("made/after", &some_client("")).await.unwrap();
    drop(before);

    world.backup("backup").refused(1, "overwrites nothing");
    world.restore("backup", &world.data(), &[]).refused(1, "--replace");
    world.restore("backup", &world.data(), &["--replace"]).refused(1, "another server runs on this data directory");
    assert_eq!(server.end(), Some(0));

    let restored = world.restore("backup", &world.data(), &["--replace"]).json();
    assert_eq!(restored["revision"], backup["revision"]);
    assert_ne!(restored["epoch"], backup["epoch"]);
    let kept = PathBuf::from(restored["kept"].as_str().unwrap());
    assert_eq!(mode(&kept), 0o600);
    let noted = std::fs::read_to_string(world.data().join("falconer.history")).unwrap();
    assert_eq!(noted.lines().next().unwrap(), format!("{}-{}", restored["epoch"].as_str().unwrap(), restored["revision"]));

    let server = Server::start(&world.data());
    let found = server.client(&world.root).list_all_clients(Some("made/")).await.unwrap();
    assert_eq!(found.iter().map(|client| client.client_id.as_str()).collect::<Vec<_>>(), ["made/before", "made/revision"]);
    // A revision of the lost time, and one of the epoch of before: neither means anything here, although there are as many revisions again.
    server.client(&world.root).create_client("made/another", &some_client("")).await.unwrap();
    let lost = backup["revision"].as_i64().unwrap() + 1;
    let (old, new) = (backup["epoch"].as_str().unwrap(), restored["epoch"].as_str().unwrap());
    for (at_least, status) in
        [(format!("{old}-1"), 503), (lost.to_string(), 503), (format!("{new}-{lost}"), 200), (backup["revision"].to_string(), 200)]
    {
        let head = "Host: localhost\r\nConnection: close\r\n";
        let (found, answer) =
            server.raw(format!("GET /api/auth/v1/ping HTTP/1.1\r\n{head}Falconer-At-Least: {at_least}\r\n\r\n").as_bytes());
        assert_eq!(found, status, "{at_least}: {answer}");
    }
    assert_eq!(server.end(), Some(0));
    let after = std::fs::read_to_string(world.data().join("falconer.history")).unwrap();
    assert!(after.starts_with(restored["epoch"].as_str().unwrap()), "the start began no other one: {after}");

    // Taken back: what was kept is a database like any.
    std::fs::rename(&kept, world.path("kept")).unwrap();
    assert_eq!(world.restore("kept", &world.data(), &["--replace"]).code, 0);
    assert_eq!(clients(&world.data(), &world.root).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_changes_nothing() {
    let world = World::new();
    world.backup("backup").json();
    let files = world.files();
    let database = std::fs::read(world.data().join("falconer.sqlite")).unwrap();
    // Both said only that there is no such file.
    let missing = world.restore("missing", &world.data(), &["--replace"]);
    missing.refused(1, &format!("the backup {} is missing: give the path of a file", text(&world.path("missing"))));
    let (other, keys) = (world.path("other"), world.path("missing.keys"));
    world.restore("backup", &other, &["--keys", text(&keys)]).refused(1, &format!("the key file {} is missing: --keys names", text(&keys)));
    assert!(!other.exists());
    std::fs::write(world.path("text"), "no database").unwrap();
    std::fs::write(world.path("empty"), "").unwrap();
    rusqlite::Connection::open(world.path("foreign")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let whole = std::fs::read(world.path("backup")).unwrap();
    std::fs::write(world.path("cut"), &whole[..whole.len() / 2]).unwrap();
    let mut torn = whole.clone();
    torn[4096 * 3 + 8..4096 * 9].fill(0xa5);
    std::fs::write(world.path("torn"), &torn).unwrap();
    std::fs::write(world.path("newer"), &whole).unwrap();
    let newer = rusqlite::Connection::open(world.path("newer")).unwrap();
    newer.execute("INSERT INTO migrations (version, name, checksum) VALUES (9999, '9999_later', 'x')", []).unwrap();
    drop(newer);
    for (name, sql) in [
        ("trigger", "CREATE TRIGGER follow AFTER UPDATE ON meta BEGIN UPDATE roles SET scopes = '[\"*\"]'; END"),
        ("view", "CREATE VIEW seen AS SELECT * FROM clients"),
        ("virtual", "CREATE VIRTUAL TABLE found USING fts5 (text)"),
    ] {
        std::fs::write(world.path(name), &whole).unwrap();
        rusqlite::Connection::open(world.path(name)).unwrap().execute_batch(&format!("PRAGMA journal_mode = delete; {sql}")).unwrap();
    }
    let fifo = Command::new("mkfifo").arg(world.path("fifo")).status().unwrap();
    assert!(fifo.success());
    std::fs::write(world.path("open"), &whole).unwrap();
    std::fs::write(world.path("open-wal"), "x").unwrap();
    for (name, words) in [
        ("text", "is no backup of Falconer"),
        ("empty", "is no backup of Falconer"),
        ("foreign", "is no backup of Falconer"),
        ("missing", "is missing: give the path of a file"),
        ("cut", "nothing was replaced"),
        ("torn", "nothing was replaced"),
        ("newer", "run the newer version"),
        ("trigger", "holds the trigger follow"),
        ("view", "holds the view seen"),
        ("virtual", "holds the virtual table found"),
        ("fifo", "is no file"),
        ("open", "a database in use"),
    ] {
        world.restore(name, &world.data(), &["--replace"]).refused(1, words);
        assert_eq!(world.files(), files, "{name}");
        assert!(std::fs::read(world.data().join("falconer.sqlite")).unwrap() == database, "{name}");
        // Nor is an empty place begun.
        let elsewhere = world.path("elsewhere");
        world.restore(name, &elsewhere, &["--keys", text(&world.data().join("falconer.keys"))]).refused(1, words);
        assert!(!elsewhere.exists(), "{name}");
    }
    // Keys that are missing, and keys of another installation.
    let elsewhere = world.path("elsewhere");
    world.restore("backup", &elsewhere, &[]).refused(1, "name it with --keys");
    let other = World::new();
    world.restore("backup", &elsewhere, &["--keys", text(&other.data().join("falconer.keys"))]).refused(1, "give the key file of its time");
    assert!(!elsewhere.exists());
    world.restore("backup", &other.data(), &["--replace"]).refused(1, "nothing was replaced");
    clients(&other.data(), &other.root).await;
    world
        .restore("backup", &other.data(), &["--replace", "--keys", text(&world.data().join("falconer.keys"))])
        .refused(1, "move it away first");
    // One value of many that does not open: it is said, and taken where that is wanted.
    let damaged = rusqlite::Connection::open(world.path("backup")).unwrap();
    damaged.execute("UPDATE issuers SET token = zeroblob(60)", []).unwrap();
    drop(damaged);
    world.restore("backup", &world.data(), &["--replace"]).refused(1, "--damaged");
    assert_eq!(world.restore("backup", &world.data(), &["--replace", "--damaged"]).code, 0);
}

/// Whoever may write to the folder put a link there by the name that an unfinished backup has: what it led to was emptied and became the copy.
#[test]
fn a_backup_writes_over_nothing_but_what_a_backup_has_left() {
    let world = World::new();
    let victim = world.path("victim");
    std::fs::write(&victim, "of worth").unwrap();
    std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::os::unix::fs::symlink(&victim, world.path("linked.part")).unwrap();
    std::os::unix::fs::symlink(world.path("made"), world.path("dangling.part")).unwrap();
    std::fs::hard_link(&victim, world.path("hard.part")).unwrap();
    assert!(Command::new("mkfifo").arg(world.path("fifo.part")).status().unwrap().success());
    for name in ["linked", "dangling", "hard", "fifo"] {
        world.backup(name).refused(1, "remove it, or give another name");
        assert!(!world.path(name).exists() && std::fs::symlink_metadata(world.path(&format!("{name}.part"))).is_ok(), "{name}");
    }
    assert_eq!((std::fs::read_to_string(&victim).unwrap().as_str(), mode(&victim)), ("of worth", 0o644));
    assert!(!world.path("made").exists());
    std::fs::write(world.path("left.part"), "of a killed one").unwrap();
    assert_eq!(world.backup("left").code, 0);
}

/// A database that is damaged, or whose file is lost while its log is there, is what a backup is for.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_replaced() {
    for broken in ["garbage", "lost"] {
        let world = World::new();
        world.backup("backup").json();
        let database = world.data().join("falconer.sqlite");
        match broken {
            "garbage" => std::fs::write(&database, "x".repeat(100_000)).unwrap(),
            _ => {
                std::fs::remove_file(&database).unwrap();
                std::fs::write(world.data().join("falconer.sqlite-wal"), "x".repeat(100_000)).unwrap();
            }
        }
        let more: &[&str] = if broken == "lost" { &[] } else { &["--replace"] };
        assert_eq!(world.restore("backup", &world.data(), more).code, 0, "{broken}");
        clients(&world.data(), &world.root).await;
    }
}

/// Killed at twenty points of its way, each time the old database is there and whole, or the new one; and the next one goes through.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backup_or_restore_leaves_nothing_half() {
    let world = World::new();
    let server = Server::start(&world.data());
    let client = server.client(&world.root);
    for number in 0..60 {
        client.create_client(&format!("made/{number}"), &some_client(&"x".repeat(10_000))).await.unwrap();
    }
    let begin = Instant::now();
    world.backup("backup").json();
    let took = begin.elapsed();
    client.create_client("made/later", &some_client("")).await.unwrap();
    for point in 0..20 {
        killed_after(took * point / 20, &["backup", text(&world.path("killed")), "--data-dir", text(&world.data())]);
        if world.path("killed").exists() {
            let done = world.restore("killed", &world.path(&format!("of-{point}")), &["--keys", text(&world.data().join("falconer.keys"))]);
            assert_eq!(done.code, 0, "what has its name is whole: {done:?}");
            std::fs::remove_file(world.path("killed")).unwrap();
        }
    }
    assert_eq!(world.backup("killed").code, 0);
    assert!(!world.path("killed.part").exists());
    assert_eq!(server.end(), Some(0));

    let begin = Instant::now();
    assert_eq!(world.restore("backup", &world.path("timed"), &["--keys", text(&world.data().join("falconer.keys"))]).code, 0);
    let took = begin.elapsed();
    let mut expected = BTreeSet::from([60, 61]);
    for point in 0..20 {
        killed_after(took * point / 20, &["restore", text(&world.path("backup")), "--replace", "--data-dir", text(&world.data())]);
        let connection = rusqlite::Connection::open(world.data().join("falconer.sqlite")).unwrap();
        let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        let found: i64 = connection.query_row("SELECT count(*) FROM clients WHERE client_id LIKE 'made/%'", [], |row| row.get(0)).unwrap();
        assert!(whole == "ok" && expected.contains(&found), "{whole}: {found}");
        if found == 60 {
            expected.remove(&61);
        }
    }
    assert_eq!(world.restore("backup", &world.data(), &["--replace"]).code, 0);
    assert!(!world.data().join("falconer.sqlite.restoring").exists());
    assert_eq!(clients(&world.data(), &world.root).await.len(), 60);
}

/// Runs a command that is killed if it has not ended by then. Whatever the moment meets, what is asserted afterwards has to hold.
fn killed_after(time: Duration, words: &[&str]) {
    let mut timeout = Command::new("timeout");
    timeout.args(["-s", "KILL", &format!("{:.4}", time.as_secs_f64().max(0.0005)), env!("CARGO_BIN_EXE_falconer")]).args(words);
    let _ = output_of(timeout.stdin(Stdio::null()));
}

/// What was restored by other means is told with `restored`, also beside a running server, on each store.
#[tokio::test(flavor = "multi_thread")]
async fn restored_begins_another_history() {
    for place in Place::each().await {
        let root = place.init(&[]);
        let server = place.start();
        let client = server.client(&root);
        client.create_client("made/one", &some_client("")).await.unwrap();
        let done = place.run(&["restored", "--json"]).json();
        assert_ne!(done["before"], done["epoch"], "{}", place.store());
        let epoch = done["epoch"].as_str().unwrap().to_owned();
        let noted = || std::fs::read_to_string(place.data().join("falconer.history")).unwrap();
        let ask = format!("GET /api/auth/v1/ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nFalconer-At-Least: {epoch}-0\r\n\r\n");
        crate::support::user::eventually("the server goes on in the new history", || (server.raw(ask.as_bytes()).0 == 200).then_some(()));
        client.create_client("made/two", &some_client("")).await.unwrap();
        assert_eq!(server.end(), Some(0));
        assert!(noted().starts_with(&epoch));
        if place.database.is_some() {
            place.run(&["backup", "file"]).refused(1, "pg_dump");
            place.run(&["restore", "file"]).refused(1, "falconer restored");
        }
    }
}
