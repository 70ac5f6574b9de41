//! `falconer migrate` on the real binary: from SQLite into a real PostgreSQL and back, killed on its way, and refused where somebody else could write.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::browser::Browser;
use crate::support::patience::output_of;
use crate::support::place::Place;
use crate::support::user::{Done, command, local};
use crate::support::{Init, Server};
use falconer_client::{Client, Credentials};
use falconer_store_postgres::copies::DatabaseRows;
use falconer_wire::ClientRequest;
use rusqlite::types::Value;

fn some_client(description: &str, scopes: &[&str]) -> ClientRequest {
    ClientRequest {
        expires: "2100-01-01T00:00:00.000Z".to_owned(),
        description: description.to_owned(),
        scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        delete_on_expiration: false,
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A data directory with something in each of its tables: what the server writes by itself, and for the rest rows of every shape.
async fn filled(place: &Place) -> (Init, String) {
    let root = place.init(&[]);
    let data = place.data();
    let server = Server::start(&data);
    let client = server.client(&root);
    let created_client = client
        .create_client("made/first", &some_client("\u{e4} '\"\\ {1,2} NULL", &["auth:current-scopes", "notes:write:a,b{}\"\\"]))
        .await
        .unwrap();
    for number in 0..30 {
        // Ids whose order by bytes is not that of a dictionary.
        let id = format!("made/{}{number}", ["a", "B", "_", "-", "|", "Z"][number % 6]);
        client.create_client(&id, &some_client(&"\u{10ffff}".repeat(number * 100), &[])).await.unwrap();
    }
    let created = crate::support::user::command_with_input(
        &["account", "create", "ann", "--password-stdin", "--data-dir", text(&data)],
        "correct horse battery staple",
    );
    assert_eq!(created.code, 0, "{created:?}");
    crate::support::user::eventually("ann signs in", || Browser::new(&server).sign_in("ann", "correct horse battery staple").then_some(()));
    assert_eq!(server.end(), Some(0));
    fill_the_rest(&data.join("falconer.sqlite"));
    (root, created_client.access_token)
}

/// Rows for tables that nothing above has written to.
fn fill_the_rest(database: &Path) {
    let connection = rusqlite::Connection::open(database).unwrap();
    let tables = tables(&connection);
    for table in tables.iter().filter(|table| count(&connection, table) == 0) {
        let sql = "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1)";
        let mut statement = connection.prepare(sql).unwrap();
        let columns: Vec<(String, String, bool, i64)> = statement
            .query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for number in 0..3_i64 {
            let value = |(name, kind, not_null, key): &(String, String, bool, i64)| match (kind.as_str(), name.as_str()) {
                _ if !not_null && *key == 0 && number == 0 => Value::Null,
                (_, "kind") if table.starts_with("scim") => Value::Text("user".to_owned()),
                ("TEXT", "scopes") if table == "scope_registries" => {
                    Value::Text(r#"[{"template":"a:<b>","sentence":"Do <b>","risk":"high"}]"#.to_owned())
                }
                (
                    "TEXT",
                    "transports" | "within" | "groups" | "scopes" | "redirect_uris" | "identity_for" | "identity_scopes" | "email_within"
                    | "resources" | "keys",
                ) => Value::Text(["[]", "[\"a\"]", "[\"b,\\\"\",\"\"]"][usize::try_from(number).unwrap()].to_owned()),
                ("TEXT", "id_token_alg") => Value::Text("EdDSA".to_owned()),
                ("TEXT", _) => Value::Text(format!("{name}-{number}")),
                ("BLOB", _) => Value::Blob(vec![u8::try_from(number).unwrap(), 0, 255]),
                (
                    _,
                    "mailed"
                    | "resident"
                    | "everything"
                    | "disabled"
                    | "deleted"
                    | "confidential"
                    | "skip_consent"
                    | "pushed_only"
                    | "identity"
                    | "dpop_bound_access_tokens"
                    | "agent",
                ) => Value::Integer(number % 2),
                // Upkeep would remove those that have ended.
                (_, "expires_ms") if table == "consents" || table == "initial_tokens" => Value::Integer(4_102_444_800_000 + number),
                (_, "granted_ms") => Value::Integer(4_102_444_800_000 + number),
                _ => Value::Integer(number + 1),
            };
            let values: Vec<Value> = columns.iter().map(value).collect();
            let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
            let sql = format!("INSERT INTO {table} VALUES ({})", places.join(", "));
            connection.execute(&sql, rusqlite::params_from_iter(values)).unwrap_or_else(|error| panic!("{table}: {error}"));
        }
    }
}

fn tables(connection: &rusqlite::Connection) -> Vec<String> {
    let sql =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('migrations', 'meta', 'leases')";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn count(connection: &rusqlite::Connection, table: &str) -> i64 {
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

/// All rows of all tables as SQLite shows them, with the order in which rows were made where that counts.
fn contents(database: &Path) -> BTreeSet<String> {
    let connection = rusqlite::Connection::open(database).unwrap();
    let mut found = BTreeSet::new();
    for table in tables(&connection) {
        let rowid = if ["grants", "sessions"].contains(&table.as_str()) { "rowid, *" } else { "*" };
        let mut statement = connection.prepare(&format!("SELECT {rowid} FROM {table}")).unwrap();
        let width = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<Value> = (0..width).map(|place| row.get(place).unwrap()).collect();
            found.insert(format!("{table} {values:?}"));
        }
    }
    found
}

fn migrate(from: &str, to: &str) -> Done {
    command(&["migrate", "--from", from, "--to", to, "--json"])
}

/// The key file goes along, for secrets are copied as they are sealed.
fn take_keys(from: &Path, to: &Path) {
    std::fs::copy(from.join("falconer.keys"), to.join("falconer.keys")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn everything_goes_into_postgresql_and_back() {
    let (here, there) = (Place::file(), Place::postgres().await);
    let (root, token) = filled(&here).await;
    let data = here.data();
    let url = there.database.as_ref().unwrap().url.clone();
    let server = Server::start(&data);
    migrate(text(&data), &url).refused(1, "another server runs on this data directory");
    assert_eq!(server.end(), Some(0));
    // Its upkeep has removed what ended long ago.
    fill_the_rest(&data.join("falconer.sqlite"));
    let before = contents(&data.join("falconer.sqlite"));
    let before_epoch = std::fs::read_to_string(data.join("falconer.history")).unwrap();
    let done = migrate(text(&data), &url).json();
    assert!(done["tables"].as_object().unwrap().values().all(|table| table["rows"].as_u64().unwrap() > 0), "each table had rows: {done}");
    assert_eq!(contents(&data.join("falconer.sqlite")), before, "the source stays as it is");
    assert!(!before_epoch.starts_with(done["epoch"].as_str().unwrap()));
    migrate(text(&data), &url).refused(1, "holds a Falconer already");

    // The server on PostgreSQL knows all of it.
    std::fs::create_dir_all(there.data()).unwrap();
    take_keys(&data, &there.data());
    let server = there.start();
    let robot = Client::new(&server.root_url).unwrap().with_credentials(Credentials::new("made/first", &token));
    assert!(robot.current_scopes().await.unwrap().scopes.contains(&"notes:write:a,b{}\"\\".to_owned()));
    assert_eq!(server.client(&root).list_all_clients(Some("made/")).await.unwrap().len(), 31);
    assert!(Browser::new(&server).sign_in("ann", "correct horse battery staple"));
    migrate(&url, text(&here.file_with("unused", "").with_file_name("no"))).refused(1, "stop every server");
    let later = server.client(&root).create_client("made/later", &some_client("", &[])).await.unwrap();
    let audit = server.client(&root).list_all_clients(Some("made/later")).await.unwrap();
    assert_eq!((later.client.client_id.as_str(), audit.len()), ("made/later", 1), "the next number of the audit is free");
    assert_eq!(server.end(), Some(0));
    let noted = std::fs::read_to_string(there.data().join("falconer.history")).unwrap();
    assert!(noted.starts_with(done["epoch"].as_str().unwrap()), "the start began no history of its own: {noted}");

    // And back, into the folder that has its keys and its note already.
    let back = migrate(&url, text(&there.data())).json();
    assert_ne!(back["epoch"], done["epoch"]);
    let after = contents(&there.data().join("falconer.sqlite"));
    let lasting = |rows: &BTreeSet<String>| -> BTreeSet<String> {
        // What the server, its sign-in and its upkeep have touched on PostgreSQL is not the same.
        let own = [
            "audit ",
            "changes ",
            "sessions ",
            "attempts ",
            "identities ",
            "people ",
            "setup_links ",
            "account_links ",
            "pending_links ",
            "session_applications ",
            "logouts ",
            "device_requests ",
            "grant_identities ",
            "grant_secrets ",
            "refreshes ",
        ];
        rows.iter()
            .filter(|row| !own.iter().any(|table| row.starts_with(table)) && !row.contains("root") && !row.contains("later"))
            .cloned()
            .collect()
    };
    assert!(lasting(&before).is_subset(&after), "{:?}", lasting(&before).difference(&after).collect::<Vec<_>>());
    let server = Server::start(&there.data());
    let robot = Client::new(&server.root_url).unwrap().with_credentials(Credentials::new("made/first", &token));
    assert!(robot.current_scopes().await.is_ok());
    assert!(Browser::new(&server).sign_in("ann", "correct horse battery staple"));
    assert_eq!(server.client(&root).list_all_clients(Some("made/")).await.unwrap().len(), 32);
    assert_eq!(server.end(), Some(0));
}

/// Whenever it is killed no server starts on what is there, and the next run ends with the same rows; there and straight back, to the last byte of each.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_killed_migration_lets_no_server_in_and_goes_on() {
    let (here, there) = (Place::file(), Place::postgres().await);
    filled(&here).await;
    let data = here.data();
    let url = there.database.as_ref().unwrap().url.clone();
    let before = contents(&data.join("falconer.sqlite"));
    let begin = Instant::now();
    let elsewhere = Place::postgres().await;
    assert_eq!(migrate(text(&data), &elsewhere.database.as_ref().unwrap().url).code, 0);
    let took = begin.elapsed();

    std::fs::create_dir_all(there.data()).unwrap();
    take_keys(&data, &there.data());
    let (mut refused, mut finished) = (0, false);
    for point in 1..12 {
        killed_after(took * point / 12, &["migrate", "--from", text(&data), "--to", &url]);
        let listed = there.run(&["account", "list", "--json"]);
        match listed.code {
            0 => finished = true,
            _ => {
                refused += 1;
                assert!(listed.err.contains("database is not there") || listed.err.contains("run it again"), "{listed:?}");
            }
        }
        if finished {
            assert!(listed.out.contains("\"ann\""), "all is there where a command is let in");
            break;
        }
    }
    assert!(refused > 0, "each run went through");
    // What a killed run has copied is looked at again: the source has changed meanwhile, at its beginning and at its end.
    if !finished {
        let connection = rusqlite::Connection::open(data.join("falconer.sqlite")).unwrap();
        connection.execute("DELETE FROM clients WHERE client_id = 'made/first'", []).unwrap();
        connection.execute("UPDATE sessions SET user_agent = 'another one'", []).unwrap();
        drop(connection);
        assert_eq!(migrate(text(&data), &url).code, 0);
    }
    let now = contents(&data.join("falconer.sqlite"));

    let back = here.file_with("unused", "").with_file_name("back");
    let begin = Instant::now();
    assert_eq!(migrate(&url, text(&back)).code, 0);
    let took = begin.elapsed();
    assert_eq!(contents(&back.join("falconer.sqlite")), if finished { before } else { now.clone() });

    // The other way: the database gets its name when it is whole.
    let killed: PathBuf = back.with_file_name("killed");
    for point in 1..12 {
        killed_after(took * point / 12, &["migrate", "--from", &url, "--to", text(&killed)]);
        if killed.join("falconer.sqlite").exists() {
            break;
        }
        std::fs::create_dir_all(&killed).unwrap();
        local(&killed, &["account", "list"]).refused(1, "holds no Falconer");
    }
    if !killed.join("falconer.sqlite").exists() {
        assert_eq!(migrate(&url, text(&killed)).code, 0);
    }
    assert_eq!(contents(&killed.join("falconer.sqlite")), now);
    let left: Vec<_> = std::fs::read_dir(&killed).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.contains("copying")), "{left:?}");
}

/// Runs a command that is killed if it has not ended by then. Whatever the moment meets, what is asserted afterwards has to hold.
/// Everything was copied and compared, servers could start on it, and the command said that it had failed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn statistics_that_are_not_gathered_are_only_a_warning() {
    let (here, there) = (Place::file(), Place::postgres().await);
    here.init(&[]);
    let database = there.database.as_ref().unwrap();
    // A copy that was begun has tables. The index fails where ANALYZE evaluates it, and nowhere else.
    drop(DatabaseRows::target(&database.url).await.unwrap());
    let function = "CREATE FUNCTION fails_at_analyze(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
                      IF current_query() = 'ANALYZE' THEN RAISE EXCEPTION 'no statistics here'; END IF; RETURN $1; END $$";
    database.execute(function).await;
    database.execute("CREATE INDEX fails ON clients (fails_at_analyze(client_id))").await;
    let done = migrate(text(&here.data()), &database.url);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("warning: everything is in the PostgreSQL database") && done.err.contains("no statistics here"), "{done:?}");
    migrate(text(&here.data()), &database.url).refused(1, "holds a Falconer already");
}

fn killed_after(time: Duration, words: &[&str]) {
    let mut timeout = Command::new("timeout");
    timeout.args(["-s", "KILL", &format!("{:.4}", time.as_secs_f64().max(0.0005)), env!("CARGO_BIN_EXE_falconer")]).args(words);
    let _ = output_of(timeout.stdin(Stdio::null()));
}

#[test]
fn what_cannot_be_migrated_is_said() {
    let place = Place::file();
    let data = place.data();
    place.init(&[]);
    let other = data.with_file_name("other");
    migrate(text(&data), text(&data)).refused(2, "are the same");
    // Its advice was to make one with `falconer init`, and to name it with --data-dir, which `migrate` does not have.
    let missing = migrate(text(&other), text(&data));
    missing.refused(1, &format!("{} is missing. --from names", other.join("falconer.sqlite").display()));
    assert!(!missing.err.contains("--data-dir"), "{missing:?}");
    // Also from one folder into another one: with the same rows, and another history.
    let done = migrate(text(&data), text(&other)).json();
    assert!(done["rows"].as_u64().unwrap() > 0);
    assert_eq!(contents(&other.join("falconer.sqlite")), contents(&data.join("falconer.sqlite")));
    migrate(text(&data), text(&other)).refused(1, "holds a Falconer already");
    local(&other, &["account", "list"]).refused(1, "the key file");
    take_keys(&data, &other);
    assert_eq!(local(&other, &["account", "list"]).code, 0);
    let unreachable = "postgres://u:secret-of-the-database@127.0.0.1:1/f";
    let done = migrate(text(&data), unreachable);
    done.refused(1, "can't reach the PostgreSQL database 127.0.0.1:1/f");
    assert!(!done.err.contains("secret-of"), "{done:?}");
    let server = Server::start(&data);
    migrate(text(&data), text(&data.with_file_name("third"))).refused(1, "another server runs on this data directory");
    assert_eq!(server.end(), Some(0));
}
