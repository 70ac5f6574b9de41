//! What a change would do, held against everybody's expansion before and after it was really made.

use std::collections::BTreeMap;

use crate::common::{World, strings};
use falconer_auth::{Affected, ApiError, Difference, Plan, RoleInput, Snapshot};

fn input(scopes: &[&str]) -> RoleInput {
    RoleInput { scopes: strings(scopes), description: String::new() }
}

/// Chains, stars, parameters, bounds: each reaches some roles and not others.
async fn world() -> World {
    let world = World::bare().await;
    for (id, scopes) in [
        ("base", &["notes:read"][..]),
        ("middle", &["assume:base", "queue:ping"]),
        ("top", &["assume:middle"]),
        ("team:*", &["room:<..>", "assume:floor:<..>"]),
        ("floor:*", &["door:<..>"]),
        ("login-identity:*", &["auth:create-client:<..>/*"]),
        ("else", &["other"]),
    ] {
        world.role(id, scopes).await;
    }
    for (identity, scopes) in
        [("local/ann", &["assume:top"][..]), ("local/bob", &["assume:team:red"]), ("local/cat", &["other"]), ("local/dan", &["notes:*"])]
    {
        world.person(identity, scopes).await;
    }
    for (id, scopes) in [
        ("a/base", &["assume:base"][..]),
        ("a/all", &["*"]),
        ("a/roles", &["assume:*"]),
        ("a/team", &["assume:team:blue"]),
        ("a/teams", &["assume:team:*"]),
        ("a/part", &["assume:te*"]),
        ("a/floor", &["assume:floor:3"]),
        ("a/other", &["other"]),
        // Bounded by what the person has from a role that the client itself does not name.
        ("local/ann/x", &["notes:read", "queue:ping"]),
        ("local/bob/x", &["door:red", "other"]),
    ] {
        world.client(id, scopes).await;
    }
    world
}

/// What each gains, and what each loses.
type Changes = BTreeMap<(&'static str, String), (Vec<String>, Vec<String>)>;
type Everybody = BTreeMap<(&'static str, String), Vec<String>>;

fn everybody(world: &World, changed: &str) -> Everybody {
    let mut all = Everybody::new();
    let snapshot: &Snapshot = &world.auth.directory();
    let who = falconer_auth::Authentication::person("local/root");
    for client in snapshot.clients("") {
        let view = world.auth.client(&who, &client.id()).unwrap();
        all.insert(("client", view.client_id), view.expanded_scopes.to_vec());
    }
    for role in snapshot.role_records().filter(|role| role.role_id != changed) {
        all.insert(("role", role.role_id.clone()), snapshot.expand([format!("assume:{}", role.role_id)]).to_vec());
    }
    for person in snapshot.people() {
        let identity = &person.record.name;
        all.insert(("person", identity.clone()), world.auth.person_scopes(identity).unwrap().to_vec());
    }
    all
}

fn naive(before: &Everybody, after: &Everybody) -> Changes {
    let covered = |scopes: &[String], scope: &String| falconer_scopes::naive::satisfies(scopes, scope);
    let lacking = |from: &[String], to: &[String]| from.iter().filter(|scope| !covered(to, scope)).cloned().collect::<Vec<_>>();
    let changes = before.iter().map(|(who, had)| (who.clone(), (lacking(&after[who], had), lacking(had, &after[who]))));
    changes.filter(|(_, (added, removed))| !added.is_empty() || !removed.is_empty()).collect()
}

fn planned(plan: &Plan) -> Changes {
    let of = |kind: &'static str, affected: &Affected| {
        assert_eq!(affected.count, affected.first.len(), "few enough to be named");
        let each = affected.first.clone().into_iter();
        each.map(move |(id, difference)| ((kind, id), (difference.added, difference.removed))).collect::<Vec<_>>()
    };
    [of("client", &plan.clients), of("role", &plan.roles), of("person", &plan.people)].concat().into_iter().collect()
}

#[tokio::test]
async fn a_plan_says_what_the_change_then_does() {
    for (id, scopes) in [
        ("base", Some(&["notes:write", "assume:else"][..])),
        ("base", Some(&["notes:*"])),
        ("base", None),
        ("middle", Some(&["queue:*"])),
        ("team:*", Some(&["room:<..>/desk"])),
        ("team:*", None),
        ("floor:*", Some(&["door:<..>", "key:<..>"])),
        ("floor:*", None),
        ("team:red", Some(&["flag:red"])),
        ("fresh", Some(&["new"])),
        ("assume", Some(&["new"])),
        ("*", Some(&["for:<..>"])),
        ("login-identity:*", Some(&["auth:create-client:<..>/*", "gift"])),
        ("absent", None),
        ("else", Some(&["other"])),
    ] {
        let world = world().await;
        world.person("local/root", &["*", "auth:*", "notes:*", "assume:else", "queue:*", "new", "gift"]).await;
        let root = world.as_root().await;
        let revision = world.auth.revision();
        let before = everybody(&world, id);
        let change = scopes.map(input);
        let plan = world.auth.plan_role_change(&root, id, change.as_ref()).unwrap();
        assert_eq!(world.auth.revision(), revision);
        assert_eq!(everybody(&world, id), before, "planning changes nothing, nor what is remembered");
        match &change {
            None => drop(world.auth.delete_role(&root, id).await.unwrap()),
            Some(change) if world.auth.directory().role(id).is_some() => drop(world.auth.update_role(&root, id, change).await.unwrap()),
            Some(change) => drop(world.auth.create_role(&root, id, change).await.unwrap()),
        }
        let after = everybody(&world, id);
        assert_eq!(planned(&plan), naive(&before, &after), "{id} {scopes:?}");
    }
}

#[tokio::test]
async fn a_plan_of_a_client_says_what_is_written_and_what_it_comes_to() {
    let world = world().await;
    let root = world.as_root().await;
    let plan = world.auth.plan_client_change(&root, "a/base", &world.input(&["assume:middle"])).unwrap();
    assert_eq!(plan.written, Difference { added: strings(&["assume:middle"]), removed: strings(&["assume:base"]) });
    assert_eq!(plan.expanded, Difference { added: strings(&["assume:middle", "queue:ping"]), removed: vec![] });
    let plan = world.auth.plan_client_change(&root, "a/new", &world.input(&["assume:base"])).unwrap();
    assert_eq!(plan.expanded.added, strings(&["assume:base", "notes:read"]));
    // No more than the person that it belongs to.
    let plan = world.auth.plan_client_change(&root, "local/ann/x", &world.input(&["notes:*"])).unwrap();
    assert_eq!(plan.expanded, Difference { added: vec![], removed: strings(&["queue:ping"]) });
}

#[tokio::test]
async fn a_plan_needs_what_the_change_needs_and_names_whom_the_caller_may_list() {
    let world = world().await;
    let weak = world.call(&world.client("weak", &["auth:update-role:base", "notes:*"]).await).await;
    let refused = world.auth.plan_role_change(&weak, "base", Some(&input(&["queue:ping"]))).unwrap_err();
    assert!(matches!(refused, ApiError::InsufficientScopes { .. }));
    assert!(world.auth.plan_role_change(&weak, "base", None).is_err());
    assert!(world.auth.plan_role_change(&weak, "other", Some(&input(&[]))).is_err());
    assert!(world.auth.plan_client_change(&weak, "a/base", &world.input(&[])).is_err());
    let plan = world.auth.plan_role_change(&weak, "base", Some(&input(&["notes:write"]))).unwrap();
    assert!(plan.clients.count > 0 && plan.clients.first.is_empty() && plan.clients.names_need == Some("auth:list-clients"));
    assert!(plan.roles.count > 0 && plan.roles.first.is_empty() && plan.roles.names_need == Some("auth:list-roles"));
    assert!(plan.people.count > 0 && plan.people.first.is_empty());
    let root = world.as_root().await;
    let cycle = world.auth.plan_role_change(&root, "base", Some(&input(&["assume:top"]))).unwrap_err();
    assert!(cycle.to_string().starts_with("Roles may not contain dependency cycles"), "{cycle}");
}

#[tokio::test]
async fn what_was_changed_since_it_was_seen_is_not_overwritten() {
    let world = world().await;
    let root = world.as_root().await;
    let seen = world.auth.role(&root, "base").unwrap().last_modified_ms;
    world.clock.advance(1);
    world.auth.update_role_seen(&root, "base", &input(&["one"]), Some(seen)).await.unwrap();
    let late = world.auth.update_role_seen(&root, "base", &input(&["two"]), Some(seen)).await.unwrap_err();
    assert_eq!(late, ApiError::RequestConflict("The role was changed meanwhile".to_owned()));
    assert_eq!(world.auth.role(&root, "base").unwrap().scopes, ["one"]);
    let seen = world.auth.client(&root, "a/base").unwrap().last_modified_ms;
    world.clock.advance(1);
    world.auth.disable_client(&root, "a/base").await.unwrap();
    let late = world.auth.update_client_seen(&root, "a/base", &world.input(&["two"]), Some(seen)).await.err().unwrap();
    assert_eq!(late, ApiError::RequestConflict("The client was changed meanwhile".to_owned()));
}
