use super::*;
use crate::steps::writing::write;

const FIRST: Migration = Migration { name: "0001_a", text: "CREATE TABLE a (x INTEGER) STRICT;" };
const SECOND: Migration = Migration { name: "0002_b", text: "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO b VALUES (1);" };

fn run(connection: &mut Connection, migrations: &[Migration]) -> falconer_store::Result<()> {
    write(connection, |connection| migrate(connection, migrations))
}

fn rows_of_b(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM b", [], |row| row.get(0))
}

#[test]
fn each_migration_runs_once() {
    let mut connection = Connection::open_in_memory().unwrap();
    run(&mut connection, &[FIRST]).unwrap();
    assert!(rows_of_b(&connection).is_err());
    run(&mut connection, &[FIRST, SECOND]).unwrap();
    run(&mut connection, &[FIRST, SECOND]).unwrap();
    assert_eq!(rows_of_b(&connection), Ok(1));
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let mut connection = Connection::open_in_memory().unwrap();
    run(&mut connection, &[FIRST, SECOND]).unwrap();
    let error = run(&mut connection, &[FIRST]).unwrap_err();
    assert!(matches!(&error, StoreError::Newer(_)), "{error}");
    assert_eq!(rows_of_b(&connection), Ok(1));
}

#[test]
fn an_edited_migration_is_refused() {
    let mut connection = Connection::open_in_memory().unwrap();
    run(&mut connection, &[FIRST]).unwrap();
    let edited = Migration { name: "0001_a", text: "CREATE TABLE a (x INTEGER, y INTEGER) STRICT;" };
    assert!(matches!(run(&mut connection, &[edited]), Err(StoreError::Corrupt(_))));
}

#[test]
fn a_failing_migration_leaves_nothing() {
    let mut connection = Connection::open_in_memory().unwrap();
    let broken = Migration { name: "0002_b", text: "CREATE TABLE b (x INTEGER) STRICT; CREATE TABLE a (x INTEGER) STRICT;" };
    assert!(run(&mut connection, &[FIRST, broken]).is_err());
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
    run(&mut connection, &[FIRST, SECOND]).unwrap();
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    let error = run(&mut connection, &[FIRST]).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(why) if why.contains("another program")), "{error}");
    assert_eq!(connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)), Ok(1));
}

/// The feed of before did not say what happened to a record, and nobody knows it any more: old followers and decisions start anew.
#[test]
fn a_feed_from_before_is_dropped_and_goes_on() {
    use falconer_store::Revision;
    let mut connection = Connection::open_in_memory().unwrap();
    run(&mut connection, &MIGRATIONS[..1]).unwrap();
    connection
        .execute_batch(
            "UPDATE meta SET revision = 3, highest_ms = 9;
             INSERT INTO changes (revision, kind, key, at_ms) VALUES (2, 'role', 'r', 5), (3, 'client', 'c', 9);",
        )
        .unwrap();
    run(&mut connection, MIGRATIONS).unwrap();
    let since =
        |revision| crate::following::feed::since(&connection, Revision(revision), 10).map_err(crate::connection::fault::Fault::named);
    assert!(matches!(since(2), Err(StoreError::Stale)));
    assert_eq!(since(3), Ok(vec![]));
    let refused = connection.execute("INSERT INTO changes (revision, kind, key, at_ms, what) VALUES (4, 'role', 'r', 9, 'touched')", []);
    assert!(refused.is_err());
}

/// Who signed in before people had several identities is a person of their own, with the same account, password, sessions and grants.
#[tokio::test]
async fn a_file_from_before_people_is_brought_along() {
    use falconer_store::{KeyRing, PersonRecord, Place, Sealer, SignInMethod, Store as _};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let keys = || KeyRing::from_bytes("test", [7; 32]).unwrap();
    let random = || -> falconer_store::Randomness { std::sync::Arc::new(|bytes: &mut [u8]| bytes.fill(3)) };
    let sealer = Sealer::new(keys(), random());
    let seal = |table, column, row, plain| sealer.seal(&Place { table, column, row }, plain).unwrap();
    let mut before = Connection::open(&path).unwrap();
    run(&mut before, &MIGRATIONS[..3]).unwrap();
    for name in ["ann", "bob"] {
        let sql = "INSERT INTO accounts VALUES (?1, 'A', NULL, ?2, '[]', '[\"x\"]', 0, ?3, 5, 7)";
        before.execute(sql, params![name, seal("accounts", "password_hash", name, "hash"), name == "bob"]).unwrap();
        let sql = "INSERT INTO identities VALUES ('local/' || ?1, 'local', ?1, 'A', NULL, 0, '[]', '[\"x\"]', 9, ?2)";
        before.execute(sql, params![name, name == "bob"]).unwrap();
    }
    let sql = "INSERT INTO sessions VALUES ('h', 'local/ann', ?1, 5, 6, 99, 'Browser')";
    before.execute(sql, params![seal("sessions", "csrf", "h", "token")]).unwrap();
    drop(before);
    for _ in 0..2 {
        let store = crate::SqliteStore::open(&path, keys(), random()).unwrap();
        let loaded = store.load().await.unwrap();
        assert_eq!((loaded.identities.len(), loaded.people.len()), (2, 2));
        for identity in &loaded.identities {
            let person = store.person(&identity.person).await.unwrap().unwrap();
            assert_eq!(person, PersonRecord { created_ms: 5, ..PersonRecord::of_one(identity, 9) });
            assert!(person.id.len() == 32 && person.id.bytes().all(|b| b.is_ascii_hexdigit()), "{}", person.id);
        }
        assert_ne!(loaded.people[0].id, loaded.people[1].id);
        assert_eq!(store.credentials("ann").await.unwrap().password_hash.as_deref(), Some("hash"));
        assert!(store.account("bob").await.unwrap().unwrap().deleted);
        let session = store.session("h").await.unwrap().unwrap();
        assert_eq!((session.identity.as_str(), session.csrf.as_str()), ("local/ann", "token"));
        assert_eq!((session.method, session.factors), (SignInMethod::Password, 1));
    }
}

/// A command of the version before may be at work beside the start of the next one.
#[test]
fn migrations_only_expand() {
    // As many as there were when nothing ran beside a migration.
    for migration in MIGRATIONS.iter().skip(13) {
        assert_eq!(falconer_store::not_expanding(migration.text), Vec::<String>::new(), "{}", migration.name);
    }
}
