//! A right is removed on one node, then something is made on another one that whoever had it would see, while the clocks of the machines are
//! up to ten minutes apart. A third one answers from the second change: without what was made, or not at all.

use std::sync::Arc;

use falconer_auth::{AtLeast, Auth, RoleInput, Verdict, WaitOutcome};
use falconer_store::Store;

use crate::common::{Counting, FixedClock, Keys, START_MS, World, memory_store, scopes_of, settings, strings};
use crate::dice::Dice;
use crate::{environment, number};

const APART_MS: i64 = 10 * 60 * 1000;
const MAY_BE_APART_MS: i64 = 60 * 1000;

/// A node whose clock is ahead by so much.
async fn node(store: &Arc<dyn Store>, random: &Arc<Counting>, ahead_ms: i64, root: Option<&Keys>) -> World {
    let clock = Arc::new(FixedClock::at(START_MS + ahead_ms));
    let auth = Auth::open(Arc::clone(store), settings(), clock.clone(), random.clone()).await.unwrap();
    let root = match root {
        Some(root) => Keys::new(&root.id, root.token.expose()),
        None => {
            let root = auth.fresh_install(true).await.unwrap();
            Keys { id: root.client_id, token: root.access_token, certificate: None }
        }
    };
    World { auth, store: Arc::clone(store), clock, random: random.clone(), root }
}

#[tokio::test]
async fn clocks_that_are_apart_show_nobody_what_was_made_after_their_right_was_removed() {
    let (mut answered, mut refused) = (0, 0);
    let team = |scopes: &[&str]| RoleInput { scopes: strings(scopes), description: String::new() };
    let rounds = number(environment, "FALCONER_ENEMY_ROUNDS", 30);
    for round in 0..rounds {
        let mut dice = Dice::of(round);
        let ahead: [i64; 3] = std::array::from_fn(|_| match dice.roll(3) {
            0 => 0,
            1 => APART_MS,
            _ => i64::try_from(dice.roll(APART_MS.unsigned_abs())).unwrap(),
        });
        let (store, random) = (memory_store(), Arc::new(Counting::default()));
        let remover = node(&store, &random, ahead[0], None).await;
        let maker = node(&store, &random, ahead[1], Some(&remover.root)).await;
        let robot = remover.client("project/robot", &["assume:team"]).await;
        remover.role("team", &["assume:folder"]).await;
        let reader = node(&store, &random, ahead[2], Some(&remover.root)).await;

        remover.auth.update_role(&remover.as_root().await, "team", &team(&[])).await.unwrap();
        if dice.roll(2) == 0 {
            // Where its clock is behind, the reader may say that it can't.
            let _ = reader.auth.catch_up().await;
        }
        // A node whose clock is behind, by more than clocks of machines may be, changes nothing.
        let created = maker.auth.create_role(&maker.as_root().await, "folder", &team(&["read:secret"])).await;
        assert_eq!(created.is_err(), remover.now() - maker.now() > MAY_BE_APART_MS, "round {round}, {ahead:?}: {created:?}");
        if created.is_err() {
            continue;
        }
        let revision = AtLeast { epoch: None, revision: maker.auth.directory().revision() };
        assert_eq!(reader.auth.wait_for(revision).await, WaitOutcome::Reached);
        match reader.verify(&robot).await {
            Verdict::Unable(_) => {
                assert!(reader.now() < maker.now().max(remover.now()), "round {round}, {ahead:?}");
                refused += 1;
            }
            verdict => {
                let scopes = scopes_of(&verdict);
                assert!(
                    scopes.contains(&"assume:team".to_owned()) && !scopes.contains(&"read:secret".to_owned()),
                    "round {round}, {ahead:?}: {scopes:?}"
                );
                answered += 1;
            }
        }
    }
    assert!(answered >= rounds / 10 && refused >= rounds / 10, "{answered} {refused} of {rounds}");
    println!("{rounds} rounds: {answered} answered, {refused} refused");
}
