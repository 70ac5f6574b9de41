use super::*;
use crate::steps::writing::write;

const FIRST: Migration = Migration { name: "0001_a", sql: "CREATE TABLE a (x INTEGER) STRICT;" };
const SECOND: Migration = Migration { name: "0002_b", sql: "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO b VALUES (1);" };

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
    assert!(matches!(&error, StoreError::Corrupt(why) if why.contains("newer")), "{error}");
    assert_eq!(rows_of_b(&connection), Ok(1));
}

#[test]
fn an_edited_migration_is_refused() {
    let mut connection = Connection::open_in_memory().unwrap();
    run(&mut connection, &[FIRST]).unwrap();
    let edited = Migration { name: "0001_a", sql: "CREATE TABLE a (x INTEGER, y INTEGER) STRICT;" };
    assert!(matches!(run(&mut connection, &[edited]), Err(StoreError::Corrupt(_))));
}

#[test]
fn a_failing_migration_leaves_nothing() {
    let mut connection = Connection::open_in_memory().unwrap();
    let broken = Migration { name: "0002_b", sql: "CREATE TABLE b (x INTEGER) STRICT; CREATE TABLE a (x INTEGER) STRICT;" };
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
