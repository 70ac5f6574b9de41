//! What a provider's answer changes at once: scopes, clients, and the history that says why.

use crate::common::{World, message_of, person, scopes_of, strings};
use falconer_auth::{DAY_MS, Occasion, Verdict};
use falconer_store::{Addition, AuditStart, IdentityRecord};

const ANN: &str = "oidc/ann";
const HOME: &str = "local/ann";

async fn ann() -> World {
    let world = World::bare().await;
    world.person(ANN, &["w:*", "assume:team"]).await;
    world.person(HOME, &["h"]).await;
    world.role("team", &["t:read", "t:write"]).await;
    world.auth.link_identity("test", HOME, ANN, None).await.unwrap();
    world
}

fn says(world: &World, scopes: &[&str]) -> IdentityRecord {
    person(ANN, scopes, world.now())
}

async fn disabled(world: &World, client_id: &str) -> bool {
    world.store.client(client_id).await.unwrap().unwrap().disabled
}

#[tokio::test]
async fn clients_beyond_what_is_left_are_disabled_in_the_same_step_and_the_history_says_why() {
    let world = ann().await;
    world.client("oidc/ann/within", &["w:1", "h"]).await;
    let beyond = world.client("oidc/ann/beyond", &["w:1", "t:read"]).await;
    world.client("local/ann/by-role", &["assume:team"]).await;
    world.client("oidc/ann-other/x", &["t:read"]).await;
    let before = world.store.revision().await.unwrap();

    let answer = IdentityRecord { groups: Vec::new(), ..says(&world, &["w:*"]) };
    let followed = world.auth.refresh_identity("test", &answer, Occasion::Refresh).await.unwrap();
    assert_eq!(followed.disabled, ["local/ann/by-role", "oidc/ann/beyond"]);
    assert_eq!(followed.revision.0, before.0 + 1, "one step");
    assert!(!disabled(&world, "oidc/ann/within").await && !disabled(&world, "oidc/ann-other/x").await);
    assert!(disabled(&world, "oidc/ann/beyond").await && disabled(&world, "local/ann/by-role").await);
    assert!(message_of(&world.verify(&beyond).await).contains("is disabled"), "{}", message_of(&world.verify(&beyond).await));

    let history = world.store.entity_history("client", "oidc/ann/beyond", AuditStart::Offset(1), 9).await.unwrap();
    assert_eq!((history[0].action.as_str(), history[0].actor.as_str()), ("disabled", "test"));
    assert_eq!(
        history[0].detail.clone().unwrap(),
        serde_json::json!({"why": "the provider no longer says so", "lostGroups": [], "lostScopes": ["assume:team"]})
    );
    // The row of the person says how it was and how it is; that of a client names nothing else of the person.
    let history = world.store.entity_history("identity", ANN, AuditStart::Offset(0), 99).await.unwrap();
    let last = history.last().unwrap();
    let detail = last.detail.clone().unwrap();
    assert_eq!((last.action.as_str(), &detail["why"]), ("refreshed", &serde_json::json!("the provider no longer says so")));
    assert_eq!(detail["scopes"], serde_json::json!({"added": [], "removed": ["assume:team"]}));
    // Whoever gets it back enables the client again by hand.
    world.auth.refresh_identity("test", &says(&world, &["w:*", "assume:team"]), Occasion::Refresh).await.unwrap();
    assert!(disabled(&world, "oidc/ann/beyond").await);
}

#[tokio::test]
async fn a_role_that_shrank_is_noticed_with_the_next_answer() {
    let world = ann().await;
    world.client("oidc/ann/c", &["t:write"]).await;
    world.role("team", &["t:read"]).await;
    let followed = world.auth.refresh_identity("test", &says(&world, &["w:*", "assume:team"]), Occasion::Refresh).await.unwrap();
    assert_eq!(followed.disabled, ["oidc/ann/c"]);
}

#[tokio::test]
async fn an_answer_that_says_nothing_new_is_written_only_when_the_last_one_is_getting_old() {
    let world = ann().await;
    let before = world.store.revision().await.unwrap();
    world.clock.advance(DAY_MS);
    world.auth.refresh_identity("test", &says(&world, &["w:*", "assume:team"]), Occasion::Refresh).await.unwrap();
    assert_eq!(world.store.revision().await.unwrap(), before);
    world.clock.advance(DAY_MS);
    world.auth.refresh_identity("test", &says(&world, &["w:*", "assume:team"]), Occasion::Refresh).await.unwrap();
    assert_eq!(world.store.revision().await.unwrap().0, before.0 + 1);
    assert_eq!(world.auth.directory().identity(ANN).unwrap().record.refreshed_ms, world.now());
    world.auth.refresh_identity("test", &says(&world, &["w:*", "assume:team"]), Occasion::SignIn).await.unwrap();
    assert_eq!(world.store.revision().await.unwrap().0, before.0 + 2, "a sign-in is always in the history");
}

#[tokio::test]
async fn whoever_is_gone_acts_no_more_and_is_back_with_a_sign_in_only() {
    let world = ann().await;
    let keys = world.client("oidc/ann/c", &["w:1"]).await;
    let others = world.client("local/ann/c", &["h"]).await;
    let followed = world.auth.end_identity("test", ANN).await.unwrap();
    assert_eq!(followed.disabled, ["oidc/ann/c"]);
    assert_eq!(world.auth.person_scopes(ANN), None);
    assert_eq!(world.auth.person_scopes(HOME).unwrap().to_vec(), ["h"], "the other identity is there still");
    assert!(matches!(world.verify(&keys).await, Verdict::Failed(_)) && scopes_of(&world.verify(&others).await).contains(&"h".to_owned()));
    let history = world.store.entity_history("identity", ANN, AuditStart::Offset(0), 9).await.unwrap();
    assert_eq!(history.last().unwrap().action, "gone");

    world.auth.refresh_identity("test", &says(&world, &["w:*"]), Occasion::Refresh).await.unwrap();
    assert_eq!(world.auth.person_scopes(ANN), None, "nobody signed in");
    world.auth.refresh_identity("test", &says(&world, &["w:*"]), Occasion::SignIn).await.unwrap();
    assert_eq!(world.auth.person_scopes(ANN).unwrap().to_vec(), ["h", "w:*"]);
}

#[tokio::test]
async fn a_provider_does_not_undo_what_an_administrator_did() {
    let world = ann().await;
    world.auth.put_identity("test", &IdentityRecord { disabled: true, ..says(&world, &["w:*"]) }).await.unwrap();
    world.auth.end_identity("test", ANN).await.unwrap();
    world.auth.refresh_identity("test", &says(&world, &["w:*"]), Occasion::SignIn).await.unwrap();
    assert_eq!(world.auth.person_scopes(ANN), None);
}

#[tokio::test]
async fn what_ends_by_its_age_disables_nothing_and_is_there_again() {
    let world = ann().await;
    let keys = world.client("oidc/ann/c", &["w:1"]).await;
    let old = IdentityRecord { refreshed_ms: 0, ..says(&world, &["w:*", "assume:team"]) };
    let followed = world.auth.refresh_identity("test", &old, Occasion::Refresh).await.unwrap();
    assert!(followed.disabled.is_empty());
    assert!(!scopes_of(&world.verify(&keys).await).contains(&"w:1".to_owned()));
    world.auth.refresh_identity("test", &says(&world, &["w:*", "assume:team"]), Occasion::SignIn).await.unwrap();
    assert!(scopes_of(&world.verify(&keys).await).contains(&"w:1".to_owned()));
}

#[tokio::test]
async fn what_a_directory_adds_counts_for_its_own_time() {
    let world = ann().await;
    let addition =
        |refreshed_ms| Addition { provider: "ldap".into(), groups: strings(&["vpn"]), scopes: strings(&["vpn:use"]), refreshed_ms };
    let with = |additions| IdentityRecord { additions, ..says(&world, &["w:*"]) };
    let has = || world.auth.person_scopes(HOME).unwrap().satisfies("vpn:use");
    world.auth.refresh_identity("test", &with(vec![addition(world.now())]), Occasion::Refresh).await.unwrap();
    assert!(has());
    world.auth.refresh_identity("test", &with(vec![addition(world.now() - 8 * DAY_MS)]), Occasion::Refresh).await.unwrap();
    assert!(!has(), "a week is the longest");
    let old = IdentityRecord { refreshed_ms: world.now() - 8 * DAY_MS, ..with(vec![addition(world.now())]) };
    world.auth.refresh_identity("test", &old, Occasion::Refresh).await.unwrap();
    assert!(!has(), "nobody vouches for the person to whom it is added");
    let reserved = Addition { scopes: strings(&["assume:grant:x"]), ..addition(world.now()) };
    assert!(world.auth.refresh_identity("test", &with(vec![reserved]), Occasion::Refresh).await.is_err());
}
