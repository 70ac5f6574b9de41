//! Many writers at once, and two nodes on one store: no update is lost, and nothing is decided on what is no longer true.

use std::sync::Arc;

use crate::common::failing::Failing;
use crate::common::{Keys, World, message_of, settings, strings};
use falconer_auth::{ApiError, Auth, Failure, Reason, RoleInput, Verdict};
use falconer_store::StoreError;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_writers_each_is_heard_once() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let mut tasks = Vec::new();
    for number in 0..64 {
        let (auth, who, input) = (world.auth.clone(), root.clone(), world.input(&["a"]));
        tasks.push(tokio::spawn(
            async move { auth.create_client(&who, &format!("c/{number}"), &input).await.map(|(_, revision)| revision) },
        ));
        let (auth, root) = (world.auth.clone(), root.clone());
        tasks.push(tokio::spawn(async move {
            let role = RoleInput { scopes: strings(&["x"]), description: String::new() };
            auth.create_role(&root, &format!("r/{number}"), &role).await.map(|(_, revision)| revision)
        }));
    }
    let mut revisions = Vec::new();
    for task in tasks {
        revisions.push(task.await.unwrap().unwrap());
    }
    revisions.sort();
    revisions.dedup();
    assert_eq!(revisions.len(), 128, "each has a revision of its own");
    let snapshot = world.auth.directory();
    assert_eq!((snapshot.clients("c/").count(), snapshot.roles().len()), (64, 64));
    assert_eq!(Some(&snapshot.revision()), revisions.last());
    let stored = world.store.load().await.unwrap();
    assert_eq!((stored.revision, stored.roles.len()), (snapshot.revision(), 64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_creators_of_one_role_one_wins() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let mut tasks = Vec::new();
    for number in 0..32 {
        let (auth, root) = (world.auth.clone(), root.clone());
        tasks.push(tokio::spawn(async move {
            let role = RoleInput { scopes: vec![format!("x:{number}")], description: String::new() };
            auth.create_role(&root, "r", &role).await.is_ok()
        }));
    }
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap());
    }
    assert_eq!(won, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_leaves_no_node_behind_its_store() {
    let world = World::bare().await;
    let root = world.as_root().await;
    for number in 0..20 {
        let (auth, root, input) = (world.auth.clone(), root.clone(), world.input(&[]));
        let task = tokio::spawn(async move {
            let _ = auth.create_client(&root, &format!("c/{number}"), &input).await;
        });
        tokio::task::yield_now().await;
        task.abort();
        let _ = task.await;
    }
    // The next mutation waits for all of those that were begun.
    world.role("r", &[]).await;
    let stored = world.store.load().await.unwrap();
    let snapshot = world.auth.directory();
    assert_eq!(stored.revision, snapshot.revision());
    assert_eq!(stored.clients.len(), snapshot.clients("").count());
}

#[tokio::test]
async fn a_node_that_is_behind_decides_again() {
    let world = World::bare().await;
    let behind = World {
        auth: world.reopen(settings()).await,
        store: world.store.clone(),
        clock: world.clock.clone(),
        random: world.random.clone(),
        root: world.root.clone(),
    };
    let keys = world.client("weak", &["auth:create-client:x/*", "a"]).await;
    assert!(behind.auth.catch_up().await.unwrap());
    assert!(!behind.auth.catch_up().await.unwrap());

    // The first node takes the scope away; the second has not heard of it, but can't act on it.
    let root = world.as_root().await;
    world.auth.update_client(&root, "weak", &world.input(&["a"])).await.unwrap();
    let who = behind.call(&keys).await;
    assert!(who.caller().unwrap().scopes.satisfies("auth:create-client:x/1"));
    let refused = behind.auth.create_client(&who, "x/1", &behind.input(&[])).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, ApiError::InsufficientScopes { .. }), "{refused:?}");
    assert_eq!(behind.auth.revision(), world.auth.revision(), "now it has");

    // What both make at once exists once.
    world.client("twice", &[]).await;
    let root = behind.as_root().await;
    let taken = behind.auth.create_client(&root, "twice", &behind.input(&["other"])).await.map(|_| ()).unwrap_err();
    assert_eq!(taken, ApiError::RequestConflict("Client already exists".to_owned()));

    // A change that does not touch the decision does not disturb it, and is not missed.
    world.client("elsewhere", &[]).await;
    behind.auth.disable_client(&root, "twice").await.unwrap();
    assert!(behind.auth.directory().client("elsewhere").is_some());
}

/// Any change of a role is decided on all roles. Of three servers that changed roles all the time, each was overtaken by the others now and then eight times in a row, and
/// answered 503 although nothing was wrong.
#[tokio::test]
async fn a_node_that_is_always_overtaken_keeps_the_others_out() {
    let world = World::bare().await;
    let store = Arc::new(Failing { is_shared: true, ..Failing::new(world.store.clone()) });
    let auth = Auth::open(store.clone(), settings(), world.clock.clone(), world.random.clone()).await.unwrap();
    let root = world.as_root().await;
    world.role("elsewhere", &[]).await;
    store.errors.lock().unwrap().extend((0..100).map(|_| ("commit", StoreError::Stale)));
    let input = RoleInput { scopes: Vec::new(), description: "here".to_owned() };
    auth.create_role(&root, "here", &input).await.unwrap();
    assert_eq!((store.calls_of("commit"), store.calls_of("commit_locked")), (2, 1));
    assert!(auth.directory().role("here").is_some() && auth.directory().role("elsewhere").is_some());

    // What can't be done is not done because of that.
    let refused = auth.create_role(&root, "elsewhere", &input).await.map(drop);
    assert!(matches!(refused, Err(ApiError::RequestConflict(_))), "{refused:?}");
    // Where the store is away, that is said.
    store.errors.lock().unwrap().clear();
    for (method, error) in
        [("commit", StoreError::Stale), ("commit", StoreError::Stale), ("commit_locked", StoreError::Unavailable("away".to_owned()))]
    {
        store.errors.lock().unwrap().push_back((method, error));
    }
    assert_eq!(auth.delete_role(&root, "here").await, Err(ApiError::Unavailable("away".to_owned())));
    assert!(auth.directory().role("here").is_some());
    auth.delete_role(&root, "here").await.unwrap();
    assert!(world.auth.catch_up().await.unwrap() && world.auth.directory().role("here").is_none());
}

/// A step that changes nothing has the store's revision too, which may be of a change that this node has not heard of.
#[tokio::test]
async fn a_step_that_changes_nothing_hides_no_change() {
    let world = World::bare().await;
    world.person("local/ann", &["a"]).await;
    let created = world.client("made", &[]).await;
    for call in 0..3 {
        let issued = world.auth.add_grant(crate::common::new_grant("local/ann", &["a"], world.now())).await.unwrap();
        let keys = Keys {
            id: issued.credentials.client_id,
            token: issued.credentials.access_token,
            certificate: Some(issued.credentials.certificate),
        };
        let node = World {
            auth: world.reopen(settings()).await,
            store: world.store.clone(),
            clock: world.clock.clone(),
            random: world.random.clone(),
            root: world.root.clone(),
        };
        let who = node.as_root().await;
        let ids = [issued.grant.id.clone()];
        world.auth.revoke_grants(&["local/ann"], "local/ann", &ids, "test").await.unwrap();
        match call {
            0 => {
                node.auth.delete_client(&who, "nobody").await.unwrap();
            }
            1 => {
                node.auth.delete_role(&who, "nothing").await.unwrap();
            }
            _ => {
                let (view, _) = node.auth.create_client(&who, "made", &node.input(&[])).await.unwrap();
                assert_eq!(view.access_token.unwrap().expose(), created.token.expose());
            }
        }
        node.auth.catch_up().await.unwrap();
        assert_eq!(message_of(&node.verify(&keys).await), format!("The grant {} has been revoked", issued.grant.id), "call {call}");
    }
}

#[tokio::test]
async fn a_token_that_was_reset_meanwhile_changes_nothing() {
    let world = World::bare().await;
    let keys = world.client("weak", &["auth:create-client:x/*"]).await;
    let who = world.call(&keys).await;
    let root = world.as_root().await;
    world.auth.reset_access_token(&root, "weak").await.unwrap();
    let refused = world.auth.create_client(&who, "x/1", &world.input(&[])).await.map(|_| ()).unwrap_err();
    assert_eq!(refused, ApiError::from(Reason::Credentials(Failure::BadMac)));
    world.auth.delete_client(&root, "weak").await.unwrap();
    let refused = world.auth.create_client(&who, "x/1", &world.input(&[])).await.map(|_| ()).unwrap_err();
    assert_eq!(refused, ApiError::from(Reason::Credentials(Failure::client_not_found("weak"))));
}

#[tokio::test]
async fn a_grant_made_elsewhere_is_asked_for() {
    let world = World::bare().await;
    world.person("local/ann", &["a"]).await;
    let other = world.reopen(settings()).await;
    let issued = world.auth.add_grant(crate::common::new_grant("local/ann", &["a"], world.now())).await.unwrap();
    let keys = Keys {
        id: issued.credentials.client_id,
        token: issued.credentials.access_token,
        certificate: Some(issued.credentials.certificate),
    };
    let other = World { auth: other, ..world };
    assert!(matches!(other.verify(&keys).await, Verdict::Success(_)));
    assert!(other.auth.is_at_least(issued.revision).await.unwrap());
    assert!(!other.auth.is_at_least(falconer_auth::Revision(1_000_000)).await.unwrap());
}

/// Somebody who found nothing to write waited for the change of another caller, which had gone before. That one was committed after a change of another node, on which it
/// did not depend, and both were told that it is done: a person was enabled, at a revision at which they were disabled.
#[tokio::test]
async fn whoever_has_nothing_to_write_looks_at_what_others_wrote_before_the_group() {
    let world = World::bare().await;
    world.person("local/ann", &["a"]).await;
    let other = world.reopen(settings()).await;
    other.disable_person("operator", "local/ann", true).await.unwrap();

    let record = crate::common::person("local/ann", &["a", "b"], world.now());
    let refreshing = world.auth.put_identity("provider", &record);
    let enabling = world.auth.disable_person("operator", "local/ann", false);
    let (refreshed, enabled) = futures_util::future::join(refreshing, enabling).await;
    assert!(refreshed.unwrap() < enabled.unwrap(), "it is a change of its own");
    let people: Vec<_> = world.store.load().await.unwrap().people.into_iter().map(|person| (person.name, person.disabled)).collect();
    assert_eq!(people, [("local/ann".to_owned(), false)]);

    // The same of an error, which says what is not there.
    other.create_role(&world.as_root().await, "r", &RoleInput { scopes: vec![], description: String::new() }).await.unwrap();
    let record = crate::common::person("local/ann", &["a"], world.now());
    let refreshing = world.auth.put_identity("provider", &record);
    let root = world.as_root().await;
    let deleting = world.auth.delete_role(&root, "r");
    let (refreshed, deleted) = futures_util::future::join(refreshing, deleting).await;
    assert!(refreshed.is_ok() && deleted.is_ok(), "{refreshed:?} {deleted:?}");
    assert!(world.store.load().await.unwrap().roles.is_empty());
}
