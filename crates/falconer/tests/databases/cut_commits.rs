//! The way to the database is cut at many points of a change, some of them in the middle of its commit: what is said of it is true.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use falconer_wire::RoleRequest;

use crate::cutting_proxy::{Cut, CuttingProxy};
use crate::silent_database::{NOT_KNOWN, a_client};
use crate::support::patience::{patience, rounds};
use crate::support::place::Place;

/// Where it is cut in this round, by a seed. Half of the points lie in a commit or the answer to it.
fn cut(random: &mut fastrand::Rng) -> Cut {
    match random.usize(0..4) {
        0 => Cut::Sent(random.usize(0..4_000)),
        1 => Cut::Answered(random.usize(0..2_000)),
        2 => Cut::Commit(random.usize(0..8)),
        // Before the answer to it come those to the statements that are sent with it.
        _ => Cut::AnswerToCommit(random.usize(0..320)),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn what_is_said_of_a_change_is_true_wherever_the_way_was_cut() {
    let mut place = Place::postgres().await;
    let proxy = CuttingProxy::before(place.database_address()).await;
    place.reach_database_at(proxy.address);
    let (place, init, server, root) = place.serve().await;
    let request = a_client();
    let seed: u64 = std::env::var("FALCONER_CUT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut done, mut not_done, mut not_known) = (BTreeSet::new(), BTreeSet::new(), 0);
    // A new record goes out together with its commit, so that nothing is between both; a role that is changed does not.
    let role = |name: &str| RoleRequest { scopes: vec!["a".to_owned()], description: name.to_owned() };
    root.create_role("cut", &role("")).await.unwrap();
    let (mut roles, rounds) = ([0, 0], rounds("FALCONER_CUTS", 24));
    for round in 0..rounds {
        let name = format!("cut/{round:05}");
        let cut = cut(&mut random);
        proxy.cut(cut, &name);
        let is_new = round % 2 == 0;
        let changed = if is_new {
            root.create_client(&name, &request).await.map(drop)
        } else {
            root.update_role("cut", &role(&name)).await.map(drop)
        };
        let said = match changed {
            Ok(()) => Some(true),
            Err(error) => {
                assert_eq!((error.status(), error.code()), (Some(503), Some("ServiceUnavailable")), "seed {seed}, {cut:?}: {error:?}");
                if error.to_string().contains(NOT_KNOWN) { None } else { Some(false) }
            }
        };
        not_known += u32::from(said.is_none());
        proxy.let_through();
        // By itself, and soon: the next change shows that it is back.
        let until = Instant::now() + patience();
        let back = format!("back/{round:05}");
        while let Err(error) = root.create_client(&back, &request).await {
            // One of which nobody knew may have been made.
            if error.status() == Some(409) {
                break;
            }
            assert_eq!(error.status(), Some(503), "seed {seed}, {cut:?}: {error:?}");
            assert!(Instant::now() < until, "seed {seed}, {cut:?}: it does not recover: {error}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        match said {
            Some(is_done) if is_new => drop(if is_done { done.insert(name) } else { not_done.insert(name) }),
            Some(is_done) => {
                let description = root.role("cut").await.unwrap().unwrap().description;
                assert_eq!(description == name, is_done, "seed {seed}, {cut:?}: {description}");
                roles[usize::from(is_done)] += 1;
            }
            None => {}
        }
    }
    println!(
        "{rounds} changes, seed {seed}: {} done, {} not done, {not_known} not known; {} cuts",
        done.len() + roles[1],
        not_done.len() + roles[0],
        proxy.cuts()
    );
    // A quarter of them is cut within the answer to a commit.
    assert!(not_known > 0 && roles[0] + not_done.len() > 0 && proxy.cuts() > u64::from(rounds) / 4);
    // As the server says, and as one says that reads the database anew.
    let names = async |server: &crate::support::Server| -> BTreeSet<String> {
        let clients = server.client(&init).list_all_clients(Some("cut/")).await.unwrap();
        clients.into_iter().map(|client| client.client_id).collect()
    };
    let here = names(&server).await;
    assert_eq!(server.end(), Some(0));
    assert_eq!(names(&place.start()).await, here);
    assert!(done.is_subset(&here), "seed {seed}: lost: {:?}", done.difference(&here));
    assert!(not_done.is_disjoint(&here), "seed {seed}: made: {:?}", not_done.intersection(&here));
}
