//! A store beside others: those who hold its rows, those who know more than it does, and a database that ends what it was asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::counting::CountingProxy;
use common::records::{client, code, connect, pid_of, role, step, who_waits_for};
use falconer_store::{Change, ChangeKind, ClientRecord, KeyKind, Revision, Secret, SessionApplication, Store, StoreError, conformance};
use falconer_store_postgres::PostgresStore;

/// Story: uses were noted one by one under the lock of all changes. With a thousand of them and a way of 80 ms, nobody could revoke anything for a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn uses_are_noted_while_somebody_else_has_the_lock_of_all_changes() {
    let url = common::server().schema().await;
    let store = common::open(&url).await;
    for id in ["a", "b"] {
        store.insert_client(&step(&store).await, &client(id)).await.unwrap();
        store.insert_grant(&step(&store).await, &conformance::sample_grant(&format!("g{id}"), ""), None).await.unwrap();
    }
    let (holder, looker) = (connect(&url).await, connect(&url).await);
    let pid = pid_of(&holder).await;
    let uses = |at_ms| {
        let ids = ["a", "b", "gone"];
        let clients = ids.map(|id| (id.to_owned(), at_ms));
        (clients, ids.map(|id| (format!("g{id}"), at_ms, 2)))
    };
    let (clients, grants) = uses(7);
    holder.batch_execute("BEGIN; SELECT revision FROM meta FOR UPDATE").await.unwrap();
    tokio::time::timeout(Duration::from_secs(60), store.note_uses(&clients, &grants)).await.expect("nobody is waited for").unwrap();

    // What somebody changes just then is noted when that is done, and the rest at once.
    holder
        .batch_execute("UPDATE clients SET description = 'x' WHERE client_id = 'a'; UPDATE grants SET label = 'x' WHERE id = 'ga'")
        .await
        .unwrap();
    let (clients, grants) = uses(9);
    let noted = |client_id: &'static str| {
        let store = &store;
        async move {
            let client = store.client(client_id).await.unwrap().unwrap();
            let grant = store.grant(&format!("g{client_id}")).await.unwrap().unwrap();
            (client.last_date_used_ms, grant.last_used_ms, grant.use_count)
        }
    };
    let mut noting = Box::pin(store.note_uses(&clients, &grants));
    tokio::select! {
        done = &mut noting => panic!("{done:?}"),
        _ = who_waits_for(&looker, pid) => {}
    }
    assert_eq!((noted("a").await, noted("b").await), ((7, Some(7), 2), (9, Some(9), 4)));
    holder.batch_execute("COMMIT").await.unwrap();
    noting.await.unwrap();
    assert_eq!((noted("a").await, noted("b").await), ((9, Some(9), 4), (9, Some(9), 4)));
}

/// Story: the applications that know of a session were with the one after it in a transaction of their own. A server that ended there left the old session, whose end
/// nobody was told of any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_session_is_succeeded_as_a_whole_or_not_at_all() {
    let url = common::server().schema().await;
    let store = common::open(&url).await;
    for hash in ["old", "new"] {
        store.insert_session(&conformance::sample_session(hash, "local/ann")).await.unwrap();
    }
    let known = SessionApplication {
        session: "old".to_owned(),
        application: "wiki".to_owned(),
        sid: "sid".to_owned(),
        subject: "ann".to_owned(),
        uri: "https://wiki.example.com/logout".to_owned(),
        kept_until_ms: i64::MAX,
    };
    store.note_session_application(&known).await.unwrap();
    let (holder, looker) = (connect(&url).await, connect(&url).await);
    let pid = pid_of(&holder).await;
    holder.batch_execute("BEGIN; SELECT 1 FROM sessions WHERE id_hash = 'old' FOR UPDATE").await.unwrap();
    let mut succeeding = Box::pin(store.succeed_session("old", "new"));
    tokio::select! {
        done = &mut succeeding => panic!("{done:?}"),
        _ = who_waits_for(&looker, pid) => {}
    }
    let with = async || looker.query_one("SELECT session FROM session_applications", &[]).await.unwrap().get::<_, String>(0);
    assert_eq!(with().await, "old", "nothing is done yet");
    holder.batch_execute("COMMIT").await.unwrap();
    succeeding.await.unwrap();
    assert_eq!((with().await.as_str(), store.session("old").await.unwrap()), ("new", None));
}

/// Each part is removed by itself, and nothing that has ended stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn more_than_a_part_of_what_has_ended_is_removed() {
    let url = common::server().schema().await;
    let store = common::open(&url).await;
    common::run(&url, "INSERT INTO attempts (key, at_ms, count, until_ms) SELECT n::text, 1, 1, 5 FROM generate_series(1, 2500) AS n")
        .await;
    common::run(&url, "INSERT INTO setup_links (hash, expires_ms) SELECT n::text, n FROM generate_series(1, 2500) AS n").await;
    store.prune(2000).await.unwrap();
    let looker = connect(&url).await;
    let count = async |table: &str| looker.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get::<_, i64>(0);
    assert_eq!((count("attempts").await, count("setup_links").await), (0, 500));
}

/// Story: a start ended after a minute of reading, so that beyond so many clients no server started.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn loading_takes_as_long_as_it_takes() {
    let url = common::server().schema().await;
    let store = common::open(&url).await;
    store.insert_role(&step(&store).await, &role("r")).await.unwrap();
    // It shows its rows to whoever has no limit.
    let view = "CREATE VIEW roles AS SELECT * FROM all_roles WHERE current_setting('statement_timeout') = '0'";
    common::run(&url, &format!("ALTER TABLE roles RENAME TO all_roles; {view}")).await;
    assert_eq!(store.load().await.unwrap().roles, [role("r")]);
}

/// Story: the answer to a statement that is committed by itself was lost, and whoever asked was told that nothing had been done. An application that then came again
/// with its token lost its grant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn whether_a_statement_was_committed_by_itself_nobody_knows_where_its_answer_is_lost() {
    let url = common::server().schema().await;
    let store = common::open(&url).await;
    store.insert_grant(&step(&store).await, &conformance::sample_grant("g", ""), None).await.unwrap();
    let (holder, looker) = (connect(&url).await, connect(&url).await);
    let pid = pid_of(&holder).await;
    holder.batch_execute("BEGIN; LOCK TABLE grant_secrets IN SHARE MODE").await.unwrap();
    let (secret, cut) = (code("c"), async {
        let waiting = who_waits_for(&looker, pid).await;
        looker.execute("SELECT pg_terminate_backend($1)", &[&waiting]).await.unwrap();
    });
    let (inserted, ()) = tokio::join!(store.insert_grant_secret(&secret), cut);
    assert!(matches!(inserted, Err(StoreError::Unknown(_))), "{inserted:?}");
    holder.batch_execute("ROLLBACK; ALTER TABLE grant_secrets RENAME TO elsewhere").await.unwrap();
    // What the database says of the statement itself is certain.
    assert!(matches!(store.insert_grant_secret(&secret).await, Err(StoreError::Corrupt(_))));
}

/// Story: the answer to the use of a code was lost, and nobody could say whether it had been used. Whoever used it asks once more, and learns whether it was he.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn whoever_lost_the_answer_to_a_use_learns_whether_it_was_his() {
    let url = common::server().schema().await;
    let proxy = CountingProxy::before(&url).await;
    let store = PostgresStore::open_beside(&proxy.url(&url), None, common::keys(), common::random()).await.unwrap();
    store.insert_grant(&step(&store).await, &conformance::sample_grant("g", ""), None).await.unwrap();
    store.insert_grant_secret(&code("c")).await.unwrap();
    proxy.lose_a_use();
    assert_eq!(store.use_grant_secret("c", 5).await, Ok(true), "it was used by this call");
    assert_eq!(store.use_grant_secret("c", 6).await, Ok(false), "and by no other one");
    assert_eq!(store.grant_secret("c").await.unwrap().unwrap().used_ms, Some(5));

    // Before it was done.
    store.insert_grant_secret(&code("d")).await.unwrap();
    let (holder, looker) = (connect(&url).await, connect(&url).await);
    let pid = pid_of(&holder).await;
    holder.batch_execute("BEGIN; SELECT 1 FROM grant_secrets FOR UPDATE").await.unwrap();
    let cut = async {
        let waiting = who_waits_for(&looker, pid).await;
        looker.execute("SELECT pg_terminate_backend($1)", &[&waiting]).await.unwrap();
        holder.batch_execute("ROLLBACK").await.unwrap();
    };
    let (used, ()) = tokio::join!(store.use_grant_secret("d", 7), cut);
    assert_eq!((used, store.use_grant_secret("d", 8).await), (Ok(true), Ok(false)));
}

/// Story: all files of a new version ran in one transaction, so that what one of them had locked kept everybody out while another one made an index, or waited for one
/// who held a table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn each_file_of_a_new_version_is_done_by_itself() {
    let url = common::server().schema().await;
    drop(common::open(&url).await);
    // As before the last ones, of which the second one makes an index.
    common::run(
        &url,
        "DROP INDEX clients_in_order, grants_by_application, grants_living_by_parent; ALTER TABLE initial_tokens DROP COLUMN creator; DROP TABLE node_keys, scope_registries; ALTER TABLE grant_secrets DROP COLUMN used_by; ALTER TABLE passkeys DROP COLUMN user_handle;
         ALTER TABLE device_requests DROP COLUMN used_by; DELETE FROM falconer_migrations WHERE version >= 34",
    )
    .await;
    let (holder, looker) = (connect(&url).await, connect(&url).await);
    let pid = pid_of(&holder).await;
    holder.batch_execute("BEGIN; LOCK TABLE clients IN ROW EXCLUSIVE MODE").await.unwrap();
    let freed = async {
        who_waits_for(&looker, pid).await;
        let version: i64 = looker.query_one("SELECT max(version) FROM falconer_migrations", &[]).await.unwrap().get(0);
        holder.batch_execute("ROLLBACK").await.unwrap();
        version
    };
    let (store, version) = tokio::join!(common::open(&url), freed);
    assert_eq!(version, 34, "the table of the one before is there, and held by nobody");
    assert!(store.note_keys(&[], 1000).await.is_ok());
}

/// Story: a server that a newer schema leaves out took no step any more, and went on with sessions, codes and tokens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn nothing_at_all_is_written_to_a_schema_that_is_newer() {
    let url = common::server().schema().await;
    let store = common::open(&url).await;
    store.insert_grant(&step(&store).await, &conformance::sample_grant("g", ""), None).await.unwrap();
    store.insert_grant_secret(&code("before")).await.unwrap();
    common::run(&url, "INSERT INTO falconer_migrations (version, name, checksum) VALUES (10000, 'later', 'x')").await;
    let refused = [
        store.insert_grant_secret(&code("after")).await,
        store.use_grant_secret("before", 5).await.map(drop),
        store.note_attempt("key", 5, 5).await.map(drop),
        store.note_uses(&[("c".to_owned(), 5)], &[]).await.map(drop),
        store.prune(5).await,
        store.take_lease("upkeep", "me", 5).await.map(drop),
        store.ping().await,
    ];
    for refused in refused {
        assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("a newer version of Falconer")), "{refused:?}");
    }
    assert_eq!(store.grant_secret("before").await.unwrap().unwrap().used_ms, None, "it goes on reading");
    common::run(&url, "UPDATE falconer_migrations SET beside = 1 WHERE version = 10000").await;
    assert_eq!(store.use_grant_secret("before", 5).await, Ok(true), "one that says that this one may");
}

/// Story: one code or link of a kind that a newer version had made was called damage of the whole store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_secret_or_a_link_of_a_kind_that_nobody_knows_here_is_none() {
    let url = common::server().schema().await;
    let store = common::open(&url).await;
    store.insert_grant_secret(&code("c")).await.unwrap();
    common::run(
        &url,
        "UPDATE grant_secrets SET kind = 'later'; INSERT INTO account_links (hash, account, kind, made_by, password, created_ms, expires_ms)
           VALUES ('h', 'ann', 'later', 'x', 'x', 1, 2)",
    )
    .await;
    assert_eq!(store.grant_secret("c").await, Ok(None));
    assert_eq!((store.account_link("h").await, store.account_link_of("ann").await), (Ok(None), Ok(None)));
}

/// Which keys each node has, by the clock of the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn what_nodes_say_of_their_keys_holds_for_as_long_as_they_say() {
    let url = common::server().schema().await;
    let (here, there) = (common::open(&url).await, common::open(&url).await);
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    here.note_keys(&keys(&["k1 a"]), 600_000).await.unwrap();
    there.note_keys(&keys(&["k1 a", "k2 b"]), 600_000).await.unwrap();
    let mut said = there.keys_of_nodes().await.unwrap();
    said.sort();
    assert_eq!(said, [keys(&["k1 a"]), keys(&["k1 a", "k2 b"])]);
    here.note_keys(&[], 0).await.unwrap();
    assert_eq!(there.keys_of_nodes().await.unwrap(), [keys(&["k1 a", "k2 b"])]);
}

/// Story: a newer version wrote a change of a kind that the others did not know, and they all were cut off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_change_of_a_kind_that_nobody_knows_here_is_passed_over() {
    let url = common::server().schema().await;
    let store = common::open(&url).await;
    store.insert_role(&step(&store).await, &role("r")).await.unwrap();
    let later = "INSERT INTO changes (revision, kind, key, key_hash, at_ms, what) SELECT n, 'later', 'x', sha256('x'), 1, 'created' FROM generate_series(2, 6) AS n";
    common::run(&url, &format!("{later}; UPDATE meta SET revision = 6")).await;
    store.insert_role(&step(&store).await, &role("s")).await.unwrap();
    let changed = store.changed_records(Revision(1), 1).await.unwrap();
    assert_eq!((changed.up_to, changed.present, changed.records.roles), (Revision(7), Revision(7), vec![role("s")]));
    let change = Change { revision: Revision(7), key_kind: KeyKind::Role, key: "s".to_owned(), what: ChangeKind::Created, at_ms: 1 };
    assert_eq!(store.changes_since(Revision(1), 1).await.unwrap(), [change]);
    assert_eq!(changed.newest.len(), 1);
}

/// Story: a server that did not have the key of a client's token wrote another token over it with the next change of that client; and of the token before it, and of what a
/// provider is asked with, it said that there was none, and wrote that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_token_that_did_not_open_is_not_written_over() {
    let url = common::server().schema().await;
    let (here, there) = (common::open(&url).await, common::open(&url).await);
    let mut both = common::keys();
    both.push("later", [8; 32]).unwrap();
    there.use_keys(both);
    let old_token = Some(falconer_store::OldToken { token: Secret::new("old"), ends_ms: 5 });
    there.insert_client(&step(&there).await, &ClientRecord { old_token: old_token.clone(), ..client("c") }).await.unwrap();
    let refresh = falconer_store::RefreshRecord { identity: "ann".to_owned(), handle: Some(Secret::new("handle")), due_ms: 5 };
    there.put_refresh(&refresh).await.unwrap();
    let claimed = here.claim_due_refreshes(5, 6, 1).await.unwrap().remove(0);
    assert!(claimed.handle.as_ref().unwrap().is_of_nobody());
    here.put_refresh(&falconer_store::RefreshRecord { due_ms: 7, ..claimed }).await.unwrap();
    assert_eq!(there.claim_refresh("ann", 7, 8).await.unwrap(), Some(falconer_store::RefreshRecord { due_ms: 7, ..refresh.clone() }));
    there.put_refresh(&falconer_store::RefreshRecord { handle: None, ..refresh }).await.unwrap();
    assert_eq!(there.claim_refresh("ann", 7, 8).await.unwrap().unwrap().handle, None, "what was told to go goes");
    let seen = here.client("c").await.unwrap().unwrap();
    assert!(seen.access_token.is_of_nobody() && seen.old_token.as_ref().unwrap().token.is_of_nobody());
    // The same once more is no change, although each reading has another text for what nobody knows.
    let before = here.revision().await.unwrap();
    here.write_batch(&step(&here).await, &[], std::slice::from_ref(&seen)).await.unwrap();
    assert_eq!(here.changes_since(before, 10).await.unwrap(), []);
    here.update_client(&step(&here).await, &ClientRecord { description: "changed".to_owned(), ..seen }).await.unwrap();
    let kept = there.client("c").await.unwrap().unwrap();
    assert_eq!((kept.access_token, kept.old_token, kept.description.as_str()), (Secret::new("token"), old_token, "changed"));
    let reset = ClientRecord { access_token: Secret::new("new"), ..client("c") };
    here.update_client(&step(&here).await, &reset).await.unwrap();
    let after = there.client("c").await.unwrap().unwrap();
    assert_eq!((after.access_token, after.old_token), (Secret::new("new"), None));
}

/// Story: where the connection was lost between the two halves, all uses were noted once more a minute later, and those of the first half were counted twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn uses_whose_second_half_fails_are_counted_once() {
    let url = common::server().schema().await;
    let store = common::open(&url).await;
    for id in ["a", "b"] {
        store.insert_grant(&step(&store).await, &conformance::sample_grant(id, ""), None).await.unwrap();
    }
    let (holder, looker) = (connect(&url).await, connect(&url).await);
    let pid = pid_of(&holder).await;
    holder.batch_execute("BEGIN; SELECT revision FROM meta FOR UPDATE; UPDATE grants SET label = 'x' WHERE id = 'a'").await.unwrap();
    let uses = ["a", "b"].map(|id| (id.to_owned(), 7, 2));
    let mut noting = Box::pin(store.note_uses(&[], &uses));
    let waiting = tokio::select! {
        done = &mut noting => panic!("{done:?}"),
        waiting = who_waits_for(&looker, pid) => waiting,
    };
    looker.execute("SELECT pg_terminate_backend($1)", &[&waiting]).await.unwrap();
    let left = noting.await.unwrap();
    assert_eq!((left.clients.len(), &left.grants[..]), (0, &uses[..1]), "and no more is to be noted again");
    holder.batch_execute("COMMIT").await.unwrap();
    store.note_uses(&left.clients, &left.grants).await.unwrap();
    for id in ["a", "b"] {
        assert_eq!(store.grant(id).await.unwrap().unwrap().use_count, 2, "{id}");
    }
}

/// Story: a third risk, which only a newer version knew, kept every other server from starting; and so did a change by a new word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn words_that_only_a_newer_version_knows_keep_nobody_from_following() {
    let url = common::server().schema().await;
    let store = common::open(&url).await;
    let sentence = falconer_store::ScopeSentence { template: "n:x".into(), sentence: "X".into(), risk: falconer_store::Risk::Ordinary };
    let registry = falconer_store::ScopeRegistryRecord {
        namespace: "n".into(),
        scopes: vec![sentence],
        published_by: "x".into(),
        created_ms: 1,
        last_modified_ms: 1,
    };
    let before = store.revision().await.unwrap();
    store.put_scope_registry(&step(&store).await, &registry).await.unwrap();
    common::run(&url, "UPDATE scope_registries SET scopes = replace(scopes, 'ordinary', 'severe'); ALTER TABLE changes DROP CONSTRAINT changes_what_check; UPDATE changes SET what = 'sealed'")
        .await;
    let loaded = store.load().await.unwrap();
    assert_eq!(loaded.scope_registries[0].scopes[0].risk, falconer_store::Risk::High, "no less than what is known");
    let changed = store.changed_records(before, 10).await.unwrap();
    assert_eq!(changed.records.scope_registries, loaded.scope_registries);
}

/// Whoever notes uses without waiting may be in the way of somebody else who does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn uses_of_the_same_grant_that_are_noted_at_once_are_all_counted() {
    let url = common::server().schema().await;
    let stores = [common::open(&url).await, common::open(&url).await];
    stores[0].insert_grant(&step(&stores[0]).await, &conformance::sample_grant("g", ""), None).await.unwrap();
    let used = [("g".to_owned(), 5, 1)];
    for _ in 0..25 {
        let notes = (0..8).map(|n| stores[n % 2].note_uses(&[], &used));
        assert!(futures_util::future::join_all(notes).await.iter().all(Result::is_ok));
    }
    assert_eq!(stores[0].grant("g").await.unwrap().unwrap().use_count, 200);
}
