//! The way to the database is cut at many points of a change, some of them in the middle of its commit: what is said of it is true.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

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
    let rounds = rounds("FALCONER_CUTS", 24);
    for round in 0..rounds {
        let name = format!("cut/{round:05}");
        let cut = cut(&mut random);
        proxy.cut(cut, &name);
        match root.create_client(&name, &request).await {
            Ok(_) => drop(done.insert(name)),
            Err(error) => {
                assert_eq!((error.status(), error.code()), (Some(503), Some("ServiceUnavailable")), "seed {seed}, {cut:?}: {error:?}");
                if error.to_string().contains(NOT_KNOWN) {
                    not_known += 1;
                } else {
                    not_done.insert(name);
                }
            }
        }
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
    }
    println!(
        "{rounds} changes, seed {seed}: {} done, {} not done, {not_known} not known; {} cuts",
        done.len(),
        not_done.len(),
        proxy.cuts()
    );
    // A quarter of them is cut within the answer to a commit.
    assert!(not_known > 0 && !not_done.is_empty() && proxy.cuts() > u64::from(rounds) / 4);
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
