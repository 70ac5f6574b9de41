//! Following the changes: each once, in order, resumed anywhere, and only by those who may.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{HOST, Keys, START_MS, World, sent_text};
use crate::patience::patience;
use falconer_auth::{ApiError, Authentication, Entity, Event, FeedItem, Follower, MINUTE_MS, Position, RequestParts, Revision};
use falconer_credentials::sign;
use falconer_store::RoleRecord;

async fn next(follower: &mut Follower) -> Result<FeedItem, ApiError> {
    tokio::time::timeout(patience(), follower.next()).await.expect("nothing came")
}

fn shown(event: &Event) -> String {
    let entity = match &event.entity {
        Entity::Client(id) => format!("client {id}"),
        Entity::Role(id) => format!("role {id}"),
    };
    format!("{} {entity} {}", plain(event.position), event.what.as_str())
}

async fn hear(follower: &mut Follower) -> String {
    match next(follower).await.unwrap() {
        FeedItem::Changed(event) => shown(&event),
        FeedItem::Reset(position) => format!("{} reset", plain(position)),
    }
}

/// A position without its epoch.
fn plain(position: Position) -> String {
    let text = position.to_string();
    text.split_once('-').map_or(text.clone(), |(_, rest)| rest.to_owned())
}

/// What comes until the follower stands behind this revision.
async fn hear_to(follower: &mut Follower, revision: Revision) -> Vec<String> {
    let mut received = Vec::new();
    while plain(follower.position()) != revision.0.to_string() {
        received.push(hear(follower).await);
    }
    received
}

async fn refusal(follower: &mut Follower) -> String {
    sent_text(&next(follower).await.unwrap_err())
}

fn role(id: &str) -> RoleRecord {
    RoleRecord { role_id: id.to_owned(), scopes: vec![], description: String::new(), created_ms: START_MS, last_modified_ms: START_MS }
}

/// Writes roles past the node, as another process does, in one step.
async fn beside(world: &World, ids: &[&str]) {
    let decided_at = world.store.revision().await.unwrap();
    let step = crate::common::step_beside(decided_at, world.now());
    world.store.insert_roles(&step, &ids.iter().map(|id| role(id)).collect::<Vec<_>>()).await.unwrap();
}

#[tokio::test]
async fn changes_come_as_they_happen_with_what_happened() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let at = world.auth.revision().0;
    let mut follower = world.auth.follow(&root, None).await.unwrap();
    assert_eq!(follower.position().to_string(), format!("{}-{at}", world.auth.directory().history().epoch));
    world.client("a", &[]).await;
    world.auth.disable_client(&root, "a").await.unwrap();
    world.role("r", &["x"]).await;
    world.auth.delete_client(&root, "a").await.unwrap();
    // Deleting what is not there changes nothing.
    world.auth.delete_client(&root, "a").await.unwrap();
    world.client("a", &[]).await;
    let expected = ["client a created", "client a updated", "role r created", "client a deleted", "client a created"];
    for (expected, revision) in expected.iter().zip(at + 1..) {
        assert_eq!(hear(&mut follower).await, format!("{revision} {expected}"));
    }
    assert_eq!(world.auth.revision().0, at + 5);
    // It waits for the next one, and wakes.
    let waiting = tokio::spawn(async move { hear(&mut follower).await });
    tokio::task::yield_now().await;
    world.role("later", &[]).await;
    assert_eq!(tokio::time::timeout(patience(), waiting).await.unwrap().unwrap(), format!("{} role later created", at + 6));
}

#[tokio::test]
async fn a_revision_of_many_rows_can_be_resumed_between_any_two() {
    let world = World::bare().await;
    let root = world.as_root().await;
    world.role("before", &[]).await;
    let at = world.auth.revision().0;
    beside(&world, &["a", "b", "c"]).await;
    world.auth.catch_up().await.unwrap();
    world.role("after", &[]).await;
    let many = at + 1;
    let all = [
        format!("{at} role before created"),
        format!("{many}.1 role a created"),
        format!("{many}.2 role b created"),
        format!("{many} role c created"),
        format!("{} role after created", at + 2),
    ];
    for (sent, line) in all.iter().enumerate() {
        let id = line.split(' ').next().unwrap().parse().unwrap();
        let mut follower = world.auth.follow(&root, Some(id)).await.unwrap();
        assert_eq!(hear_to(&mut follower, Revision(at + 2)).await, all[sent + 1..], "after {line}");
    }
}

#[tokio::test]
async fn what_is_about_people_and_grants_is_passed_over() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let at = world.auth.revision().0;
    let person = crate::common::person("local/ann", &["x"], world.now());
    world.auth.put_identity("test", &person).await.unwrap();
    world.role("r", &[]).await;
    let mut follower = world.auth.follow(&root, Some(Position::behind(Revision(at)))).await.unwrap();
    assert_eq!(hear(&mut follower).await, format!("{} role r created", at + 2));
    world.auth.put_identity("test", &person).await.unwrap();
    let waiting = tokio::spawn(async move { (hear(&mut follower).await, follower.position()) });
    world.role("s", &[]).await;
    let (received, position) = tokio::time::timeout(patience(), waiting).await.unwrap().unwrap();
    assert_eq!(received, format!("{} role s created", at + 4));
    assert_eq!(plain(position), (at + 4).to_string());
}

#[tokio::test]
async fn what_another_process_wrote_is_heard_when_the_node_has_it() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let at = world.auth.revision().0;
    let mut follower = world.auth.follow(&root, None).await.unwrap();
    beside(&world, &["x"]).await;
    let auth = world.auth.clone();
    let waiting = tokio::spawn(async move {
        let received = hear(&mut follower).await;
        // Whoever reads now finds it.
        (received, auth.directory().role("x").is_some())
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    world.auth.catch_up().await.unwrap();
    assert_eq!(tokio::time::timeout(patience(), waiting).await.unwrap().unwrap(), (format!("{} role x created", at + 1), true));
    let counted = world.auth.following_figures();
    assert_eq!((counted.records, counted.followers, counted.revisions_behind), (1, 0, 0), "{counted:?}");
}

/// A follower whom another node had told of more than its new node had seen was told of that again.
#[tokio::test]
async fn who_has_heard_more_than_this_node_hears_nothing_twice() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let (at, epoch) = (world.auth.revision().0, world.auth.directory().history().epoch);
    let mut follower = world.auth.follow(&root, Some(format!("{epoch}-{}", at + 1).parse().unwrap())).await.unwrap();
    beside(&world, &["heard"]).await;
    let waiting = tokio::spawn(async move { (hear(&mut follower).await, follower) });
    tokio::task::yield_now().await;
    beside(&world, &["next"]).await;
    world.auth.catch_up().await.unwrap();
    let (received, mut follower) = tokio::time::timeout(patience(), waiting).await.unwrap().unwrap();
    assert_eq!(received, format!("{} role next created", at + 2));
    world.role("own", &[]).await;
    assert_eq!(hear(&mut follower).await, format!("{} role own created", at + 3));
}

#[tokio::test]
async fn a_position_that_the_feed_does_not_reach_is_a_reset() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let old = world.auth.revision();
    world.role("r", &[]).await;
    let present = world.auth.revision();
    let reset = format!("{} reset", present.0);
    for ahead in ["99999", "9223372036854775807", "99999.3"] {
        let mut follower = world.auth.follow(&root, Some(ahead.parse().unwrap())).await.unwrap();
        assert_eq!(hear(&mut follower).await, reset, "{ahead}");
    }
    world.store.prune(world.now() + 365 * 86_400_000).await.unwrap();
    let mut follower = world.auth.follow(&root, Some(Position::behind(old))).await.unwrap();
    assert_eq!(hear(&mut follower).await, reset);
    let counted = world.auth.following_figures();
    assert_eq!((counted.resets, counted.followers, counted.full_loads), (4, 1, 1), "{counted:?}");
    // From there it goes on.
    world.role("s", &[]).await;
    assert_eq!(hear(&mut follower).await, format!("{} role s created", present.0 + 1));
    // Who was at the end when the feed was pruned has missed nothing.
    let mut follower = world.auth.follow(&root, Some(Position::behind(present))).await.unwrap();
    assert_eq!(hear(&mut follower).await, format!("{} role s created", present.0 + 1));
}

#[tokio::test]
async fn only_who_may_follow_follows() {
    let world = World::bare().await;
    let nobody = world.auth.follow(&world.auth.nobody(), None).await.err().unwrap();
    assert!(matches!(nobody, ApiError::InsufficientScopes { client_id: None, .. }), "{nobody}");
    let poor = world.client("poor", &["auth:event"]).await;
    let refused = world.auth.follow(&world.call(&poor).await, None).await.err().unwrap();
    assert!(refused.to_string().contains("auth:events"), "{refused}");
    let able = world.client("able", &["auth:events"]).await;
    world.auth.follow(&world.call(&able).await, None).await.unwrap();
}

#[tokio::test]
async fn who_loses_the_right_hears_nothing_more() {
    let world = World::bare().await;
    let root = world.as_root().await;
    for (end, said) in [
        ("disable", "Client with clientId 'able' is disabled"),
        ("reset", "Unauthorized: Bad mac"),
        ("delete", "Client with clientId 'able' not found"),
        ("narrow", "Client ID able does not have sufficient scopes"),
    ] {
        let able = world.client("able", &["auth:events"]).await;
        let mut follower = world.auth.follow(&world.call(&able).await, None).await.unwrap();
        world.role(end, &[]).await;
        assert!(hear(&mut follower).await.ends_with("created"));
        match end {
            "disable" => drop(world.auth.disable_client(&root, "able").await.unwrap()),
            "reset" => drop(world.auth.reset_access_token(&root, "able").await.unwrap()),
            "delete" => drop(world.auth.delete_client(&root, "able").await.unwrap()),
            _ => drop(world.auth.update_client(&root, "able", &world.input(&["other"])).await.unwrap()),
        }
        let text = refusal(&mut follower).await;
        assert!(text.starts_with(said), "{end}: {text}");
        assert!(follower.check().is_err());
        world.auth.delete_client(&root, "able").await.unwrap();
    }
}

#[tokio::test]
async fn credentials_end_by_themselves_but_timestamps_do_not_grow_old() {
    let world = World::bare().await;
    let able = world.client("able", &["auth:events"]).await;
    let mut by_header = world.auth.follow(&world.call(&able).await, None).await.unwrap();
    let mut by_bewit = world.auth.follow(&bewit(&world, &able, 60).await, None).await.unwrap();
    world.clock.advance(59_000);
    by_bewit.check().unwrap();
    world.clock.advance(1_000);
    assert_eq!(by_bewit.check().unwrap_err().to_string(), "Unauthorized: Access expired");
    assert_eq!(refusal(&mut by_bewit).await, "Unauthorized: Access expired");
    // A header older than a quarter of an hour would be refused if it came now.
    world.clock.advance(60 * MINUTE_MS);
    by_header.check().unwrap();
    world.role("r", &[]).await;
    assert!(hear(&mut by_header).await.ends_with("role r created"));
    let root = world.as_root().await;
    let short = falconer_auth::ClientInput { expires_us: (world.now() + 1000) * 1000, ..world.input(&["auth:events"]) };
    world.auth.update_client(&root, "able", &short).await.unwrap();
    assert!(hear(&mut by_header).await.ends_with("client able updated"));
    world.clock.advance(1001);
    assert_eq!(by_header.check().unwrap_err().to_string(), "Client with clientId: 'able' has expired");
}

async fn bewit(world: &World, keys: &Keys, seconds: i64) -> Authentication {
    let bewit = sign::bewit(&keys.id, &keys.token, "/x", HOST, 443, world.now() / 1000 + seconds, None);
    let resource = format!("/x?bewit={bewit}");
    world.auth.authenticate(&RequestParts { method: "GET", resource: &resource, host: HOST, port: 443, authorization: None }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_writers_each_change_is_heard_once_in_order() {
    let world = Arc::new(World::bare().await);
    let root = world.as_root().await;
    let start = world.auth.revision();
    // One follows all along, one leaves after each event and comes back where it was.
    let mut steady = world.auth.follow(&root, None).await.unwrap();
    let (writers, each) = (8, 12);
    let end = Revision(start.0 + writers * each);
    let writing: Vec<_> = (0..writers)
        .map(|writer| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                for i in 0..each {
                    world.role(&format!("w{writer}-{}", i / 2), &[]).await;
                }
            })
        })
        .collect();
    let auth = world.auth.clone();
    let restless = tokio::spawn(async move {
        let (mut received, mut position) = (Vec::new(), Position::behind(start));
        while plain(position) != end.0.to_string() {
            let mut follower = auth.follow(&root, Some(position)).await.unwrap();
            received.push(hear(&mut follower).await);
            position = follower.position();
        }
        received
    });
    let steady = hear_to(&mut steady, end).await;
    let restless = tokio::time::timeout(patience(), restless).await.unwrap().unwrap();
    for task in writing {
        task.await.unwrap();
    }
    let feed = world.store.changes_since(start, 10_000).await.unwrap();
    let feed: Vec<String> = feed.iter().map(|row| format!("{} role {} {}", row.revision.0, row.key, row.what.as_str())).collect();
    assert_eq!(steady, feed);
    assert_eq!(restless, feed);
}

/// With two hundred followers during an import, all other calls waited for seconds: each follower read the feed for itself, and each change was
/// written anew for each of them.
#[tokio::test]
async fn followers_share_what_was_read_and_made() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let mut followers = Vec::new();
    for _ in 0..50 {
        followers.push(world.auth.follow(&root, None).await.unwrap());
    }
    let ids: Vec<String> = (0..2_000).map(|n| format!("r{n:04}")).collect();
    for ids in ids.chunks(500) {
        beside(&world, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    world.auth.catch_up().await.unwrap();
    let (before, all) = (world.auth.reads_of_the_feed(), world.auth.directory().revision());
    let mut first_texts = Vec::new();
    for (index, follower) in followers.iter_mut().enumerate() {
        let mut texts = Vec::new();
        while follower.position().revision() < all {
            match follower.text_at_hand(|event| format!("{}\n", shown(event))) {
                Some(text) => texts.push(text),
                None => assert_eq!(follower.ready().await.unwrap(), None),
            }
        }
        if index == 0 {
            assert_eq!(texts.iter().map(|text| text.iter().filter(|byte| **byte == b'\n').count()).sum::<usize>(), ids.len());
            first_texts = texts;
        } else {
            assert_eq!(first_texts.len(), texts.len());
            assert!(first_texts.iter().zip(&texts).all(|(first, text)| Arc::ptr_eq(first, text)));
        }
    }
    let reads = world.auth.reads_of_the_feed() - before;
    assert!(reads <= 8, "four revisions, and whoever is first at each asks whether there are more: {reads}");
}

/// What the others have long heard does not stay for one who does not listen.
#[tokio::test]
async fn a_follower_that_is_too_slow_is_told_to_list_again() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let mut slow = world.auth.follow(&root, None).await.unwrap();
    let mut quick = world.auth.follow(&root, None).await.unwrap();
    // Both have come along until now.
    for follower in [&mut slow, &mut quick] {
        assert!(tokio::time::timeout(Duration::ZERO, follower.next()).await.is_err());
    }
    let ids: Vec<String> = (0..18_000).map(|n| format!("r{n:05}")).collect();
    for ids in ids.chunks(4_500) {
        beside(&world, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    world.auth.catch_up().await.unwrap();
    let present = world.auth.revision();
    assert_eq!(hear_to(&mut quick, present).await.len(), ids.len());
    assert_eq!(hear(&mut slow).await, format!("{present} reset", present = present.0));
    // Then it goes on like any other. Somebody who resumes from there hears all of it: the feed still has it.
    world.role("later", &[]).await;
    assert!(hear(&mut slow).await.ends_with("role later created"));
    let mut resumed = world.auth.follow(&root, Some(Position::behind(Revision(present.0 - 4)))).await.unwrap();
    assert_eq!(hear_to(&mut resumed, present).await.len(), ids.len());
}
