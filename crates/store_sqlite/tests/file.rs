//! The file: who may have it open, what it may be, what its mode is, and that it keeps what it was told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use falconer_store::{Revision, Store, StoreError};
use falconer_store_sqlite::SqliteStore;
use rusqlite::Connection;

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    for round in 0..3 {
        let store = common::open(&path);
        assert_eq!(store.revision().await, Ok(Revision(round)));
        store.insert_client(&common::step(&store, "x").await, &common::client(&format!("c{round}"))).await.unwrap();
    }
    let loaded = common::open(&path).load().await.unwrap();
    let ids: Vec<&str> = loaded.clients.iter().map(|client| client.client_id.as_str()).collect();
    assert_eq!(ids, ["c0", "c1", "c2"]);
    assert_eq!(loaded.clients[0], common::client("c0"));
}

/// They are read in parts, and several threads open what is sealed.
#[tokio::test]
async fn many_clients_are_loaded_whole_and_in_order() {
    let store = SqliteStore::in_memory(common::keys(), common::random()).unwrap();
    let mut written = Vec::new();
    for end in [0, 1, 511, 512, 513, 1024, 2600] {
        let more: Vec<_> = (written.len()..end).map(|n| common::client(&format!("c{n:04}"))).collect();
        store.write_batch(&common::step(&store, "x").await, &[], &more).await.unwrap();
        written.extend(more);
        assert!(store.load().await.unwrap().clients == written, "{end} clients");
    }
}

/// In any part: nothing waits for ever, and the answer says which.
#[tokio::test]
async fn a_token_that_does_not_open_is_named_and_the_rest_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let clients: Vec<_> = (0..9000).map(|n| common::client(&format!("c{n:04}"))).collect();
    let store = common::open(&path);
    store.write_batch(&common::step(&store, "x").await, &[], &clients).await.unwrap();
    let raw = Connection::open(&path).unwrap();
    for broken in ["c0000", "c0600", "c4500", "c8999"] {
        let sealed: Vec<u8> = raw.query_row("SELECT access_token FROM clients WHERE client_id = ?1", [broken], |row| row.get(0)).unwrap();
        raw.execute("UPDATE clients SET access_token = x'00' WHERE client_id = ?1", [broken]).unwrap();
        let loaded = store.load().await.unwrap();
        let named: Vec<&str> = loaded.damaged.iter().map(|damaged| damaged.id.as_str()).collect();
        assert_eq!((named, loaded.clients.len()), (vec![broken], clients.len()), "its id stays taken");
        raw.execute("UPDATE clients SET access_token = ?2 WHERE client_id = ?1", (broken, sealed)).unwrap();
    }
    assert_eq!(store.load().await.unwrap().clients.len(), clients.len());
}

#[tokio::test]
async fn a_second_opener_is_told_who_is_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let store = common::open(&path);
    let error = SqliteStore::open(&path, common::keys(), common::random()).err().unwrap();
    assert!(matches!(&error, StoreError::InUse(why) if why.contains("f.db")), "{error}");
    assert_eq!(store.ping().await, Ok(()));
    drop(store);
    common::open(&path);
}

/// Story: the file of the lock was taken for a remainder and removed. A second server made another one, locked that, and both changed the same database, each with a
/// snapshot of its own.
#[cfg(unix)]
#[tokio::test]
async fn a_lock_that_was_removed_is_held_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let store = common::open(&path);
    for replaced in [false, true] {
        std::fs::remove_file(folder.path().join("f.db.lock")).unwrap();
        if replaced {
            std::fs::write(folder.path().join("f.db.lock"), "").unwrap();
        }
        let error = SqliteStore::open(&path, common::keys(), common::random()).err().unwrap();
        assert!(matches!(&error, StoreError::InUse(why) if why.contains("f.db")), "{error}");
        // The refused one leaves nothing behind that the next round could not remove.
        std::fs::write(folder.path().join("f.db.lock"), "").unwrap();
    }
    let beside = SqliteStore::open_beside(&path, common::keys(), common::random()).unwrap();
    beside.insert_client(&common::step(&beside, "x").await, &common::client("a")).await.unwrap();
    store.insert_client(&common::step(&store, "x").await, &common::client("b")).await.unwrap();
    drop((store, beside));
    assert_eq!(common::open(&path).load().await.unwrap().clients.len(), 2);
}

/// Story: a backup was moved over the file of a running server, which went on to confirm changes to a file that had no name any more.
#[cfg(unix)]
#[tokio::test]
async fn nothing_is_written_to_a_file_that_was_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let store = common::open(&path);
    store.insert_client(&common::step(&store, "x").await, &common::client("a")).await.unwrap();
    Connection::open(&path).unwrap().execute("VACUUM INTO ?1", [folder.path().join("copy").to_str().unwrap()]).unwrap();
    let step = common::step(&store, "x").await;
    std::fs::rename(folder.path().join("copy"), &path).unwrap();
    let refused = store.insert_client(&step, &common::client("b")).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("restart the server")), "{refused:?}");
    assert!(store.ping().await.is_err());
    assert!(store.client("a").await.unwrap().is_some(), "reading goes on");
    drop(store);
    for entry in ["f.db-wal", "f.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(entry));
    }
    let store = common::open(&path);
    store.insert_client(&common::step(&store, "x").await, &common::client("b")).await.unwrap();
}

#[tokio::test]
async fn what_is_not_a_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let text = "This is a text file that somebody cares about. ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    let error = SqliteStore::open(&path, common::keys(), common::random()).err().unwrap();
    assert!(matches!(&error, StoreError::Corrupt(why) if why.contains("f.db") && why.contains("not a database")), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)").unwrap();
    let error = SqliteStore::open(&path, common::keys(), common::random()).err().unwrap();
    assert!(matches!(&error, StoreError::Corrupt(why) if why.contains("another program")), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    drop(common::open(&path));
    let newer = "INSERT INTO migrations (version, name, checksum) VALUES (9999, '9999_later', 'x')";
    Connection::open(&path).unwrap().execute(newer, []).unwrap();
    let error = SqliteStore::open(&path, common::keys(), common::random()).err().unwrap();
    assert!(matches!(&error, StoreError::Newer(schema) if schema == "9999_later"), "{error}");
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere").join("f.db");
    let error = SqliteStore::open(&path, common::keys(), common::random()).err().unwrap();
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("nowhere")), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let check = || {
        let mut files = 0;
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
            files += 1;
        }
        files
    };
    let store = common::open(&path);
    store.insert_client(&common::step(&store, "x").await, &common::client("a")).await.unwrap();
    // The database, its log and the log's index, the lock.
    assert_eq!(check(), 4);
    drop(store);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _store = common::open(&path);
    assert!(check() >= 2);
}

#[tokio::test]
async fn the_log_does_not_grow_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let store = common::open(&path);
    let role = common::role("r");
    store.insert_role(&common::step(&store, "x").await, &role).await.unwrap();
    for _ in 0..600 {
        store.update_role(&common::step(&store, "x").await, &role).await.unwrap();
    }
    let log = std::fs::metadata(folder.path().join("f.db-wal")).unwrap().len();
    // Some ten pages a step: a log that was never brought in would have some 24 MB.
    assert!(log < 12 << 20, "{log}");
    assert!(std::fs::metadata(&path).unwrap().len() > 50_000);
}

/// Story: a command of a newer version brought the file up to date, and the server that ran on wrote rows that lack something.
#[tokio::test]
async fn nothing_is_written_to_a_file_that_a_newer_version_has_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let store = common::open(&path);
    let raw = Connection::open(&path).unwrap();
    raw.execute("INSERT INTO migrations (version, name, checksum) VALUES (10000, 'later', 'x')", []).unwrap();
    let refused = [
        store.insert_client(&common::step(&store, "x").await, &common::client("c")).await.map(drop),
        store.put_setup_link("hash", 5).await,
        store.prune(5).await,
        store.ping().await,
    ];
    for refused in refused {
        assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("a newer version of Falconer")), "{refused:?}");
    }
    assert_eq!(store.load().await.unwrap().clients, [], "it goes on reading");
}

/// Story: whatever a command of a newer version wrote after a change of a kind that the server did not know, the server never took in.
#[tokio::test]
async fn a_change_of_a_kind_that_nobody_knows_here_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let store = common::open(&path);
    let raw = Connection::open(&path).unwrap();
    for revision in 1..=5 {
        raw.execute("INSERT INTO changes (revision, kind, key, at_ms, what) VALUES (?1, 'later', 'x', 1, 'created')", [revision]).unwrap();
    }
    raw.execute("UPDATE meta SET revision = 5", []).unwrap();
    store.insert_client(&common::step(&store, "x").await, &common::client("c")).await.unwrap();
    let changed = store.changed_records(Revision(0), 1).await.unwrap();
    assert_eq!((changed.up_to, changed.present), (Revision(6), Revision(6)));
    assert_eq!(changed.records.clients, [common::client("c")]);
    assert_eq!(store.changes_since(Revision(0), 1).await.unwrap().len(), 1);
    assert_eq!(changed.newest.len(), 1);
}

/// Each part is removed by itself, and nothing that has ended stays.
#[tokio::test]
async fn more_than_a_part_of_what_has_ended_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let store = common::open(&path);
    let raw = Connection::open(&path).unwrap();
    for n in 0..2500 {
        raw.execute("INSERT INTO setup_links (hash, expires_ms) VALUES (?1, ?2)", (n.to_string(), n)).unwrap();
        raw.execute("INSERT INTO attempts (key, at_ms, count, until_ms) VALUES (?1, 1, 1, 5)", [n.to_string()]).unwrap();
    }
    store.prune(1999).await.unwrap();
    let count = |table: &str| raw.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((count("attempts"), count("setup_links")), (0, 500));
}

/// Story: whoever had registered an application could have every grant that there is read, by deleting it, as often as they liked.
#[tokio::test]
async fn the_grants_of_an_application_are_found_without_reading_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    drop(common::open(&path));
    let source = include_str!("../src/aggregates/grants.rs");
    let of_it = source.split("let of_it = \"").nth(1).unwrap().split('"').next().unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM grants WHERE {of_it} AND revoked_ms IS NULL AND expires_ms > ?2 ORDER BY id");
    let mut statement = connection.prepare(&sql).unwrap();
    let plan = statement.query_map(rusqlite::params!["a", 1], |row| row.get::<_, String>(3)).unwrap();
    let plan: Vec<String> = plan.map(Result::unwrap).collect();
    assert!(
        plan.iter().all(|line| !line.starts_with("SCAN")) && plan.iter().any(|line| line.contains("grants_by_application")),
        "{plan:?}"
    );
}
