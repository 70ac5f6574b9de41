use falconer_store::Details;

use super::*;
use crate::connection::file;
use crate::connection::migrate::{MIGRATIONS, migrate};

fn database() -> Connection {
    let mut connection = file::connect_to_memory().unwrap();
    write(&mut connection, |connection| migrate(connection, MIGRATIONS)).unwrap();
    connection
}

fn step(connection: &Connection) -> Step {
    Step {
        decided_at: revision_and_floor(connection).unwrap().0,
        depends_on: vec![],
        at_ms: 1,
        actor: "a".into(),
        grant: None,
        action: "x".into(),
        detail: None,
        details: Details::default(),
    }
}

fn take_one(connection: &mut Connection, step: &Step, body: impl Fn(&mut Writing<'_>) -> Res<()>) -> Result<Revision> {
    let decided_in = history::standing(connection).map_err(Fault::named)?.history.epoch;
    take_steps(connection, decided_in, &[(step.clone(), ())], |writing, ()| body(writing)).map(|committed| committed.revisions[0])
}

fn rows(connection: &Connection, table: &str) -> i64 {
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn insert_role(writing: &Writing<'_>, role_id: &str, description: &str) -> Res<usize> {
    let sql = "INSERT INTO roles (role_id, scopes, description, created_ms, last_modified_ms) VALUES (?1, '[]', ?2, 0, 0)";
    run(writing.connection, sql, params![role_id, description])
}

#[test]
fn a_step_that_fails_at_any_point_leaves_nothing() {
    let mut connection = database();
    let step = step(&connection);
    for fail_at in 0..4 {
        let outcome = take_one(&mut connection, &step, |writing| {
            for point in 0..4 {
                match point {
                    _ if point == fail_at => {
                        return Err(StoreError::Unavailable("broken".into()).into());
                    }
                    0 => drop(insert_role(writing, "r", "")?),
                    1 => writing.changed(KeyKind::Role, "r", ChangeKind::Created)?,
                    _ => writing.audit("role", "r")?,
                }
            }
            Ok(())
        });
        assert_eq!(outcome, Err(StoreError::Unavailable("broken".into())));
        assert_eq!([rows(&connection, "roles"), rows(&connection, "changes"), rows(&connection, "audit")], [0, 0, 0]);
        assert_eq!(revision_and_floor(&connection).unwrap().0, Revision(0));
    }
    assert!(connection.is_autocommit());
}

/// Each statement of a whole step fails in its turn, by a trigger that refuses it.
#[test]
fn a_step_of_which_any_statement_fails_leaves_nothing() {
    for event in ["INSERT ON roles", "INSERT ON changes", "INSERT ON audit", "UPDATE ON meta"] {
        let mut connection = database();
        let trap = format!("CREATE TEMP TRIGGER trap BEFORE {event} BEGIN SELECT raise(ABORT, 'trapped'); END");
        connection.execute_batch(&trap).unwrap();
        let step = step(&connection);
        let body = |writing: &mut Writing<'_>| {
            insert_role(writing, "r", "")?;
            writing.changed_and_audited(KeyKind::Role, "r", ChangeKind::Created)
        };
        assert!(take_one(&mut connection, &step, body).is_err(), "{event}");
        assert_eq!([rows(&connection, "roles"), rows(&connection, "changes"), rows(&connection, "audit")], [0, 0, 0], "{event}");
        connection.execute_batch("DROP TRIGGER trap").unwrap();
        assert_eq!(take_one(&mut connection, &step, body), Ok(Revision(1)), "{event}");
    }
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    file::prepare(&path).unwrap();
    let mut connection = file::connect(&path).unwrap();
    write(&mut connection, |connection| migrate(connection, MIGRATIONS)).unwrap();
    let step = step(&connection);
    let big = "x".repeat(100_000);
    // SQLite answers the same way when the file system has no more pages to give.
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    connection.pragma(None, "max_page_count", pages + 2, |_| Ok(())).unwrap();
    for _ in 0..3 {
        let outcome = take_one(&mut connection, &step, |writing| {
            insert_role(writing, "r", &big)?;
            writing.changed_and_audited(KeyKind::Role, "r", ChangeKind::Created)
        });
        assert!(matches!(outcome, Err(StoreError::Full(_))), "{outcome:?}");
        assert_eq!([rows(&connection, "roles"), rows(&connection, "changes"), rows(&connection, "audit")], [0, 0, 0]);
    }
    connection.pragma(None, "max_page_count", 1_000_000, |_| Ok(())).unwrap();
    let outcome = take_one(&mut connection, &step, |writing| {
        insert_role(writing, "r", &big)?;
        writing.changed_and_audited(KeyKind::Role, "r", ChangeKind::Created)
    });
    assert_eq!(outcome, Ok(Revision(1)));
}

#[test]
fn a_commit_that_fails_is_rolled_back_and_never_taken_for_done() {
    let mut connection = database();
    // A deferred constraint is checked by COMMIT itself.
    connection
        .execute_batch(
            "CREATE TABLE parent (id INTEGER PRIMARY KEY);
             CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
        )
        .unwrap();
    let outcome = write(&mut connection, |connection| run(connection, "INSERT INTO child VALUES (1)", []));
    assert!(matches!(outcome, Err(StoreError::Fatal(_))), "{outcome:?}");
    assert_eq!(rows(&connection, "child"), 0);
    assert!(connection.is_autocommit());
}
