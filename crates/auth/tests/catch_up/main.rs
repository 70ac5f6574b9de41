//! The directory follows the change feed: by rows, once for all who wait, and anew where the history is another; and what holds of several nodes while things go wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/dice.rs"]
mod dice;
mod enemy;
mod histories;
mod missing_keys;
mod simulation;

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use common::failing::{Failing, WIDTH};
use common::{Counting, START_MS, World, memory_store, new_grant, person, settings, step_beside};
use falconer_auth::{ApiError, AtLeast, Auth, Authentication, FeedItem, Random, Snapshot, WaitOutcome};
use falconer_store::*;
use falconer_store_sqlite::SqliteStore;

/// A variable of the environment, where it is set.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// How many of something, for a soak. Whoever mistypes a number must not believe that so many were run.
fn number(variable: impl Fn(&str) -> Option<String>, name: &str, otherwise: u64) -> u64 {
    match variable(name) {
        Some(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text:?}")),
        None => otherwise,
    }
}

/// Polls a future once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    let mut future = Some(future);
    std::future::poll_fn(move |context| Poll::Ready(Pin::new(&mut **future.as_mut().unwrap()).poll(context))).await
}

/// A node on a store that counts.
async fn counted(world: &World, inner: Arc<dyn Store>) -> (Auth, Arc<Failing>) {
    let store = Arc::new(Failing::new(inner));
    let auth = Auth::open(store.clone(), settings(), world.clock.clone(), world.random.clone()).await.unwrap();
    (auth, store)
}

/// Writes past every node.
async fn beside(store: &dyn Store, write: Write) -> Result<Revision> {
    store.take(&step_beside(store.revision().await?, START_MS), write).await
}

fn role(id: &str, scopes: &[String]) -> RoleRecord {
    let scopes = scopes.to_vec();
    RoleRecord { role_id: id.to_owned(), scopes, description: String::new(), created_ms: START_MS, last_modified_ms: START_MS }
}

fn client(id: &str, n: u64) -> ClientRecord {
    ClientRecord {
        client_id: id.to_owned(),
        description: format!("the {n}th"),
        access_token: Secret::new(format!("token-{n}")),
        expires_us: (START_MS + 1_000_000) * 1000,
        created_ms: START_MS,
        last_modified_ms: START_MS,
        last_date_used_ms: START_MS,
        last_rotated_ms: START_MS,
        delete_on_expiration: false,
        scopes: vec![format!("s:{n}")],
        disabled: n.is_multiple_of(2),
        grant: None,
        revoked: RevokedCertificates::default(),
        old_token: None,
    }
}

/// 50 heartbeats while a command commits made 50 full loads, one after the other.
#[tokio::test]
async fn one_look_at_the_store_serves_all_who_wait() {
    let world = World::bare().await;
    let (auth, store) = counted(&world, world.store.clone()).await;
    let (catch_ups, loads) = (store.calls_of("changed_records"), store.calls_of("load_each"));
    beside(&*world.store, Write::InsertRoles(vec![role("new", &[])])).await.unwrap();
    let permits = store.gate.acquire_many(WIDTH).await.unwrap();
    let mut first = Box::pin(auth.catch_up());
    assert!(poll_once(&mut first).await.is_pending());
    // A look is a task of its own, which begins when this one lets it.
    tokio::task::yield_now().await;
    let others = futures_util::future::join_all((0..49).map(|_| auth.catch_up()));
    let (first, others, ()) = futures_util::future::join3(first, others, async move { drop(permits) }).await;
    assert!(first == Ok(true) && others.into_iter().all(|answer| answer == Ok(true)), "all find it");
    assert!(auth.directory().role("new").is_some());
    // The first one has begun before the others came, so that it does not count for them.
    assert_eq!(store.calls_of("changed_records") - catch_ups, 2, "one for the first, one for the 49 others");
    assert_eq!(store.calls_of("load_each"), loads, "what changed is read, and nothing else");
}

/// A start read the first of the changes, with their records, and threw them away: it loads everything anyway.
#[tokio::test]
async fn a_start_loads_everything_and_asks_for_no_changes() {
    let world = World::bare().await;
    beside(&*world.store, Write::InsertRoles(vec![role("new", &[])])).await.unwrap();
    let (auth, store) = counted(&world, world.store.clone()).await;
    assert!(auth.directory().role("new").is_some());
    assert_eq!((store.calls_of("load_each"), store.calls_of("changed_records")), (1, 0));
}

/// A look that was given up in the middle (its caller hung up) answers nobody.
#[tokio::test]
async fn a_look_that_was_given_up_serves_nobody() {
    let world = World::bare().await;
    let (auth, store) = counted(&world, world.store.clone()).await;
    let permits = store.gate.acquire_many(WIDTH).await.unwrap();
    let mut given_up = Box::pin(auth.catch_up());
    let mut second = Box::pin(auth.catch_up());
    assert!(poll_once(&mut given_up).await.is_pending());
    assert!(poll_once(&mut second).await.is_pending());
    beside(&*world.store, Write::InsertRoles(vec![role("new", &[])])).await.unwrap();
    drop(given_up);
    drop(permits);
    assert_eq!(second.await, Ok(true));
    assert!(auth.directory().role("new").is_some());
}

/// What a directory holds, to be compared.
fn seen(snapshot: &Snapshot) -> impl PartialEq + std::fmt::Debug + use<> {
    let roles: Vec<_> = snapshot.role_records().collect();
    let clients: Vec<_> = snapshot.clients("").map(|client| client.record()).collect();
    let mut grants: Vec<_> = snapshot.grants().map(|grant| grant.record.clone()).collect();
    grants.sort_by(|a, b| a.id.cmp(&b.id));
    let named: Vec<_> = grants.iter().map(|grant| snapshot.grant_named(&grant.client_id).map(|found| found.record.id.clone())).collect();
    let mut people: Vec<_> = snapshot.people().map(|person| person.record.clone()).collect();
    people.sort_by(|a, b| a.id.cmp(&b.id));
    let identities: Vec<_> = people.iter().flat_map(|person| snapshot.linked(&person.id).map(|identity| identity.record.clone())).collect();
    let expanded: Vec<_> = roles.iter().map(|role: &RoleRecord| snapshot.expand([format!("assume:{}", role.role_id)])).collect();
    let at = (snapshot.history(), snapshot.revision(), snapshot.highest_ms());
    (at, roles, clients, grants, (named, people, identities), expanded)
}

/// One write of any kind; some are refused, and some change nothing.
async fn any_write(store: &dyn Store, random: &mut impl FnMut(u64) -> u64) {
    let (name, n) = (random(5), random(1000));
    let (id, other) = (format!("x/{name}"), format!("x/{}", random(5)));
    let identity = person(&format!("local/p{name}"), &[&format!("s:{n}")], START_MS);
    let grant = |id: String| GrantRecord {
        id: id.clone(),
        identity: identity.identity.clone(),
        client_id: format!("{}/notes.example.com/{id}", identity.identity),
        scopes: vec![format!("s:{n}")],
        created_ms: START_MS,
        start_ms: START_MS,
        // Some ended so long ago that nobody holds them in memory.
        expires_ms: START_MS + if n % 3 == 0 { -40 * 86_400_000 } else { 1000 },
        ..conformance::sample_grant(&id, "")
    };
    let account = AccountRecord {
        name: format!("p{name}"),
        display_name: format!("{n}"),
        email: None,
        email_within: None,
        groups: Vec::new(),
        scopes: Vec::new(),
        disabled: false,
        deleted: false,
        created_ms: START_MS,
        last_modified_ms: START_MS,
    };
    let scopes = [format!("s:{n}"), format!("assume:{other}")];
    let write = match random(14) {
        0 => Write::InsertClient(client(&id, n)),
        1 => Write::UpdateClient(client(&id, n)),
        2 => Write::DeleteClient(id),
        3 => Write::InsertRoles(vec![role(&id, &scopes)]),
        4 => Write::UpdateRole(role(&id, &scopes)),
        5 => Write::DeleteRole(id),
        6 => Write::Batch(vec![role(&id, &scopes)], vec![client(&id, n), client(&format!("{id}/more"), n)]),
        7 => Write::ReplaceStaticClients(vec![client(&format!("static/{name}"), n)]),
        8 => Write::InsertGrant(grant(format!("g{n}")), None),
        9 => {
            let old = store.grants_of(&identity.identity).await.unwrap().first().map(|grant| grant.id.clone());
            Write::InsertGrant(grant(format!("h{n}")), old)
        }
        10 => {
            let ids = store.grants_of(&identity.identity).await.unwrap().into_iter().map(|grant| grant.id).take(2).collect();
            Write::RevokeGrants { ids, by: "me".to_owned(), reason: "so".to_owned() }
        }
        11 => Write::PutIdentity(identity.clone()),
        12 => Write::InsertAccount(account, identity.clone(), None),
        _ => Write::NoteRepeat("client".to_owned(), id),
    };
    // What is refused has changed nothing.
    let _ = beside(store, write).await;
}

#[tokio::test]
async fn following_the_rows_comes_to_what_loading_everything_comes_to() {
    for seed in 1..=6_u64 {
        let world = World::bare().await;
        let (auth, store) = counted(&world, world.store.clone()).await;
        let loads = store.calls_of("load_each");
        let mut state = seed;
        let mut random = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..12 {
            for _ in 0..random(6) {
                any_write(&*world.store, &mut random).await;
            }
            auth.catch_up().await.unwrap();
            assert_eq!(store.calls_of("load_each"), loads);
            let settings = falconer_auth::AuthSettings { leave_static_clients: true, ..settings() };
            let loaded = world.reopen(settings).await.directory();
            assert!(seen(&auth.directory()) == seen(&loaded), "seed {seed}: {:#?}\nloaded: {:#?}", seen(&auth.directory()), seen(&loaded));
        }
    }
}

#[tokio::test]
async fn more_rows_than_one_answer_holds_are_taken_in_together() {
    let world = World::bare().await;
    let (auth, store) = counted(&world, world.store.clone()).await;
    let loads = store.calls_of("load_each");
    for part in 0..3_u64 {
        let clients = (0..900).map(|n| client(&format!("many/{part}/{n}"), n)).collect();
        beside(&*world.store, Write::Batch(Vec::new(), clients)).await.unwrap();
    }
    auth.catch_up().await.unwrap();
    assert_eq!(auth.directory().clients("many/").count(), 2700);
    assert_eq!(auth.revision(), world.store.revision().await.unwrap());
    assert_eq!(store.calls_of("load_each"), loads);
}

#[tokio::test]
async fn a_feed_that_does_not_reach_back_means_a_load_of_everything() {
    let world = World::bare().await;
    let (auth, store) = counted(&world, world.store.clone()).await;
    let loads = store.calls_of("load_each");
    beside(&*world.store, Write::InsertRoles(vec![role("new", &[])])).await.unwrap();
    world.store.prune(START_MS + 365 * 86_400_000).await.unwrap();
    assert_eq!(auth.catch_up().await, Ok(true));
    assert!(auth.directory().role("new").is_some());
    assert_eq!(store.calls_of("load_each"), loads + 1);
    assert_eq!(auth.directory().history().start, Revision(0), "the same history");
}

/// `Falconer-At-Least: 999999999` had the store polled every 20 ms for a second, before anybody was known.
#[tokio::test]
async fn who_waits_for_a_revision_looks_at_the_store_once() {
    let world = World::bare().await;
    let (auth, store) = counted(&world, world.store.clone()).await;
    let catch_ups = store.calls_of("changed_records");
    let next = Revision(auth.revision().0 + 1);
    let mut waiting = Box::pin(auth.wait_for(AtLeast { epoch: Some(auth.directory().history().epoch), revision: next }));
    // Until it has looked.
    while store.calls_of("changed_records") == catch_ups {
        assert!(poll_once(&mut waiting).await.is_pending());
        tokio::task::yield_now().await;
    }
    beside(&*world.store, Write::InsertRoles(vec![role("new", &[])])).await.unwrap();
    let (awaited, caught_up) = futures_util::future::join(waiting, auth.catch_up()).await;
    assert_eq!(awaited, WaitOutcome::Reached);
    caught_up.unwrap();
    assert_eq!(store.calls_of("changed_records") - catch_ups, 2, "its own and that of the others");

    let far = AtLeast { epoch: None, revision: Revision(999_999_999) };
    let mut crowd: Vec<_> = (0..300).map(|_| Box::pin(auth.wait_for(far))).collect();
    let mut refused = 0;
    for one in &mut crowd {
        refused += usize::from(poll_once(one).await == Poll::Ready(WaitOutcome::TooMany));
    }
    assert_eq!(refused, 300 - 256);
}

#[tokio::test]
async fn grants_of_others_are_taken_in_with_their_names() {
    let world = World::bare().await;
    let (auth, _) = counted(&world, world.store.clone()).await;
    world.person("local/ann", &["a"]).await;
    let issued = world.auth.add_grant(new_grant("local/ann", &["a"], world.now())).await.unwrap();
    auth.catch_up().await.unwrap();
    assert!(auth.directory().grant_named(&issued.grant.client_id).is_some());
}

/// What a service publishes on one server, people read on another one.
#[tokio::test]
async fn another_server_knows_what_a_service_has_published() {
    let world = World::bare().await;
    let (one, other) = (&world.auth, counted(&world, world.store.clone()).await.0);
    let before = other.directory().scope_registries().clone();
    let who = world.as_root().await;
    let scopes = [ScopeSentence { template: "notes:x".to_owned(), sentence: "X".to_owned(), risk: Risk::High }];
    let (published, _) = one.put_scope_registry(&who, "notes", &scopes).await.unwrap();
    let (_, revision) = one.put_scope_registry(&who, "queue", &scopes).await.unwrap();
    assert!(other.is_at_least(revision).await.unwrap());
    assert_eq!(other.directory().scope_registries().get("notes").map(|known| known.as_ref().clone()), Some(published.clone()));
    assert!(!other.directory().scope_registries().is(&before));
    // What has not changed stays the very same, so that nothing is made of it anew.
    let seen = other.directory().scope_registries().clone();
    world.role("unrelated", &[]).await;
    other.catch_up().await.unwrap();
    assert!(other.directory().scope_registries().is(&seen));
    // Either of them decides on what the other has written.
    let revision = other.delete_scope_registry(&who, "notes", Some(published.last_modified_ms)).await.unwrap();
    assert!(one.is_at_least(revision).await.unwrap());
    let names = |auth: &Auth| auth.directory().scope_registries().iter().map(|known| known.namespace.clone()).collect::<Vec<_>>();
    assert_eq!((names(one), names(&other)), (vec!["queue".to_owned()], vec!["queue".to_owned()]));
    // And one that starts reads the rest.
    assert_eq!(names(&counted(&world, world.store.clone()).await.0), ["queue"]);
}

/// Somebody reads a page of a server that has not heard yet what a service has published on another one.
#[tokio::test]
async fn nothing_is_granted_in_words_that_are_no_more() {
    let world = World::bare().await;
    world.person("local/ann", &["notes:*", "auth:create-client:local/ann/*"]).await;
    let other = counted(&world, world.store.clone()).await.0;
    let read = other.directory().scope_registries().clone();
    let who = world.as_root().await;
    let scopes = [ScopeSentence { template: "notes:x".to_owned(), sentence: "X".to_owned(), risk: Risk::High }];
    world.auth.put_scope_registry(&who, "notes", &scopes).await.unwrap();
    assert!(other.directory().scope_registries().is(&read), "it has not heard of it");
    let new = || new_grant("local/ann", &["notes:x"], START_MS);
    let refused = other.add_read_grant(new(), &read).await.map(|issued| issued.grant.id).unwrap_err();
    assert!(refused.to_string().contains("What services say of these scopes has changed"), "{refused}");
    let read = other.directory().scope_registries().clone();
    // What has nothing to do with it is in nobody's way, also where another service says it of its own scopes.
    world.role("unrelated", &["x"]).await;
    let scopes = [ScopeSentence { template: "queue:x".to_owned(), sentence: "X".to_owned(), risk: Risk::High }];
    world.auth.put_scope_registry(&who, "queue", &scopes).await.unwrap();
    other.add_read_grant(new(), &read).await.unwrap();

    // A client for a program on the person's machine is given what they have read too.
    let ann = Authentication::person("local/ann");
    let create = async || other.create_read_client(&ann, "local/ann/cli", &world.input(&["notes:x"]), &read).await;
    let scopes = [ScopeSentence { template: "notes:x".to_owned(), sentence: "Y".to_owned(), risk: Risk::High }];
    world.auth.put_scope_registry(&who, "notes", &scopes).await.unwrap();
    let refused = create().await.map(|(client, _)| client.client_id).unwrap_err();
    assert!(refused.to_string().contains("What services say of these scopes has changed"), "{refused}");
    assert!(other.client(&who, "local/ann/cli").is_err(), "nothing was made");
}
