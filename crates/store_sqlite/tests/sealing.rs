//! Secrets at rest: nothing readable in the file, nothing changed or moved without being noticed, keys that change.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::path::Path;

use falconer_store::{
    AccountRecord, CredentialsChange, IdentityRecord, IssuerRecord, KeyRing, OldToken, RecoveryCodeRecord, RefreshRecord, ResealFrom,
    SealedKind, Secret, SessionRecord, Store, StoreError,
};
use falconer_store_sqlite::SqliteStore;
use rusqlite::{Connection, params};

/// Every sealed column: table, name of the row, column.
const SEALED: [(&str, &str, &str); 7] = [
    ("clients", "client_id", "access_token"),
    ("clients", "client_id", "old_access_token"),
    ("issuers", "name", "token"),
    ("passwords", "account", "hash"),
    ("recovery_codes", "id", "hash"),
    ("sessions", "id_hash", "csrf"),
    ("refreshes", "identity", "handle"),
];
const SECRET: &str = "xX-canary-Xx";

/// A file with two rows that have a secret in each sealed column.
async fn filled(path: &Path) {
    let store = common::open(path);
    for name in ["a", "b"] {
        let client = falconer_store::ClientRecord { access_token: secret(name), old_token: old(name), ..common::client(name) };
        store.insert_client(&common::step(&store, "x").await, &client).await.unwrap();
        let issuer = IssuerRecord { name: name.into(), token: secret(name), created_ms: 0, retired_ms: None };
        store.insert_issuer(&common::step(&store, "x").await, &issuer).await.unwrap();
        let (account, identity) = person(name);
        store.insert_account(&common::step(&store, "x").await, &account, &identity, Some(secret(name).expose())).await.unwrap();
        let code = RecoveryCodeRecord { id: name.into(), hash: secret(name).expose().into(), created_ms: 0, used_ms: None };
        let codes = CredentialsChange::ReplaceRecoveryCodes(vec![code]);
        store.change_credentials(&common::step(&store, "x").await, name, codes).await.unwrap();
        store.insert_session(&session(name)).await.unwrap();
        store.put_refresh(&RefreshRecord { identity: name.into(), handle: Some(secret(name)), due_ms: 0 }).await.unwrap();
    }
}

/// The token that a client had before.
fn old(name: &str) -> Option<OldToken> {
    Some(OldToken { token: secret(name), ends_ms: i64::MAX })
}

fn secret(name: &str) -> Secret {
    Secret::new(format!("{SECRET}{name}"))
}

fn person(name: &str) -> (AccountRecord, IdentityRecord) {
    let account = AccountRecord {
        name: name.into(),
        display_name: String::new(),
        email: None,
        email_within: None,
        groups: vec![],
        scopes: vec![],
        disabled: false,
        deleted: false,
        created_ms: 0,
        last_modified_ms: 0,
    };
    let identity = IdentityRecord {
        identity: format!("local/{name}"),
        person: format!("person-of-{name}"),
        provider: "local".into(),
        subject: name.into(),
        display_name: String::new(),
        email: None,
        email_verified: false,
        username: None,
        groups: vec![],
        scopes: vec![],
        additions: Vec::new(),
        refreshed_ms: 0,
        disabled: false,
        gone: false,
    };
    (account, identity)
}

fn session(name: &str) -> SessionRecord {
    SessionRecord {
        id_hash: name.into(),
        identity: "local/a".into(),
        method: falconer_store::SignInMethod::Password,
        factors: 1,
        csrf: format!("{SECRET}{name}"),
        created_ms: 0,
        proved_ms: 0,
        last_seen_ms: 0,
        expires_ms: i64::MAX,
        user_agent: String::new(),
        address: String::new(),
    }
}

/// What reading the row `a` of a sealed column through the store says; damage that is named counts as an error.
async fn read_a(store: &SqliteStore, table: &str) -> Result<String, StoreError> {
    let loaded = store.load().await?;
    if let Some(damaged) = loaded.damaged.iter().find(|row| row.id == "a" && row.to_string().starts_with(&format!("{table}."))) {
        return Err(StoreError::Corrupt(damaged.to_string()));
    }
    match table {
        "clients" => store.client("a").await.map(|client| client.unwrap().access_token.expose().to_owned()),
        "issuers" => store.load().await.map(|loaded| loaded.issuers[0].token.expose().to_owned()),
        "passwords" => store.credentials("a").await.map(|credentials| credentials.password_hash.unwrap()),
        "recovery_codes" => store.credentials("a").await.map(|credentials| credentials.recovery_codes[0].hash.clone()),
        "refreshes" => store.claim_refresh("a", 0, 0).await.map(|refresh| refresh.unwrap().handle.unwrap().expose().to_owned()),
        _ => store.session("a").await.map(|session| session.unwrap().csrf),
    }
}

/// Another connection, as somebody who can write the file would have. The store stays open: it keeps no copy of its own.
fn intruder(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    connection
}

fn sealed(connection: &Connection, (table, name, column): (&str, &str, &str), row: &str) -> Vec<u8> {
    connection.query_row(&format!("SELECT {column} FROM {table} WHERE {name} = ?1"), [row], |row| row.get(0)).unwrap()
}

fn put(connection: &Connection, (table, name, column): (&str, &str, &str), row: &str, value: &[u8]) {
    let sql = format!("UPDATE {table} SET {column} = ?2 WHERE {name} = ?1");
    assert_eq!(connection.execute(&sql, params![row, value]).unwrap(), 1);
}

#[tokio::test]
async fn every_changed_byte_is_detected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    filled(&path).await;
    let (store, intruder) = (common::open(&path), intruder(&path));
    let mut tried = 0;
    for place in SEALED {
        let good = sealed(&intruder, place, "a");
        for byte in 0..good.len() {
            let mut bad = good.clone();
            bad[byte] ^= 1 << (byte % 8);
            put(&intruder, place, "a", &bad);
            let outcome = read_a(&store, place.0).await;
            assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{place:?} byte {byte}: {outcome:?}");
            tried += 1;
        }
        for bad in [&b""[..], &good[..good.len() - 1], &[&good[..], b"x"].concat()] {
            put(&intruder, place, "a", bad);
            assert!(matches!(read_a(&store, place.0).await, Err(StoreError::Corrupt(_))), "{place:?}");
        }
        put(&intruder, place, "a", &good);
        assert_eq!(read_a(&store, place.0).await, Ok(format!("{SECRET}a")));
    }
    // 1 version, 1 length, 4 key id, 24 nonce, 13 text, 16 tag.
    assert_eq!(tried, SEALED.len() * 59);
}

#[tokio::test]
async fn every_moved_value_is_detected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    filled(&path).await;
    let (store, intruder) = (common::open(&path), intruder(&path));
    for target in SEALED {
        let good = sealed(&intruder, target, "a");
        for source in SEALED {
            for row in ["a", "b"] {
                if (source, row) == (target, "a") {
                    continue;
                }
                put(&intruder, target, "a", &sealed(&intruder, source, row));
                let outcome = read_a(&store, target.0).await;
                assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{source:?} {row} to {target:?}: {outcome:?}");
                put(&intruder, target, "a", &good);
            }
        }
    }
}

#[tokio::test]
async fn every_renamed_row_is_detected() {
    for (table, name, _) in SEALED {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.db");
        filled(&path).await;
        let store = common::open(&path);
        assert_eq!(read_a(&store, table).await, Ok(format!("{SECRET}a")), "{table}");
        let intruder = intruder(&path);
        intruder.execute(&format!("DELETE FROM {table} WHERE {name} = 'a'"), []).unwrap();
        intruder.execute(&format!("UPDATE {table} SET {name} = 'a' WHERE {name} = 'b'"), []).unwrap();
        let outcome = read_a(&store, table).await;
        assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{table}: {outcome:?}");
    }
}

#[tokio::test]
async fn loading_detects_what_was_changed_and_says_where_without_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    filled(&path).await;
    let store = common::open(&path);
    assert!(store.load().await.is_ok());
    let intruder = intruder(&path);
    let other = sealed(&intruder, SEALED[0], "a");
    put(&intruder, SEALED[0], "b", &other);
    let loaded = store.load().await.unwrap();
    let text = loaded.damaged[0].to_string();
    assert!(text.contains("clients.access_token of \"b\"") && !text.contains(SECRET), "{text}");
}

/// One flipped byte of one sealed value kept a server from starting, and everybody else from being served.
#[tokio::test]
async fn one_damaged_row_of_each_kind_takes_nothing_else_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    filled(&path).await;
    let (store, intruder) = (common::open(&path), intruder(&path));
    for place in SEALED {
        let mut bad = sealed(&intruder, place, "a");
        *bad.last_mut().unwrap() ^= 1;
        put(&intruder, place, "a", &bad);
    }
    let loaded = store.load().await.unwrap();
    let named: Vec<_> = loaded.damaged.iter().map(|row| (row.kind, row.id.as_str())).collect();
    let kinds = [
        SealedKind::Client,
        SealedKind::OldToken,
        SealedKind::Issuer,
        SealedKind::Account,
        SealedKind::RecoveryCode,
        SealedKind::Session,
        SealedKind::Refresh,
    ];
    assert_eq!(named, kinds.map(|kind| (kind, "a")));

    // The client's name stays taken, with a token that nobody knows; the others of its kind are as they were.
    assert_eq!(loaded.clients.iter().map(|client| client.client_id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(loaded.clients[0].access_token.expose().len() >= 44 && loaded.clients[0].access_token != secret("a"));
    assert_eq!(loaded.clients[0].scopes, common::client("a").scopes);
    assert_eq!(loaded.clients[1].access_token, secret("b"));
    let conflict = store.insert_client(&common::step(&store, "x").await, &common::client("a")).await;
    assert_eq!(conflict, Err(StoreError::Conflict));
    // The issuer signs no more.
    assert_eq!(loaded.issuers.iter().map(|issuer| issuer.retired_ms.is_some()).collect::<Vec<_>>(), [true, false]);
    assert_ne!(loaded.issuers[0].token, secret("a"));
    // The account has no password, recovery code and session are not there.
    let (damaged, whole) = (store.credentials("a").await.unwrap(), store.credentials("b").await.unwrap());
    assert_eq!([damaged.password_hash, whole.password_hash], [None, Some(format!("{SECRET}b"))]);
    assert_eq!((damaged.recovery_codes.len(), whole.recovery_codes[0].hash.as_str()), (0, secret("b").expose()));
    let has_password: Vec<_> = store.credentials_counts().await.unwrap().into_iter().map(|count| count.has_password).collect();
    assert_eq!(has_password, [false, true]);
    assert_eq!(store.session("a").await.unwrap(), None);
    assert_eq!(store.sessions_of("local/a").await.unwrap(), [session("b")]);
    // The provider can't be asked about the one, and about the other as before.
    let due = store.claim_due_refreshes(0, 1, 10).await.unwrap();
    assert!(due.first().unwrap().handle.as_ref().unwrap().is_of_nobody());
    assert_eq!(
        due.into_iter().skip(1).map(|refresh| (refresh.identity, refresh.handle)).collect::<Vec<_>>(),
        [("b".into(), Some(secret("b")))]
    );
}

/// A record that was damaged after it had changed stopped a node from catching up.
#[tokio::test]
async fn catching_up_goes_on_over_a_damaged_row_and_a_new_token_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    filled(&path).await;
    let (store, intruder) = (common::open(&path), intruder(&path));
    for place in [SEALED[0], SEALED[2]] {
        put(&intruder, place, "a", b"nothing");
    }
    let changed = store.changed_records(falconer_store::Revision(0), 1000).await.unwrap();
    assert_eq!(changed.up_to, changed.present);
    assert_eq!(changed.records.len(), 8, "two clients, two issuers, two identities, two people");

    let client = falconer_store::ClientRecord { access_token: secret("new"), ..common::client("a") };
    store.update_client(&common::step(&store, "x").await, &client).await.unwrap();
    let loaded = store.load().await.unwrap();
    assert_eq!(loaded.damaged.iter().map(|row| row.kind).collect::<Vec<_>>(), [SealedKind::Issuer]);
    assert_eq!(loaded.clients[0].access_token, secret("new"));
}

#[tokio::test]
async fn no_secret_can_be_read_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    filled(&path).await;
    let store = common::open(&path);
    let step = common::step(&store, "x").await;
    let client = falconer_store::ClientRecord { access_token: secret("new"), ..common::client("a") };
    store.update_client(&step, &client).await.unwrap();
    // While it is open, the log is there too.
    let mut scanned = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        scanned += bytes.len();
        assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
    }
    assert!(scanned > 100_000, "{scanned}");
}

/// A whole round: how many values each part has sealed again.
async fn parts(store: &SqliteStore, limit: u32) -> Vec<u32> {
    let (mut from, mut parts) = (Some(ResealFrom::default()), Vec::new());
    while let Some(place) = from {
        let part = store.reseal(&place, limit).await.unwrap();
        parts.push(part.count);
        from = part.next;
    }
    parts
}

#[tokio::test]
async fn keys_are_rotated_while_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    filled(&path).await;
    let mut both = common::keys();
    both.push("newer", [9; 32]).unwrap();
    let only_new = KeyRing::from_bytes("newer", [9; 32]).unwrap();
    let store = common::open(&path);

    store.use_keys(both);
    assert_eq!(read_a(&store, "clients").await, Ok(format!("{SECRET}a")));
    assert_eq!(parts(&store, 5).await, [5, 5, 4]);
    assert_eq!(parts(&store, 5).await, [0, 0, 0]);
    store.use_keys(only_new);
    for (table, _, _) in SEALED {
        assert_eq!(read_a(&store, table).await, Ok(format!("{SECRET}a")), "{table}");
    }

    store.use_keys(common::keys());
    let error = read_a(&store, "clients").await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(why) if why.contains("newer")), "{error}");
}

/// Story: a server that did not have the key of a client's token wrote another token over it with the next change of that client; and of the token before it, and of what a
/// provider is asked with, it said that there was none, and wrote that.
#[tokio::test]
async fn a_token_that_did_not_open_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let store = common::open(&path);
    let mut both = common::keys();
    both.push("later", [8; 32]).unwrap();
    store.use_keys(both.clone());
    let old_token = Some(falconer_store::OldToken { token: secret("old"), ends_ms: 5 });
    let inserted = falconer_store::ClientRecord { old_token: old_token.clone(), ..common::client("c") };
    store.insert_client(&common::step(&store, "x").await, &inserted).await.unwrap();
    let refresh = falconer_store::RefreshRecord { identity: "ann".into(), handle: Some(secret("handle")), due_ms: 5 };
    store.put_refresh(&refresh).await.unwrap();
    store.use_keys(common::keys());
    let claimed = store.claim_refresh("ann", 5, 6).await.unwrap().unwrap();
    assert!(claimed.handle.as_ref().unwrap().is_of_nobody());
    store.put_refresh(&falconer_store::RefreshRecord { due_ms: 7, ..claimed }).await.unwrap();
    let seen = store.client("c").await.unwrap().unwrap();
    assert!(seen.access_token.is_of_nobody() && seen.old_token.as_ref().unwrap().token.is_of_nobody());
    // The same once more is no change, although each reading has another text for what nobody knows.
    let before = store.revision().await.unwrap();
    store.write_batch(&common::step(&store, "x").await, &[], std::slice::from_ref(&seen)).await.unwrap();
    assert_eq!(store.changes_since(before, 10).await.unwrap(), []);
    let changed = falconer_store::ClientRecord { description: "changed".into(), ..seen };
    store.update_client(&common::step(&store, "x").await, &changed).await.unwrap();
    store.write_batch(&common::step(&store, "x").await, &[], &[falconer_store::ClientRecord { disabled: true, ..changed }]).await.unwrap();
    let history = store.entity_history("client", "c", falconer_store::AuditStart::Offset(0), 10).await.unwrap();
    assert!(history.iter().all(|row| row.action != "access token set"), "{history:?}");
    let other = falconer_store::ClientRecord { client_id: "d".into(), ..store.client("c").await.unwrap().unwrap() };
    let refused = store.insert_client(&common::step(&store, "x").await, &other).await;
    assert!(matches!(&refused, Err(StoreError::Corrupt(why)) if why.contains("did not open")), "{refused:?}");
    store.use_keys(both);
    let kept = store.client("c").await.unwrap().unwrap();
    assert_eq!(kept.old_token, old_token);
    assert_eq!(store.claim_refresh("ann", 7, 8).await.unwrap(), Some(falconer_store::RefreshRecord { due_ms: 7, ..refresh.clone() }));
    assert_eq!((kept.access_token, kept.description.as_str(), kept.disabled), (common::client("c").access_token, "changed", true));
    let reset = falconer_store::ClientRecord { access_token: secret("new"), ..common::client("c") };
    store.update_client(&common::step(&store, "x").await, &reset).await.unwrap();
    let after = store.client("c").await.unwrap().unwrap();
    assert_eq!((after.access_token, after.old_token), (secret("new"), None));
    store.put_refresh(&falconer_store::RefreshRecord { handle: None, ..refresh }).await.unwrap();
    assert_eq!(store.claim_refresh("ann", 7, 8).await.unwrap().unwrap().handle, None, "what was told to go goes");
}
