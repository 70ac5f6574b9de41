//! Backups that were restored, and other databases.

use super::*;

fn on_disk(path: &Path) -> Arc<dyn Store> {
    let random = Counting::default();
    let keys = KeyRing::from_bytes("k1", [7; 32]).unwrap();
    Arc::new(SqliteStore::open(path, keys, Arc::new(move |bytes: &mut [u8]| random.fill(bytes))).unwrap())
}

/// A restored backup was never noticed by a running server, and what had been told of the time after the backup matched what came later.
#[tokio::test]
async fn a_restored_backup_is_another_history() {
    let folder = tempfile::tempdir().unwrap();
    let (path, backup) = (folder.path().join("a.sqlite"), folder.path().join("backup").join("a.sqlite"));
    std::fs::create_dir(folder.path().join("backup")).unwrap();
    let mut world = World::bare().await;
    let original = on_disk(&path);
    {
        let auth = Auth::open(original.clone(), settings(), world.clock.clone(), world.random.clone()).await.unwrap();
        let root = auth.fresh_install(true).await.unwrap();
        world.root = common::Keys::new(&root.client_id, root.access_token.expose());
    }
    drop(original);
    std::fs::copy(&path, &backup).unwrap();
    let (auth, store) = counted(&world, on_disk(&path)).await;
    let backed_up = auth.revision();
    world.auth = auth.clone();
    let root = world.as_root().await;
    world.role("after-the-backup", &[]).await;
    world.role("one-more", &[]).await;
    let (before, seen) = (auth.directory().history(), auth.revision());
    let id = format!("{}-{}", before.epoch, seen.0);
    let mut following = auth.follow(&root, None).await.unwrap();

    *store.inner.lock().unwrap() = on_disk(&backup);
    assert_eq!(auth.catch_up().await, Ok(true));
    let after = auth.directory().history();
    assert_ne!(after.epoch, before.epoch);
    assert_eq!((after.start, auth.revision()), (backed_up, backed_up));
    assert!(auth.directory().role("after-the-backup").is_none());
    assert_eq!(auth.catch_up().await, Ok(false), "it begins once");

    // Another past comes to the same revision.
    for name in ["a", "b", "c"] {
        world.role(name, &[]).await;
    }
    let item = following.next().await.unwrap();
    assert!(matches!(item, FeedItem::Reset(_)), "{item:?}");
    for unknown in [id.clone(), seen.0.to_string(), format!("0123456789abcdef-{}", backed_up.0)] {
        let mut follower = auth.follow(&root, Some(unknown.parse().unwrap())).await.unwrap();
        let item = follower.next().await.unwrap();
        assert!(matches!(item, FeedItem::Reset(_)), "{unknown}: {item:?}");
    }
    // Up to the backup both pasts are the same.
    for known in [backed_up.0.to_string(), format!("{}-{}", after.epoch, backed_up.0)] {
        let mut follower = auth.follow(&root, Some(known.parse().unwrap())).await.unwrap();
        let item = follower.next().await.unwrap();
        assert!(matches!(&item, FeedItem::Changed(event) if event.revision.0 == backed_up.0 + 1), "{known}: {item:?}");
    }
    let wanted: AtLeast = id.parse().unwrap();
    assert_eq!(auth.wait_for(wanted).await, WaitOutcome::OtherHistory);
    assert_eq!(auth.wait_for(seen.0.to_string().parse().unwrap()).await, WaitOutcome::OtherHistory, "there are two of that number");
    assert_eq!(auth.wait_for(backed_up.0.to_string().parse().unwrap()).await, WaitOutcome::Reached);
    assert_eq!(auth.wait_for(AtLeast::text(after, auth.revision()).parse().unwrap()).await, WaitOutcome::Reached);
    assert_eq!(AtLeast::text(before, seen), seen.0.to_string(), "a whole number as long as nothing was restored");
}

/// Story: a backup was restored below a running server, and others wrote to it until it had as many revisions as the server had seen, or more. The server took those
/// for a few changes more of its own past, and went on to answer from changes that were gone.
#[tokio::test]
async fn a_restored_backup_that_has_outgrown_what_was_seen_is_another_history() {
    for (more, pruned) in [(2, false), (3, false), (9, false), (9, true)] {
        let folder = tempfile::tempdir().unwrap();
        let (path, backup) = (folder.path().join("a.sqlite"), folder.path().join("backup").join("a.sqlite"));
        std::fs::create_dir(folder.path().join("backup")).unwrap();
        let world = World::bare().await;
        // A start writes what is missing.
        drop(counted(&world, on_disk(&path)).await);
        std::fs::copy(&path, &backup).unwrap();
        let (auth, store) = counted(&world, on_disk(&path)).await;
        // Not from the very beginning, which is what the first history is told by.
        let same_until = auth.directory().history().start.max(Revision(1));
        for name in ["lost", "lost-too"] {
            let inner = store.inner.lock().unwrap().clone();
            beside(&*inner, Write::InsertRoles(vec![role(name, &[])])).await.unwrap();
        }
        auth.catch_up().await.unwrap();
        let (before, seen) = (auth.directory().history(), auth.revision());
        let loads = store.calls_of("load_each");

        let restored = on_disk(&backup);
        for n in 0..more {
            beside(&*restored, Write::InsertRoles(vec![role(&format!("other-{n}"), &[])])).await.unwrap();
        }
        if pruned {
            restored.prune(START_MS + 365 * 86_400_000).await.unwrap();
        }
        *store.inner.lock().unwrap() = restored;
        assert_eq!(auth.catch_up().await, Ok(true), "{more} more");
        let directory = auth.directory();
        assert!(directory.role("lost").is_none() && directory.role("other-1").is_some(), "{more} more");
        assert_eq!(store.calls_of("load_each"), loads + 1);
        // Where the feed does not reach back, all is loaded, and the epoch alone could tell.
        if !pruned {
            assert_ne!(directory.history().epoch, before.epoch);
            assert_eq!(directory.history().start, same_until, "nobody knows how far both pasts are the same");
            let wanted = AtLeast { epoch: Some(before.epoch), revision: seen };
            assert_eq!(auth.wait_for(wanted).await, WaitOutcome::OtherHistory);
            // What was answered before the restore has no epoch: it is of the past that was lost all the same.
            let plain: AtLeast = seen.0.to_string().parse().unwrap();
            assert_eq!(auth.wait_for(plain).await, WaitOutcome::OtherHistory);
        }
        assert_eq!(auth.catch_up().await, Ok(false), "it begins once");
        assert_eq!(store.calls_of("load_each"), loads + 1);
    }
}

/// Story: a client that was changed while this server did not have the key of its token could not sign in here, also when the key had come, until it was changed again.
#[tokio::test]
async fn what_did_not_open_is_read_again_when_its_key_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let keys = KeyRing::from_bytes("k1", [7; 32]).unwrap();
    let mut both = keys.clone();
    both.push("k2", [8; 32]).unwrap();
    let open = |keys: &KeyRing| {
        let random = Counting::default();
        Arc::new(SqliteStore::open_beside(&path, keys.clone(), Arc::new(move |bytes: &mut [u8]| random.fill(bytes))).unwrap())
    };
    let mut world = World::bare().await;
    let here = open(&keys);
    world.auth = Auth::open(here.clone(), settings(), world.clock.clone(), world.random.clone()).await.unwrap();
    world.auth.fresh_install(true).await.unwrap();
    let there = open(&both);
    let mut record = there.client("static/falconer/root").await.unwrap().unwrap();
    record.client_id = "c".to_owned();
    record.access_token = falconer_store::Secret::new("token");
    beside(&*there, Write::InsertClient(record)).await.unwrap();
    world.auth.catch_up().await.unwrap();
    let client = common::Keys::new("c", "token");
    assert_eq!(common::message_of(&world.verify(&client).await), "Unauthorized: Bad mac");
    here.use_keys(both);
    let revision = world.auth.revision();
    world.auth.read_everything_again().await.unwrap();
    assert!(!common::scopes_of(&world.verify(&client).await).is_empty());
    assert_eq!(world.auth.revision(), revision);
}

/// What a server looks at twice a second costs no more for a large change, and what was pruned is no other past.
#[tokio::test]
async fn a_large_newest_change_and_a_pruned_one_are_the_same_past() {
    let world = World::bare().await;
    let (auth, store) = counted(&world, world.store.clone()).await;
    let roles: Vec<_> = (0..50).map(|n| role(&format!("many/{n}"), &[])).collect();
    beside(&*world.store, Write::InsertRoles(roles)).await.unwrap();
    assert_eq!(auth.catch_up().await, Ok(true));
    let (loads, history) = (store.calls_of("load_each"), auth.directory().history());
    assert_eq!(auth.catch_up().await, Ok(false));
    beside(&*world.store, Write::InsertRoles(vec![role("one", &[])])).await.unwrap();
    assert_eq!(auth.catch_up().await, Ok(true));
    world.store.prune(START_MS + 365 * 86_400_000).await.unwrap();
    for name in ["two", "three"] {
        assert_eq!(auth.catch_up().await, Ok(false));
        beside(&*world.store, Write::InsertRoles(vec![role(name, &[])])).await.unwrap();
        assert_eq!(auth.catch_up().await, Ok(true));
    }
    assert_eq!((store.calls_of("load_each"), auth.directory().history()), (loads, history));
}

#[tokio::test]
async fn another_database_is_loaded_anew() {
    let world = World::bare().await;
    let (auth, store) = counted(&world, world.store.clone()).await;
    let before = auth.directory().history();
    let other = memory_store();
    for name in ["a", "b", "c", "d", "e", "f"] {
        beside(&*other, Write::InsertRoles(vec![role(name, &[])])).await.unwrap();
    }
    *store.inner.lock().unwrap() = other.clone();
    assert_eq!(auth.catch_up().await, Ok(true));
    assert_eq!(auth.directory().history(), other.history().await.unwrap());
    assert_ne!(auth.directory().history().epoch, before.epoch);
    assert_eq!(auth.directory().role_ids().count(), 6);
}

/// A server that has not looked yet wrote into the restored database what it had decided on the past that was lost, where that had come to as many revisions: its
/// client was disabled there, and went on to make clients.
#[tokio::test]
async fn what_was_decided_in_a_lost_past_is_decided_again() {
    let mut world = World::bare().await;
    let inner = memory_store();
    let (auth, store) = counted(&world, inner).await;
    let root = auth.fresh_install(true).await.unwrap();
    world.root = common::Keys::new(&root.client_id, root.access_token.expose());
    world.auth = auth.clone();
    let robot = world.client("robot", &["auth:create-client:*"]).await;
    let other = memory_store();
    let records: Vec<_> = auth.directory().clients("").map(|client| client.record()).collect();
    for record in records {
        let disabled = record.client_id == "robot";
        beside(&*other, Write::InsertClient(ClientRecord { disabled, ..record })).await.unwrap();
    }
    let missing = auth.revision().0 - other.revision().await.unwrap().0;
    for n in 0..missing {
        beside(&*other, Write::InsertRoles(vec![role(&format!("other/{n}"), &[])])).await.unwrap();
    }
    assert_eq!(other.revision().await.unwrap(), auth.revision());
    let robot = world.call(&robot).await;
    *store.inner.lock().unwrap() = other.clone();
    let created = auth.create_client(&robot, "made", &world.input(&[])).await;
    assert!(created.is_err(), "{:?}", created.map(|(view, _)| view.client_id));
    assert_eq!(other.client("made").await, Ok(None));
    assert_eq!(auth.directory().history(), other.history().await.unwrap(), "it was found with the change");
}
