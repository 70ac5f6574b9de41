//! People with several identities: what they may do, what stays theirs, and what ends with whom.

use crate::common::{Keys, World, message_of, new_grant, person, scopes_of, strings};
use falconer_auth::{ApiError, Authentication, Verdict};
use falconer_store::{Key, Step, StoreError, Write};

const ANN: &str = "local/ann";
const WORK: &str = "oidc/ann@work";

/// Ann, who is `oidc/ann@work` too, each with scopes, a client and a grant.
async fn two_of_ann() -> (World, [Keys; 4]) {
    let world = World::bare().await;
    world.person(ANN, &["a", "auth:create-client:local/ann/*"]).await;
    world.person(WORK, &["w"]).await;
    world.auth.link_identity("test", WORK, ANN, None).await.unwrap();
    let keys = [
        world.client("local/ann/c", &["a", "w", "else"]).await,
        world.client("oidc/ann@work/c", &["a", "w", "else"]).await,
        granted(&world, ANN).await,
        granted(&world, WORK).await,
    ];
    (world, keys)
}

async fn granted(world: &World, identity: &str) -> Keys {
    let issued = world.auth.add_grant(new_grant(identity, &["a", "w"], world.now())).await.unwrap();
    let credentials = issued.credentials;
    Keys { id: credentials.client_id, token: credentials.access_token, certificate: Some(credentials.certificate) }
}

/// What each of the four may do, without what everybody and every grant has; `None` where it is refused.
async fn scopes_of_each(world: &World, keys: &[Keys; 4]) -> Vec<Option<String>> {
    let mut all = Vec::new();
    for keys in keys {
        let verdict = world.verify(keys).await;
        let scopes = matches!(verdict, Verdict::Success(_)).then(|| scopes_of(&verdict));
        all.push(scopes.map(|scopes| {
            scopes
                .into_iter()
                .filter(|scope| !matches!(scope.as_str(), "auth:current-scopes" | "assume:anonymous"))
                .collect::<Vec<_>>()
                .join(" ")
        }));
    }
    all
}

fn each(scopes_of_each: [Option<&str>; 4]) -> Vec<Option<String>> {
    scopes_of_each.into_iter().map(|scopes| scopes.map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_person_acts_with_what_all_linked_identities_give() {
    let (world, keys) = two_of_ann().await;
    for identity in [ANN, WORK] {
        assert_eq!(world.auth.person_scopes(identity).unwrap().to_vec(), ["a", "auth:create-client:local/ann/*", "w"]);
    }
    assert_eq!(scopes_of_each(&world, &keys).await, each([Some("a w"); 4]));
    // On the pages and as a grantor, whichever identity names what is made.
    let may = world.auth.caller(&Authentication::person(WORK)).unwrap();
    assert!(may.scopes.satisfies("a") && may.scopes.satisfies("auth:create-client:local/ann/x"));
}

#[tokio::test]
async fn a_disabled_identity_gives_nothing_and_names_nothing() {
    let (world, keys) = two_of_ann().await;
    let mut work = world.auth.directory().identity(WORK).unwrap().record.clone();
    work.disabled = true;
    world.auth.put_identity("test", &work).await.unwrap();
    assert_eq!(world.auth.person_scopes(WORK), None);
    assert!(!world.auth.person_scopes(ANN).unwrap().satisfies("w"));
    assert_eq!(scopes_of_each(&world, &keys).await, each([Some("a"), None, Some("a"), None]));
    assert!(message_of(&world.verify(&keys[1]).await).contains("not active"));
    work.disabled = false;
    world.auth.put_identity("test", &work).await.unwrap();
    assert_eq!(scopes_of_each(&world, &keys).await, each([Some("a w"); 4]));
}

#[tokio::test]
async fn a_disabled_person_ends_all() {
    let (world, keys) = two_of_ann().await;
    world.auth.disable_person("test", WORK, true).await.unwrap();
    assert_eq!((world.auth.person_scopes(ANN), world.auth.person_scopes(WORK)), (None, None));
    assert_eq!(scopes_of_each(&world, &keys).await, each([None; 4]));
    // Nobody gets away from that by unlinking.
    world.auth.unlink_identity("test", WORK).await.unwrap();
    assert_eq!(scopes_of_each(&world, &keys).await, each([None; 4]));
    world.auth.disable_person("test", ANN, false).await.unwrap();
    assert_eq!(scopes_of_each(&world, &keys).await, each([Some("a"), None, Some("a"), None]));
    world.auth.disable_person("test", WORK, false).await.unwrap();
    assert_eq!(scopes_of_each(&world, &keys).await, each([Some("a"), Some("w"), Some("a"), Some("w")]));
}

#[tokio::test]
async fn what_a_provider_said_too_long_ago_counts_no_more() {
    let (world, keys) = two_of_ann().await;
    world.clock.advance(8 * falconer_auth::DAY_MS);
    assert!(!world.auth.person_scopes(ANN).unwrap().satisfies("w"));
    // The grants lasted for a day.
    assert_eq!(scopes_of_each(&world, &keys).await, each([Some("a"), Some("a"), None, None]));
}

#[tokio::test]
async fn after_unlinking_each_has_its_own_again() {
    let (world, keys) = two_of_ann().await;
    let before = world.auth.directory().person_of(ANN).unwrap().record.clone();
    world.auth.name_person("test", WORK).await.unwrap();
    assert_eq!(world.auth.directory().person_of(ANN).unwrap().record.name, WORK);
    world.auth.unlink_identity("test", WORK).await.unwrap();
    let directory = world.auth.directory();
    let (ann, work) = (directory.person_of(ANN).unwrap().record.clone(), directory.person_of(WORK).unwrap().record.clone());
    assert_eq!((ann.id.as_str(), ann.name.as_str(), work.name.as_str()), (before.id.as_str(), ANN, WORK));
    assert_ne!(work.id, before.id);
    assert_eq!(scopes_of_each(&world, &keys).await, each([Some("a"), Some("w"), Some("a"), Some("w")]));
    // As the store has it: another node answers the same.
    let other = world.reopen(crate::common::settings()).await;
    for identity in [ANN, WORK] {
        assert_eq!(other.directory().person_of(identity).unwrap().record, directory.person_of(identity).unwrap().record);
        assert_eq!(other.person_scopes(identity), world.auth.person_scopes(identity));
    }
}

#[tokio::test]
async fn what_can_not_be_linked_is_refused_whole() {
    let (world, _) = two_of_ann().await;
    for identity in ["local/bob", "oidc/bob", "local/off"] {
        world.person(identity, &["b"]).await;
    }
    world.auth.link_identity("test", "oidc/bob", "local/bob", None).await.unwrap();
    world
        .auth
        .put_identity("test", &falconer_store::IdentityRecord { disabled: true, ..person("local/off", &[], world.now()) })
        .await
        .unwrap();
    let before = world.auth.revision();
    for (identity, with, why) in [
        (WORK, ANN, "linked already"),
        (ANN, ANN, "linked already"),
        ("oidc/bob", ANN, "Unlink it there first"),
        ("local/off", ANN, "not active"),
        ("local/nobody", ANN, "Nobody has"),
        (ANN, "local/nobody", "Nobody has"),
    ] {
        let error = world.auth.link_identity("test", identity, with, None).await.unwrap_err();
        assert!(error.to_string().contains(why), "{identity} with {with}: {error}");
    }
    let nothing_pending = world.auth.unlink_identity("test", "local/off").await.unwrap_err();
    assert!(matches!(nothing_pending, ApiError::RequestConflict(_)));
    assert!(world.auth.name_person("test", "local/off").await.is_err());
    assert_eq!(world.auth.revision(), before);
}

#[tokio::test]
async fn a_person_has_at_most_twenty_identities() {
    let world = World::bare().await;
    world.person(ANN, &["a"]).await;
    for n in 1..=20 {
        let identity = format!("oidc/{n}");
        world.person(&identity, &["b"]).await;
        assert_eq!(world.auth.link_identity("test", &identity, ANN, None).await.is_ok(), n < 20, "{n}");
    }
}

#[tokio::test]
async fn both_people_and_the_identity_have_the_change_in_their_history() {
    let (world, _) = two_of_ann().await;
    let to = world.auth.directory().person_of(ANN).unwrap().record.id.clone();
    let from = person(WORK, &[], 0).person;
    for (kind, id) in [("identity", WORK), ("person", &to), ("person", &from)] {
        let rows = world.store.entity_history(kind, id, falconer_store::AuditStart::Offset(0), 10).await.unwrap();
        let row = rows.iter().find(|row| row.action == "linked").unwrap();
        assert_eq!((row.actor.as_str(), row.detail.as_ref().unwrap()["with"].as_str()), ("test", Some(ANN)), "{kind} {id}");
    }
    let unlinked = world.auth.unlink_identity("me", WORK).await.unwrap();
    let last = world.store.entity_history("person", &to, falconer_store::AuditStart::Offset(0), 10).await.unwrap().pop().unwrap();
    assert_eq!((last.actor.as_str(), last.action.as_str(), last.revision), ("me", "unlinked", unlinked));
}

/// A node that has not heard that two were unlinked would let one act with the other's scopes: the store refuses what was decided so.
#[tokio::test]
async fn what_was_decided_before_unlinking_is_not_written() {
    let (world, _) = two_of_ann().await;
    let directory = world.auth.directory();
    let depends_on = vec![Key::Person(directory.person_of(WORK).unwrap().record.id.clone())];
    let step = Step { depends_on, actor: WORK.to_owned(), ..crate::common::step_beside(directory.revision(), world.now()) };
    world.auth.unlink_identity("test", WORK).await.unwrap();
    let late = world.store.take(&step, Write::NoteRepeat("client".to_owned(), "c".to_owned())).await;
    assert_eq!(late, Err(StoreError::Stale));
    // And a node that is behind decides again.
    let behind = world.reopen(crate::common::settings()).await;
    world.auth.link_identity("test", WORK, ANN, None).await.unwrap();
    behind.catch_up().await.unwrap();
    let input = falconer_auth::ClientInput { scopes: Some(strings(&["a"])), ..world.input(&[]) };
    world.auth.unlink_identity("test", WORK).await.unwrap();
    let created = behind.create_client(&Authentication::person(WORK), "local/ann/late", &input).await;
    assert!(matches!(created, Err(ApiError::InsufficientScopes { .. })), "{:?}", created.err());
}
