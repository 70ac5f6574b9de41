//! What the use cases make of a store's errors.

use std::sync::{Arc, Mutex};

use crate::common::failing::Failing;
use crate::common::{World, scopes_of, settings, strings};
use falconer_auth::{ApiError, AtLeast, Auth, AuthSettings, Unable, Verdict, WaitOutcome};
use falconer_store::*;

pub(crate) struct Broken {
    pub(crate) world: World,
    pub(crate) store: Arc<Failing>,
    ended: Arc<Mutex<Vec<String>>>,
}

impl Broken {
    pub(crate) async fn new() -> Broken {
        let world = World::bare().await;
        let store = Arc::new(Failing::new(world.store.clone()));
        let ended = Arc::new(Mutex::new(Vec::new()));
        let ended_flag = ended.clone();
        let settings = AuthSettings { on_fatal: Arc::new(move |why: &str| ended_flag.lock().unwrap().push(why.to_owned())), ..settings() };
        let auth = Auth::open(store.clone(), settings, world.clock.clone(), world.random.clone()).await.unwrap();
        Broken { world: World { auth, ..world }, store, ended }
    }

    fn fail(&self, method: &'static str, error: StoreError) {
        self.store.errors.lock().unwrap().push_back((method, error));
    }

    pub(crate) async fn create(&self) -> std::result::Result<(), ApiError> {
        let root = self.world.as_root().await;
        let input = self.world.input(&[]);
        self.world.auth.create_client(&root, "x", &input).await.map(|_| ())
    }
}

#[tokio::test]
async fn a_store_that_is_away_or_full_stops_mutations_only() {
    let broken = Broken::new().await;
    let keys = broken.world.client("fine", &["a"]).await;
    for error in [StoreError::Unavailable("away".to_owned()), StoreError::Full("full".to_owned())] {
        broken.fail("commit", error);
        assert!(matches!(broken.create().await, Err(ApiError::Unavailable(_))));
        assert!(broken.world.auth.directory().client("x").is_none());
        assert_eq!(scopes_of(&broken.world.verify(&keys).await), strings(&["a", "assume:anonymous"]));
    }
    assert!(broken.ended.lock().unwrap().is_empty());
    assert!(broken.world.auth.store_is_full(), "the heartbeat says so");
    assert_eq!(broken.create().await, Ok(()), "it recovers by itself");
    assert!(!broken.world.auth.store_is_full());
}

#[tokio::test]
async fn a_fatal_error_ends_the_process() {
    let broken = Broken::new().await;
    broken.fail("commit", StoreError::Fatal("fsync".to_owned()));
    assert!(matches!(broken.create().await, Err(ApiError::OutcomeUnknown(_))));
    assert_eq!(*broken.ended.lock().unwrap(), ["fsync"]);
}

/// A checkpoint of the write-ahead log may fail long before the next mutation, and then a chore is the first to hear of it.
#[tokio::test]
async fn a_fatal_error_ends_the_process_whoever_meets_it() {
    let broken = Broken::new().await;
    let keys = broken.world.client("x", &[]).await;
    broken.world.clock.advance(7 * falconer_auth::HOUR_MS);
    broken.world.verify(&keys).await;
    broken.fail("changed_records", StoreError::Fatal("read".to_owned()));
    assert!(broken.world.auth.catch_up().await.is_err());
    broken.fail("note_uses", StoreError::Fatal("fsync".to_owned()));
    assert!(broken.world.auth.flush_uses().await.is_err());
    assert_eq!(*broken.ended.lock().unwrap(), ["read", "fsync"]);
}

/// Whoever only asked was told that the store would be back in a moment.
#[tokio::test]
async fn a_fatal_error_is_no_moment_of_absence() {
    let broken = Broken::new().await;
    let root = broken.world.as_root().await;
    let is_final =
        |error: &ApiError| matches!(error, ApiError::Internal(text) if text.contains("start it again") && text.contains("fsync"));
    let fatal = || StoreError::Fatal("fsync".to_owned());
    broken.fail("changed_records", fatal());
    let ahead = format!("{}-{}", broken.world.auth.directory().history().epoch, broken.world.auth.revision().0 + 1);
    let refused = broken.world.auth.follow(&root, Some(ahead.parse().unwrap())).await.err().unwrap();
    assert!(is_final(&refused), "{refused}");
    broken.fail("changed_records", fatal());
    match broken.world.auth.wait_for(ahead.parse().unwrap()).await {
        WaitOutcome::NotKnown(error) => assert!(is_final(&error), "{error}"),
        other => panic!("{other:?}"),
    }
    assert!(is_final(&Unable::Store(fatal()).into()), "verification says it as well");
    assert_eq!(*broken.ended.lock().unwrap(), ["fsync", "fsync"], "each of the looks ends the process");
}

/// Whoever named a revision of a restored database was told 409, "another history", by a node that could not ask the store.
#[tokio::test]
async fn a_history_that_the_store_could_not_be_asked_about_is_not_known() {
    let broken = Broken::new().await;
    let directory = broken.world.auth.directory();
    let begun = broken.world.store.begin_history(directory.history().epoch, directory.revision()).await.unwrap();
    let wanted = AtLeast { epoch: Some(begun.epoch), revision: begun.start };
    broken.fail("changed_records", StoreError::Unavailable("away".to_owned()));
    let answer = broken.world.auth.wait_for(wanted).await;
    assert_eq!(answer, WaitOutcome::NotKnown(ApiError::Unavailable("away".to_owned())));
    assert_eq!(broken.world.auth.wait_for(wanted).await, WaitOutcome::Reached);
}

/// A node whose store another one has just written to: it has to load after its next change.
async fn behind_its_store() -> Broken {
    let broken = Broken::new().await;
    let other = broken.world.reopen(settings()).await;
    let root = broken.world.as_root().await;
    other.create_client(&root, "other", &broken.world.input(&[])).await.unwrap();
    broken
}

#[tokio::test]
async fn a_committed_change_that_can_not_be_read_back_ends_the_process() {
    let broken = behind_its_store().await;
    broken.fail("changed_records", StoreError::Corrupt("bits".to_owned()));
    assert!(broken.create().await.is_err());
    assert_eq!(broken.ended.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_committed_change_is_not_acknowledged_while_the_store_is_away_and_taken_in_afterwards() {
    let broken = behind_its_store().await;
    broken.fail("changed_records", StoreError::Unavailable("away".to_owned()));
    broken.fail("changed_records", StoreError::Unavailable("away".to_owned()));
    assert!(matches!(broken.create().await, Err(ApiError::OutcomeUnknown(_))), "it was done, and is not to be relied on here yet");
    assert!(broken.ended.lock().unwrap().is_empty(), "it will be back");
    assert!(broken.world.auth.directory().client("x").is_none());
    assert!(broken.world.auth.catch_up().await.unwrap());
    assert!(broken.world.auth.directory().client("x").is_some());
}

#[tokio::test]
async fn a_commit_whose_outcome_nobody_told_is_looked_for_at_once() {
    let broken = behind_its_store().await;
    let root = broken.world.as_root().await;
    broken.fail("commit", StoreError::Unknown("lost in the middle of the commit".to_owned()));
    assert!(matches!(broken.create().await, Err(ApiError::OutcomeUnknown(_))));
    assert!(broken.world.auth.client(&root, "other").is_ok(), "what the store has is taken in");
    assert!(broken.ended.lock().unwrap().is_empty());
}

/// Whoever made a change whose commit had happened was told that nothing was changed.
#[tokio::test]
async fn done_not_done_and_not_known_are_three_answers() {
    let lost = || StoreError::Unknown("the connection was lost".to_owned());
    for (when, error, is_there) in [
        ("commit", lost(), false),
        ("after commit", lost(), true),
        ("commit", StoreError::Unavailable("away".to_owned()), false),
        ("commit", StoreError::Full("full".to_owned()), false),
        // The process ends at either of these: what is on the disk is known after it was opened again.
        ("after commit", StoreError::Fatal("fsync".to_owned()), true),
        ("commit", StoreError::Fatal("panic".to_owned()), false),
    ] {
        let broken = Broken::new().await;
        broken.fail(when, error.clone());
        let answer = broken.create().await;
        let unknown = matches!(answer, Err(ApiError::OutcomeUnknown(_)));
        assert_eq!(unknown, matches!(error, StoreError::Unknown(_) | StoreError::Fatal(_)), "{when} {error}: {answer:?}");
        assert_eq!(unknown, !matches!(answer, Err(ApiError::Unavailable(_))), "{when} {error}: {answer:?}");
        assert_eq!(broken.ended.lock().unwrap().is_empty(), !matches!(error, StoreError::Fatal(_)), "{when} {error}");
        assert_eq!(broken.world.store.client("x").await.unwrap().is_some(), is_there, "{when} {error}");
        if matches!(error, StoreError::Unknown(_)) {
            assert_eq!(broken.create().await, Ok(()), "{when}: createClient may be repeated, and tells");
            assert!(broken.world.auth.directory().client("x").is_some());
        }
    }
}

#[tokio::test]
async fn a_change_goes_on_without_whoever_asked_for_it() {
    let broken = Broken::new().await;
    {
        let mut creating = std::pin::pin!(broken.create());
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(std::future::Future::poll(creating.as_mut(), cx))).await;
        assert!(polled.is_pending(), "it waits for the commit");
    }
    // Whoever comes next waits behind it.
    broken.world.role("next", &[]).await;
    assert!(broken.world.auth.directory().client("x").is_some());
}

#[tokio::test]
async fn what_keeps_changing_is_given_up() {
    let broken = Broken::new().await;
    for _ in 0..3 {
        broken.fail("commit", StoreError::Stale);
    }
    assert_eq!(broken.create().await, Ok(()), "a few times is fine");
    let root = broken.world.as_root().await;
    for _ in 0..100 {
        broken.fail("commit", StoreError::Stale);
    }
    let given_up = broken.world.auth.disable_client(&root, "x").await.map(|_| ());
    assert!(matches!(given_up, Err(ApiError::Unavailable(_))));
    assert!(broken.ended.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_damaged_store_is_an_internal_error() {
    let broken = Broken::new().await;
    broken.fail("commit", StoreError::Corrupt("bits".to_owned()));
    assert_eq!(broken.create().await, Err(ApiError::Internal("bits".to_owned())));
}

#[tokio::test]
async fn uses_that_could_not_be_written_are_written_later() {
    let broken = Broken::new().await;
    let world = &broken.world;
    world.person("local/ann", &["a"]).await;
    let issued = world.auth.add_grant(crate::common::new_grant("local/ann", &["a"], world.now())).await.unwrap();
    let keys = crate::common::Keys {
        id: issued.credentials.client_id,
        token: issued.credentials.access_token,
        certificate: Some(issued.credentials.certificate),
    };
    world.verify(&keys).await;
    broken.fail("note_uses", StoreError::Unavailable("away".to_owned()));
    assert!(world.auth.flush_uses().await.is_err());
    world.verify(&keys).await;
    world.auth.flush_uses().await.unwrap();
    let stored = world.store.grant(&issued.grant.id).await.unwrap().unwrap();
    assert_eq!(stored.use_count, 2);
}

/// The grant of another node "did not exist" while nobody could know: the service told its caller 401.
#[tokio::test]
async fn a_store_that_is_away_makes_no_unknown_grant_known() {
    let broken = Broken::new().await;
    let world = &broken.world;
    let other = world.reopen(settings()).await;
    other.put_identity("local/ann", &crate::common::person("local/ann", &["a"], world.now())).await.unwrap();
    let issued = other.add_grant(crate::common::new_grant("local/ann", &["a"], world.now())).await.unwrap();
    let keys = crate::common::Keys {
        id: issued.credentials.client_id,
        token: issued.credentials.access_token,
        certificate: Some(issued.credentials.certificate),
    };
    broken.fail("changed_records", StoreError::Unavailable("away".to_owned()));
    assert!(matches!(world.verify(&keys).await, Verdict::Unable(Unable::Store(_))));
    assert_eq!(scopes_of(&world.verify(&keys).await), strings(&["a", "assume:anonymous", "auth:current-scopes"]));
}

#[tokio::test]
async fn a_follower_loses_nothing_when_the_store_is_away_for_a_moment() {
    let broken = Broken::new().await;
    let root = broken.world.as_root().await;
    let mut follower = broken.world.auth.follow(&root, None).await.unwrap();
    let at = follower.position();
    broken.create().await.unwrap();
    broken.fail("changes_since", StoreError::Unavailable("away".into()));
    assert!(matches!(follower.next().await, Err(ApiError::Unavailable(_))));
    assert_eq!(follower.position(), at);
    let received = follower.next().await.unwrap();
    assert!(matches!(received, falconer_auth::FeedItem::Changed(event) if event.entity == falconer_auth::Entity::Client("x".into())));
    broken.fail("changes_since", StoreError::Fatal("gone".into()));
    broken.world.role("r", &[]).await;
    assert!(follower.next().await.is_err());
    assert_eq!(*broken.ended.lock().unwrap(), ["gone"]);
}

/// Whatever the store answers to a group, and however often: who was told that a change happened finds it, and nobody finds another.
#[tokio::test]
async fn of_changes_committed_together_each_caller_is_told_the_truth() {
    let errors = [
        StoreError::Stale,
        StoreError::Conflict,
        StoreError::Unavailable("away".to_owned()),
        StoreError::Unknown("lost".to_owned()),
        StoreError::Full("full".to_owned()),
        StoreError::Corrupt("bits".to_owned()),
    ];
    for error in errors {
        let broken = Broken::new().await;
        let (auth, root) = (&broken.world.auth, broken.world.as_root().await);
        let input = broken.world.input(&[]);
        broken.fail("commit", error.clone());
        let before = auth.commit_figures();
        let creating = (0..10).map(|n| {
            // Two want each name.
            let (root, input, id) = (&root, &input, format!("c/{}", n / 2));
            async move {
                (id.clone(), auth.create_role(root, &id, &role_input(n)).await.is_ok(), auth.create_client(root, &id, input).await.is_ok())
            }
        });
        let answers = futures_util::future::join_all(creating).await;
        let groups = auth.commit_figures().groups - before.groups;
        assert!(groups < 20, "they were committed together: {groups} groups");
        let stored = broken.world.store.load().await.unwrap();
        for pair in answers.chunks(2) {
            let [(id, a_role, a_client), (_, b_role, b_client)] = pair else { panic!("pairs") };
            assert_eq!(stored.roles.iter().any(|role| role.role_id == *id), *a_role || *b_role, "{error:?} {id}");
            assert!(!(*a_role && *b_role), "two made one role, which differed");
            assert_eq!(stored.clients.iter().any(|client| client.client_id == *id), *a_client || *b_client, "{error:?} {id}");
        }
        if matches!(error, StoreError::Stale | StoreError::Conflict) {
            assert_eq!(answers.iter().filter(|(_, role, _)| *role).count(), 5, "{error:?}: they were decided again");
            assert_eq!(answers.iter().filter(|(_, _, client)| *client).count(), 10, "{error:?}: a repeat is as good");
        }
        assert_eq!(auth.directory().revision(), stored.revision);
        assert_eq!(
            auth.directory().clients("c/").count(),
            stored.clients.iter().filter(|client| client.client_id.starts_with("c/")).count()
        );
    }
}

fn role_input(n: usize) -> falconer_auth::RoleInput {
    falconer_auth::RoleInput { scopes: vec![format!("x:{n}")], description: String::new() }
}

/// A decision on what then did not happen expands with roles that never were: nobody may be answered from that afterwards.
#[tokio::test]
async fn what_a_group_that_failed_expanded_is_not_remembered() {
    for error in [StoreError::Stale, StoreError::Unavailable("away".to_owned()), StoreError::Full("full".to_owned())] {
        let broken = Broken::new().await;
        let world = &broken.world;
        let keys = world.client("caller", &["assume:x", "auth:create-client:made", "auth:create-role:y"]).await;
        let (root, caller) = (world.as_root().await, world.call(&keys).await);
        let role = |scope: &str| falconer_auth::RoleInput { scopes: strings(&[scope]), description: String::new() };
        let (dangerous, harmless, input) = (role("secret"), role("harmless"), world.input(&[]));
        // The group fails, and whoever decides again fails too: the role never comes to be.
        for _ in 0..if error == StoreError::Stale { 100 } else { 1 } {
            broken.fail("commit", error.clone());
        }
        let (first, second) =
            futures_util::future::join(world.auth.create_role(&root, "x", &dangerous), world.auth.create_client(&caller, "made", &input))
                .await;
        assert!(first.is_err() && second.is_err(), "{error:?}");
        broken.store.errors.lock().unwrap().clear();
        world.auth.create_role(&root, "y", &harmless).await.unwrap();
        let scopes = scopes_of(&world.verify(&keys).await);
        assert!(!scopes.contains(&"secret".to_owned()), "{error:?}: {scopes:?}");
    }
}

/// Once a grant was forgotten, each call with what it had given read the store.
#[tokio::test]
async fn what_is_not_in_the_store_is_looked_for_once() {
    let broken = Broken::new().await;
    let world = &broken.world;
    world.person("local/ann", &["a"]).await;
    let issued = world.auth.add_grant(crate::common::new_grant("local/ann", &["a"], world.now())).await.unwrap();
    let mut record = world.store.client("static/falconer/root").await.unwrap().unwrap();
    record.client_id = "made/with-it".to_owned();
    record.grant = Some(issued.grant.id.clone());
    let step = crate::common::step_beside(world.store.revision().await.unwrap(), world.now());
    world.store.insert_client(&step, &record).await.unwrap();
    world.auth.catch_up().await.unwrap();
    let keys = crate::common::Keys::new(&record.client_id, record.access_token.expose());
    world.clock.advance(40 * falconer_auth::DAY_MS);
    world.role("later", &[]).await;
    assert_eq!(world.store.prune_grants(world.now() - 32 * falconer_auth::DAY_MS, 10).await.unwrap(), 1);
    // A node that has never seen it.
    let auth = Auth::open(broken.store.clone(), settings(), world.clock.clone(), world.random.clone()).await.unwrap();
    let world =
        &World { auth, store: world.store.clone(), clock: world.clock.clone(), random: world.random.clone(), root: world.root.clone() };
    let catch_ups = || broken.store.calls_of("changed_records");
    let before = catch_ups();
    for _ in 0..5 {
        assert_eq!(crate::common::message_of(&world.verify(&keys).await), format!("The grant {} does not exist", issued.grant.id));
    }
    assert_eq!(catch_ups() - before, 1);
    world.role("r", &[]).await;
    let before = catch_ups();
    world.verify(&keys).await;
    assert_eq!(catch_ups() - before, 1, "at another revision it may be there");
}
