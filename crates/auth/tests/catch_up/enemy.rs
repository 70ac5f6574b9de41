//! A right is removed on one node, then something is made on another one that whoever had it would see, while the clocks of the machines are ten minutes apart. A third one
//! answers from the second change: without what was made, or not at all.

use std::sync::Arc;

use falconer_auth::{AtLeast, Auth, RoleInput, Verdict, WaitOutcome};
use falconer_store::Store;

use crate::common::{Counting, FixedClock, Keys, START_MS, World, memory_store, scopes_of, settings, strings};

const APART_MS: i64 = 10 * 60 * 1000;

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
    for round in 0..30 {
        // Each of the three is ahead in turn, or is alone behind.
        let ahead = |number| i64::from((round % 3 == number) == (round % 2 == 0)) * APART_MS;
        let (store, random) = (memory_store(), Arc::new(Counting::default()));
        let remover = node(&store, &random, ahead(0), None).await;
        let maker = node(&store, &random, ahead(1), Some(&remover.root)).await;
        let robot = remover.client("project/robot", &["assume:team"]).await;
        remover.role("team", &["assume:folder"]).await;
        let reader = node(&store, &random, ahead(2), Some(&remover.root)).await;

        remover.auth.update_role(&remover.as_root().await, "team", &team(&[])).await.unwrap();
        // A node whose clock is behind changes nothing.
        let created = maker.auth.create_role(&maker.as_root().await, "folder", &team(&["read:secret"])).await;
        assert_eq!(created.is_err(), maker.now() < remover.now(), "round {round}: {created:?}");
        if created.is_err() {
            continue;
        }
        let revision = AtLeast { epoch: None, revision: maker.auth.directory().revision() };
        assert_eq!(reader.auth.wait_for(revision).await, WaitOutcome::Reached);
        match reader.verify(&robot).await {
            Verdict::Unable(_) => {
                assert!(reader.now() < maker.now().max(remover.now()), "round {round}");
                refused += 1;
            }
            verdict => {
                let scopes = scopes_of(&verdict);
                assert!(
                    scopes.contains(&"assume:team".to_owned()) && !scopes.contains(&"read:secret".to_owned()),
                    "round {round}: {scopes:?}"
                );
                answered += 1;
            }
        }
    }
    assert!(answered >= 10 && refused >= 10, "{answered} {refused}");
}
