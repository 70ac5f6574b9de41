//! Several servers on one database: what one of them changes holds on the others, and one that is cut off does not go on by what it remembers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod cluster;
#[path = "../support/mod.rs"]
mod support;
mod taken_away;

use std::time::Instant;

use cluster::{Cluster, Hears, Node, Said};
use falconer_client::{Client, Credentials, Method};
use falconer_wire::{AuthenticateHawkRequest, RoleRequest};
use support::patience::patience;

/// What a server that is cut off says.
const CUT_OFF: &str = "has not reached its database";

fn role(scopes: &[String]) -> RoleRequest {
    RoleRequest { scopes: scopes.to_vec(), description: "of a test".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn what_one_server_revokes_is_refused_by_the_others() {
    revoked_on_one_and_refused_by_all(Hears::AtOnce).await;
}

/// Servers prepared statements under names, which another connection of the pooler does not have.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn so_it_is_behind_pgbouncer() {
    revoked_on_one_and_refused_by_all(Hears::Pooled).await;
}

async fn revoked_on_one_and_refused_by_all(hears: Hears) {
    let mut cluster = Cluster::make().await;
    let (a, b, deaf) = (cluster.node(hears).await, cluster.node(hears).await, cluster.node(Hears::NotAtAll).await);
    for round in 0..5 {
        let robot = a.make_client(&format!("project/robot-{round}"), &["notes:read"]).await;
        for node in [&b, &deaf] {
            node.until(&robot, |said| *said == Said::Right).await;
        }
        let before = b.metric("falconer_notifications").await;
        // Each server changes what another one has made.
        deaf.root.disable_client(robot.client_id()).await.unwrap();
        for node in [&a, &b] {
            let before = node.until(&robot, |said| matches!(said, Said::Wrong(_))).await;
            assert!(before.iter().all(|said| *said == Said::Right), "{before:?}");
        }
        assert!(b.metric("falconer_notifications").await > before, "it was notified, and did not only look");
        a.root.enable_client(robot.client_id()).await.unwrap();
        deaf.until(&robot, |said| *said == Said::Right).await;
        b.root.reset_access_token(robot.client_id()).await.unwrap();
        for node in [&a, &deaf] {
            node.until(&robot, |said| matches!(said, Said::Wrong(_))).await;
        }
    }
    assert_eq!(deaf.metric("falconer_notifications").await, 0.0, "this one has only looked");
    let (revision, there) = (a.revision().await, b.revision().await);
    assert_eq!((revision, deaf.revision().await), (there, there), "all of them answer from the same revision");
    for node in [a, b, deaf] {
        assert_eq!(node.server.end(), Some(0));
    }
}

/// A right is removed, then something is made that whoever had it would see. No server may know the second without the first.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn nobody_sees_what_was_made_after_their_right_was_removed() {
    let mut cluster = Cluster::make().await;
    let (a, b, c) = (cluster.node(Hears::AtOnce).await, cluster.node(Hears::AtOnce).await, cluster.node(Hears::NotAtAll).await);
    let robot = a.make_client("project/robot", &["assume:team", "auth:current-scopes"]).await;
    let rounds = support::patience::rounds("FALCONER_ENEMY_ROUNDS", 200);
    a.root.create_role("team", &role(&[])).await.unwrap();
    for round in 0..rounds {
        let folder = format!("assume:folder-{round}");
        a.root.update_role("team", &role(&[folder])).await.unwrap();
        a.root.update_role("team", &role(&[])).await.unwrap();
        let secret = format!("read:secret-{round}");
        let body = serde_json::to_value(role(std::slice::from_ref(&secret))).unwrap();
        let revision = b.change(&Method::PUT, &format!("/api/auth/v1/roles/folder-{round}"), Some(body)).await;
        let scopes = scopes_at_least(&c, &robot, revision).await;
        assert!(!scopes.contains(&secret), "round {round}: {scopes:?}");
        let created = c.root.role(&format!("folder-{round}")).await.unwrap();
        assert!(created.is_some(), "round {round}: whoever asks for a revision gets an answer from it");
    }
}

/// What the credentials come to at a revision or later.
async fn scopes_at_least(node: &Node, credentials: &Credentials, revision: i64) -> Vec<String> {
    let url = format!("{}/api/auth/v1/scopes/current", node.server.root_url);
    let client = Client::new(&node.server.root_url).unwrap().with_credentials(credentials.clone());
    let authorization = client.authorization(&Method::GET, &url, None).unwrap().unwrap();
    let until = Instant::now() + patience();
    loop {
        let request = support::http().get(&url).header("authorization", &authorization).header("falconer-at-least", revision.to_string());
        let answer = request.send().await.unwrap();
        // It waits a second, and says then that it is not there yet: on a machine that does a lot besides that may be so.
        if answer.status().as_u16() == 503 && Instant::now() < until {
            continue;
        }
        assert_eq!(answer.status().as_u16(), 200);
        let scopes: falconer_wire::Scopes = answer.json().await.unwrap();
        return scopes.scopes;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_server_that_is_cut_off_refuses_and_recovers_by_itself() {
    let mut cluster = Cluster::make().await;
    let (a, b) = (cluster.node(Hears::AtOnce).await, cluster.node_with(Hears::AtOnce, "5 seconds").await);
    let (robot, other) = (a.make_client("project/robot", &["notes:read"]).await, a.make_client("project/other", &["notes:read"]).await);
    b.until(&robot, |said| *said == Said::Right).await;
    assert_eq!(b.heartbeat().await.0, 200);
    b.proxy.fall_silent();
    a.root.disable_client("project/robot").await.unwrap();
    // What it remembers counts for five seconds, and then nothing does.
    let before = b.until(&robot, |said| matches!(said, Said::NotNow(_))).await;
    assert!(before.iter().all(|said| *said == Said::Right), "{before:?}");
    for credentials in [&robot, &other] {
        let Said::NotNow(text) = b.says_of(credentials).await else { panic!("it is cut off") };
        assert!(text.contains(CUT_OFF), "{text}");
    }
    let error = b.root.current_scopes().await.unwrap_err();
    assert_eq!((error.status(), error.to_string().contains(CUT_OFF)), (Some(503), true), "{error}");
    // What nobody may do is what a role gives, which may have been taken away.
    let unsigned = AuthenticateHawkRequest {
        method: "get".to_owned(),
        resource: "/note/1".to_owned(),
        host: "notes.example.com".to_owned(),
        port: 443,
        authorization: None,
        source_ip: None,
    };
    let error = b.root.authenticate_hawk(&unsigned).await.unwrap_err();
    assert_eq!((error.status(), error.to_string().contains(CUT_OFF)), (Some(503), true), "{error}");
    let (status, body) = b.heartbeat().await;
    assert!(status == 503 && body["message"].as_str().unwrap().contains(CUT_OFF), "{status} {body}");
    assert_eq!(b.metric("falconer_is_cut_off").await, 1.0);
    assert_eq!((a.says_of(&other).await, a.heartbeat().await.0), (Said::Right, 200), "the others go on");
    b.proxy.go_on();
    // The first answer that is none of these is the right one.
    let before = b.until(&robot, |said| matches!(said, Said::Wrong(_))).await;
    assert!(before.iter().all(|said| matches!(said, Said::NotNow(_))), "{before:?}");
    b.until(&other, |said| *said == Said::Right).await;
    let (status, body) = b.heartbeat().await;
    assert!(status == 200 && body["stalenessMs"].as_i64().unwrap() >= 0 && body["epoch"].as_str().unwrap().len() == 16, "{body}");
}

/// Everybody adds to the same role at once. An addition that was decided on what another server had just replaced would take that one's away.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn nothing_is_lost_where_all_servers_write_at_once() {
    const EACH: usize = 20;
    let mut cluster = Cluster::make().await;
    let nodes = [cluster.node(Hears::AtOnce).await, cluster.node(Hears::NotAtAll).await, cluster.node(Hears::AtOnce).await];
    let write = async |number: usize, node: &Node| {
        for round in 0..EACH {
            let client_id = format!("project/{number}-{round}");
            node.make_client(&client_id, &["notes:read"]).await;
            if round % 3 == 0 {
                node.root.delete_client(&client_id).await.unwrap();
            }
        }
    };
    let [a, b, c] = &nodes;
    tokio::join!(write(0, a), write(1, b), write(2, c), write(3, a), write(4, b), write(5, c));
    let revision = a.revision().await;
    let mut lists = Vec::new();
    for node in &nodes {
        let until = Instant::now() + patience();
        while node.revision().await < revision {
            assert!(Instant::now() < until, "never at revision {revision}");
        }
        let mut found: Vec<String> =
            node.root.list_all_clients(Some("project/")).await.unwrap().into_iter().map(|client| client.client_id).collect();
        found.sort();
        assert_eq!(found.len(), 6 * (EACH - EACH.div_ceil(3)), "each that was acknowledged is there");
        lists.push(found);
    }
    assert!(lists.windows(2).all(|pair| pair.first() == pair.last()));
    // One created what another one has: exactly one of them is told so.
    let request = |token: &str| RoleRequest { scopes: vec![format!("of:{token}")], description: "of a test".to_owned() };
    let (of_a, of_b, of_c) = (request("a"), request("b"), request("c"));
    let joined = tokio::join!(a.root.create_role("one", &of_a), b.root.create_role("one", &of_b), c.root.create_role("one", &of_c));
    let new_record = [joined.0, joined.1, joined.2];
    assert_eq!(new_record.iter().filter(|new_record| new_record.is_ok()).count(), 1, "{new_record:?}");
    assert!(
        new_record.iter().filter_map(|new_record| new_record.as_ref().err()).all(|error| error.status() == Some(409)),
        "{new_record:?}"
    );
}

/// A server that answered by what it remembers said that there is no such client, whose creation had just been acknowledged.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_change_of_what_another_server_has_just_made_finds_it() {
    let mut cluster = Cluster::make().await;
    let (a, b) = (cluster.node(Hears::AtOnce).await, cluster.node(Hears::NotAtAll).await);
    for round in 0..10 {
        let name = format!("project/robot-{round}");
        a.make_client(&name, &["notes:read"]).await;
        b.root.disable_client(&name).await.unwrap();
        a.root.create_role(&format!("role-{round}"), &role(&[])).await.unwrap();
        b.root.update_role(&format!("role-{round}"), &role(&["notes:write".to_owned()])).await.unwrap();
    }
}

/// Story: a new key sealed at once on the machine where it was made. Until its file came to the others, they knew nobody whom that server had changed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn no_server_is_made_to_meet_a_key_that_it_does_not_have() {
    let mut cluster = Cluster::make().await;
    let folder = tempfile::tempdir().unwrap();
    let (keys, others) = (cluster.place.data().join("falconer.keys"), folder.path().join("others.keys"));
    let bring = || {
        std::fs::copy(&keys, folder.path().join("new")).unwrap();
        std::fs::rename(folder.path().join("new"), &others).unwrap();
    };
    bring();
    let a = cluster.node(Hears::AtOnce).await;
    let b = cluster.node_of(Hears::AtOnce, "1 day", &[("FALCONER_KEY_FILE", others.to_str().unwrap())]).await;
    let database = cluster.place.database.as_ref().unwrap();
    let until = Instant::now() + patience();
    while database.text("SELECT count(*)::text FROM node_keys").await != "2" {
        assert!(Instant::now() < until, "both say which keys they have");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let run = |args: &[&str]| tokio::task::block_in_place(|| cluster.place.run(args));
    let in_the_end = |what: &str, args: &[&str]| {
        tokio::task::block_in_place(|| {
            support::patience::eventually(what, || (cluster.place.run(args).code == 0).then_some(()));
        });
    };
    run(&["keys", "add"]).ok();
    run(&["keys", "use", "k2"]).refused(1, "have the key k2");
    let before = a.make_client("project/before", &["notes:read"]).await;
    b.until(&before, |said| *said == Said::Right).await;
    bring();
    in_the_end("both have it", &["keys", "use", "k2"]);
    let sealed_with = "SELECT convert_from(substr(access_token, 3, 2), 'UTF8') FROM clients WHERE client_id = ";
    let until = Instant::now() + patience();
    for number in 0.. {
        let after = a.make_client(&format!("project/after-{number}"), &["notes:read"]).await;
        b.until(&after, |said| *said == Said::Right).await;
        if database.text(&format!("{sealed_with}'project/after-{number}'")).await == "k2" {
            break;
        }
        assert!(Instant::now() < until, "the new key never seals");
    }
    // The other one still seals with the key of before.
    let long_ago = || std::fs::File::options().write(true).open(&keys).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    long_ago();
    run(&["keys", "reseal"]).ok();
    run(&["keys", "remove", "k1"]).refused(1, "does not seal with k2 yet");
    bring();
    in_the_end("both seal with it", &["keys", "remove", "k1"]);
    b.until(&before, |said| *said == Said::Right).await;
    for node in [a, b] {
        assert_eq!(node.server.end(), Some(0));
    }
    assert_eq!(database.text("SELECT count(*)::text FROM node_keys WHERE until > clock_timestamp()").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn what_only_one_server_does_is_taken_over() {
    let mut cluster = Cluster::make().await;
    let holder = "SELECT holder FROM leases WHERE name = 'upkeep' AND until > clock_timestamp()";
    let a = cluster.node(Hears::AtOnce).await;
    let b = cluster.node(Hears::AtOnce).await;
    let database = cluster.place.database.as_ref().unwrap();
    let first = database.text(holder).await;
    a.server.kill();
    let until = Instant::now() + patience();
    let all = format!("SELECT coalesce(({holder}), '')");
    while [first.as_str(), ""].contains(&database.text(&all).await.as_str()) {
        assert!(Instant::now() < until, "nobody takes over");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // Whoever ends in good order gives it back.
    assert_eq!(b.server.end(), Some(0));
    assert_eq!(database.text("SELECT count(*)::text FROM leases").await, "0");
}

/// Where a signature may change something once, it was once on each server.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_signature_changes_something_once_on_all_servers_together() {
    // As behind a proxy that passes the name on.
    const HOST: &str = "auth.example.com:8080";
    const ORIGIN: &str = "http://auth.example.com:8080";
    let mut cluster = Cluster::make().await;
    let origins = format!("[\"{ORIGIN}\"]");
    let more = [("FALCONER_LIMITS__REFUSE_REPLAYS", "true"), ("FALCONER_HAWK_ORIGINS", origins.as_str())];
    let nodes = [cluster.node_of(Hears::AtOnce, "1 day", &more).await, cluster.node_of(Hears::NotAtAll, "1 day", &more).await];
    let credentials = Credentials::new(&cluster.init.client_id, &cluster.init.access_token);
    let root = Client::new(ORIGIN).unwrap().with_credentials(credentials);
    let body = serde_json::to_vec(&role(&[])).unwrap();
    let put = async |node: &Node, path: &str, authorization: &str| {
        let request = support::http().put(format!("{}{path}", node.server.root_url)).header("authorization", authorization);
        request.header("host", HOST).header("content-type", "application/json").body(body.clone()).send().await.unwrap().status().as_u16()
    };
    for round in 0..5 {
        let path = format!("/api/auth/v1/roles/role-{round}");
        let sign = || root.authorization(&Method::PUT, &format!("{ORIGIN}{path}"), None).unwrap().unwrap();
        let (first, [a, b]) = (sign(), &nodes);
        assert_eq!(put(a, &path, &first).await, 200);
        assert_eq!((put(b, &path, &first).await, put(a, &path, &first).await), (401, 401));
        // Signed anew it says the same thing twice.
        assert_eq!(put(b, &path, &sign()).await, 200);
        // At the same moment one of them has it.
        let both = sign();
        let mut answers = <[u16; 2]>::from(tokio::join!(put(a, &path, &both), put(b, &path, &both)));
        answers.sort_unstable();
        assert_eq!(answers, [200, 401]);
    }
}

/// Each server that started after a restore found another epoch than it had noted, and began one of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn servers_that_start_on_a_restored_database_follow_one_history() {
    let mut cluster = Cluster::make().await;
    let epoch = async |node: &Node| node.heartbeat().await.1["epoch"].as_str().unwrap().to_owned();
    let (a, b) = (cluster.node(Hears::AtOnce).await, cluster.node(Hears::AtOnce).await);
    let of_backup = epoch(&a).await;
    let robot = a.make_client("project/robot", &["notes:read"]).await;
    b.until(&robot, |said| *said == Said::Right).await;
    for node in [a, b] {
        assert_eq!(node.server.end(), Some(0));
    }
    let copy = async |from: &str, to: &str| {
        let database = cluster.place.database.as_ref().unwrap();
        database.run(&format!("CREATE DATABASE {to} TEMPLATE {from} OWNER {}", database.name)).await;
    };
    let drop = async |name: &str| cluster.place.database.as_ref().unwrap().run(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    let name = cluster.place.database.as_ref().unwrap().name.clone();
    let backup = format!("{name}_backup");
    copy(&name, &backup).await;

    let mut before = vec![of_backup];
    // The second time the backup is of a history of before.
    for round in 0..2 {
        let start = async |number| cluster.node_in(number, Hears::AtOnce, "1 day", &[]).await;
        let (a, b) = (start(0).await, start(1).await);
        let lost = a.make_client(&format!("project/lost-{round}"), &["notes:read"]).await;
        b.until(&lost, |said| *said == Said::Right).await;
        for node in [a, b] {
            assert_eq!(node.server.end(), Some(0));
        }
        drop(&name).await;
        copy(&backup, &name).await;

        let a = start(0).await;
        let begun = epoch(&a).await;
        assert!(!before.contains(&begun), "a history of its own begins: {begun} after {before:?}");
        let b = start(1).await;
        assert_eq!(epoch(&b).await, begun, "the second server goes on in the history that the first one has begun");
        b.make_client("project/later", &["notes:read"]).await;
        for node in [&a, &b] {
            node.until(&robot, |said| *said == Said::Right).await;
        }
        assert_eq!((epoch(&a).await, epoch(&b).await), (begun.clone(), begun.clone()));
        before.push(begun);
        for node in [a, b] {
            assert_eq!(node.server.end(), Some(0));
        }
    }
    drop(&backup).await;
}
