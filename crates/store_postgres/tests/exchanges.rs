//! How many statements a change takes that touches many rows. Whoever changes something keeps everybody else out until the last one is answered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::counting::CountingProxy;
use common::records::{client, role, step};
use falconer_store::{ClientRecord, GrantRecord, ResealFrom, RoleRecord, Store, conformance};
use falconer_store_postgres::PostgresStore;

/// So many rows are touched.
const MANY: usize = 60;
/// What begins, is the change, and ends, with room for a statement of another kind.
const FEW: usize = 16;

/// Story: what touches many rows wrote one after the other, each a way to the database and back. From another region nobody could revoke anything for a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn what_touches_many_rows_takes_few_statements() {
    let url = common::server().schema().await;
    let proxy = CountingProxy::before(&url).await;
    let store = PostgresStore::open_beside(&proxy.url(&url), None, common::keys(), common::random()).await.unwrap();
    let mut counts = Vec::new();

    let roles: Vec<RoleRecord> = (0..MANY).map(|n| role(&format!("r{n}"))).collect();
    let taken = step(&store).await;
    let (count, done) = proxy.count(store.insert_roles(&taken, &roles)).await;
    done.unwrap();
    counts.push(("insert roles, each a statement that waits for no other", count.saturating_sub(MANY)));

    for (what, scope) in [("add static clients", "a"), ("replace static clients", "b")] {
        let clients: Vec<ClientRecord> =
            (0..MANY).map(|n| ClientRecord { scopes: vec![scope.to_owned()], ..client(&format!("static/c{n}")) }).collect();
        let taken = step(&store).await;
        let (count, done) = proxy.count(store.replace_static_clients(&taken, &clients)).await;
        done.unwrap();
        counts.push((what, count.saturating_sub(MANY)));
    }

    let ids = |name: &str| (0..MANY).map(|n| format!("{name}{n}")).collect::<Vec<_>>();
    for id in ids("g") {
        store.insert_grant(&step(&store).await, &conformance::sample_grant(&id, ""), None).await.unwrap();
        let derived = GrantRecord { parent: Some(id.clone()), ..conformance::sample_grant(&format!("of-{id}"), "") };
        store.insert_grant(&step(&store).await, &derived, None).await.unwrap();
    }
    let uses: Vec<_> = ids("g").into_iter().map(|id| (id, 5, 1)).collect();
    let (count, done) = proxy.count(store.note_uses(&[], &uses)).await;
    done.unwrap();
    counts.push(("note uses", count));
    let taken = step(&store).await;
    let (count, done) = proxy.count(store.revoke_grants(&taken, &ids("g"), "me", "why")).await;
    done.unwrap();
    counts.push(("revoke grants and what was derived of them", count));

    let taken = step(&store).await;
    let (count, done) = proxy.count(store.end_sessions(&taken, &ids("local/"))).await;
    done.unwrap();
    counts.push(("end sessions", count));

    let mut keys = common::keys();
    keys.push("later", [8; 32]).unwrap();
    store.use_keys(keys);
    let (count, resealed) = proxy.count(store.reseal(&ResealFrom::default(), 1000)).await;
    assert_eq!(resealed.unwrap().count as usize, MANY);
    counts.push(("seal again", count));
    assert!(!store.needs_older_keys().await.unwrap());

    let (count, done) = proxy.count(store.prune(5)).await;
    done.unwrap();
    counts.push(("prune, four statements for each kind", count.saturating_sub(4 * 13)));

    let too_many: Vec<_> = counts.iter().filter(|(_, count)| *count > FEW).collect();
    assert!(too_many.is_empty(), "{too_many:?} of {counts:?}");
}
