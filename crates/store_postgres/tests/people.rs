//! A database of before people had several identities.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use falconer_store::{PersonRecord, Place, Sealer, SignInMethod, Store};
use sha2::{Digest as _, Sha256};

/// Who signed in before is a person of their own, with the same account, password and sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_database_from_before_people_is_brought_along() {
    let url = common::server().schema().await;
    let mut sql = "CREATE TABLE falconer_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL);".to_owned();
    let before = [
        ("0001_records", include_str!("../migrations/0001_records.sql")),
        ("0002_history", include_str!("../migrations/0002_history.sql")),
    ];
    for (version, (name, text)) in (1..).zip(before) {
        let checksum = hex(&Sha256::digest(text.as_bytes()));
        sql.push_str(text);
        sql.push_str(&format!(";INSERT INTO falconer_migrations VALUES ({version}, '{name}', '{checksum}');"));
    }
    let sealer = Sealer::new(common::keys(), common::random());
    let seal = |table, column, row, plain| hex(&sealer.seal(&Place { table, column, row }, plain).unwrap());
    for (name, is_gone) in [("ann", false), ("bob", true)] {
        let hash = seal("accounts", "password_hash", name, "hash");
        sql.push_str(&format!(
            "INSERT INTO accounts VALUES ('{name}', 'A', NULL, '\\x{hash}', '{{}}', '{{x}}', false, {is_gone}, 5, 7);
             INSERT INTO identities VALUES ('local/{name}', 'local', '{name}', 'A', NULL, false, '{{}}', '{{x}}', 9, {is_gone});"
        ));
    }
    let token = seal("sessions", "csrf", "h", "token");
    sql.push_str(&format!(
        "INSERT INTO sessions (id_hash, identity, csrf, created_ms, last_seen_ms, expires_ms, user_agent)
         VALUES ('h', 'local/ann', '\\x{token}', 5, 6, 99, 'Browser');"
    ));
    common::run(&url, &sql).await;

    let store = common::open(&url).await;
    let loaded = store.load().await.unwrap();
    assert_eq!((loaded.identities.len(), loaded.people.len()), (2, 2));
    for identity in &loaded.identities {
        let person = store.person(&identity.person).await.unwrap().unwrap();
        assert_eq!(person, PersonRecord { created_ms: 5, ..PersonRecord::of_one(identity, 9) });
        assert!(person.id.len() == 32 && person.id.bytes().all(|b| b.is_ascii_hexdigit()), "{}", person.id);
    }
    assert_ne!(loaded.people.first(), loaded.people.last());
    assert_eq!(store.credentials("ann").await.unwrap().password_hash.as_deref(), Some("hash"));
    assert!(store.account("bob").await.unwrap().unwrap().deleted);
    let session = store.session("h").await.unwrap().unwrap();
    assert_eq!((session.identity.as_str(), session.csrf.as_str()), ("local/ann", "token"));
    assert_eq!((session.method, session.factors), (SignInMethod::Password, 1));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
