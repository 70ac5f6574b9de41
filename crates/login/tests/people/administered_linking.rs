//! Linking, unlinking and naming by an administrator: what each takes, and every way in which somebody could gain by it (ADR 197).

use crate::common::World;
use falconer_auth::{ApiError, Authentication};
use falconer_login::Administrator;
use falconer_store::{AuditStart, IdentityRecord};

const SSO: &str = "sso/42";

fn as_person(name: &str) -> Authentication {
    Authentication::person(&format!("local/{name}"))
}

/// The scopes that a refusal names as missing.
fn missing<T: std::fmt::Debug>(answer: Result<T, ApiError>) -> String {
    match answer {
        Err(ApiError::InsufficientScopes { missing, .. }) => missing.to_string(),
        other => panic!("{other:?}"),
    }
}

fn conflicts<T: std::fmt::Debug>(answer: Result<T, ApiError>, text: &str) {
    match answer {
        Err(ApiError::RequestConflict(said)) => assert!(said.contains(text), "{said}"),
        other => panic!("{other:?}"),
    }
}

impl World {
    async fn somebody(&self, name: &str, scopes: &[&str]) -> Authentication {
        self.person(name, &[], scopes).await;
        as_person(name)
    }

    /// Somebody of a directory, who may do something.
    async fn employee(&self) {
        let ann = self.auth.directory().identity("local/ann").unwrap().record.clone();
        let employee = IdentityRecord {
            identity: SSO.to_owned(),
            person: "sso-person".to_owned(),
            provider: "sso".to_owned(),
            subject: "42".to_owned(),
            scopes: vec!["payroll:read".to_owned()],
            groups: Vec::new(),
            ..ann
        };
        self.auth.put_identity("test", &employee).await.unwrap();
    }

    fn name_of(&self, identity: &str) -> String {
        self.auth.directory().person_of(identity).unwrap().record.name.clone()
    }

    fn are_one(&self, one: &str, other: &str) -> bool {
        let directory = self.auth.directory();
        directory.person_of(one).unwrap().record.id == directory.person_of(other).unwrap().record.id
    }
}

/// Whoever links is not asked for a sign-in of either, so it takes what nobody can gain by: everything.
#[tokio::test]
async fn only_whoever_may_do_everything_links() {
    let world = World::new().await;
    world.ann().await;
    world.employee().await;
    // A role that a provider's people have some day would be had by the accomplice too: all that both can do at present is not enough.
    let all = ["auth:*", "notes:*", "payroll:*", "assume:local-group:*", "assume:local-user:*", "assume:login-identity:*"];
    let helper = world.somebody("helper", &all).await;
    assert_eq!(missing(world.login.link_people(&helper, "local/ann", SSO).await), "*");
    assert_eq!(missing(world.login.link_people(&helper, "local/nobody", SSO).await), "*", "and learns nothing of who is there");
    assert!(!world.are_one("local/ann", SSO));

    // Written behind the back of auth, which refuses it to roles and people: whatever comes to have `*` some day links nothing with itself.
    world.role("chief", &["*"]).await;
    let mut chief = world.auth.directory().identity(SSO).unwrap().record.clone();
    chief.identity = "sso/1".to_owned();
    chief.person = "sso-chief".to_owned();
    chief.subject = "1".to_owned();
    chief.scopes = vec!["assume:chief".to_owned()];
    world.auth.put_identity("test", &chief).await.unwrap();
    let chief = Authentication::person("sso/1");
    let (cookie, _) = world.sign_in("ann").await;
    conflicts(world.login.link_people(&chief, "sso/1", "local/ann").await, "Nobody does this to themselves");
    conflicts(world.login.link_people(&chief, "local/ann", "sso/1").await, "Nobody does this to themselves");
    assert!(world.login.session(&cookie).await.unwrap().is_some());
    world.login.link_people(&chief, "local/ann", SSO).await.unwrap();
    assert!(world.are_one("local/ann", SSO));
    assert!(world.login.session(&cookie).await.unwrap().is_none(), "no session of before gains anything");
    let person = world.auth.directory().person_of(SSO).unwrap().record.id.clone();
    let rows = world.store.entity_history("person", &person, AuditStart::Offset(0), 10).await.unwrap();
    let linked = rows.iter().find(|row| row.action == "linked").unwrap();
    assert_eq!((linked.actor.as_str(), linked.detail.clone().unwrap()["bySignIn"].as_bool()), ("sso/1", Some(false)));
    conflicts(world.login.link_people(&chief, "local/ann", SSO).await, "linked already");
    conflicts(world.login.link_people(&chief, "local/ann", "local/helper").await, "Unlink it there first");
}

/// Whoever administers `local/*` unlinked somebody's local account from the company's identity, and then was its only master.
#[tokio::test]
async fn unlinking_and_naming_take_the_scope_for_each_identity() {
    let world = World::new().await;
    world.ann().await;
    world.employee().await;
    world.login.link_people(Administrator::OnTheMachine("machine"), "local/ann", SSO).await.unwrap();
    let local = ["auth:unlink-person:local/*", "auth:name-person:local/*", "auth:get-person:*"];
    let helper = world.somebody("helper", &local).await;
    for identity in ["local/ann", SSO] {
        let expected = |verb: &str| format!("auth:{verb}-person:{SSO}");
        assert_eq!(missing(world.login.unlink_one_of_person(&helper, identity).await), expected("unlink"));
        assert_eq!(missing(world.login.choose_name_of_person(&helper, identity).await), expected("name"));
    }
    assert!(world.are_one("local/ann", SSO));
    let both = world.somebody("both", &["auth:unlink-person:*", "auth:name-person:*"]).await;
    assert_eq!(world.name_of(SSO), SSO);
    world.login.choose_name_of_person(&both, "local/ann").await.unwrap();
    assert_eq!(world.name_of(SSO), "local/ann");
    let (cookie, _) = world.sign_in("ann").await;
    world.login.unlink_one_of_person(&both, "local/ann").await.unwrap();
    assert!(!world.are_one("local/ann", SSO));
    assert_eq!(world.name_of(SSO), SSO, "what is left has a name");
    assert!(world.login.session(&cookie).await.unwrap().is_none());
    assert!(!world.auth.person_scopes("local/ann").unwrap().satisfies("payroll:read"));
    conflicts(world.login.unlink_one_of_person(&both, "local/ann").await, "linked with no other");
    let rows = world.store.entity_history("identity", "local/ann", AuditStart::Offset(0), 50).await.unwrap();
    assert!(rows.iter().any(|row| row.action == "unlinked" && row.actor == "local/both"), "{rows:?}");
}

/// Their own page asks whoever does it to sign in again, and the administration does not.
#[tokio::test]
async fn nobody_unlinks_or_names_themselves_as_an_administrator() {
    let world = World::new().await;
    world.person("ann", &[], &["auth:unlink-person:*", "auth:name-person:*"]).await;
    world.employee().await;
    world.login.link_people(Administrator::OnTheMachine("machine"), SSO, "local/ann").await.unwrap();
    for who in ["local/ann", SSO] {
        let who = Authentication::person(who);
        for identity in ["local/ann", SSO] {
            conflicts(world.login.unlink_one_of_person(&who, identity).await, "Nobody does this to themselves");
            conflicts(world.login.choose_name_of_person(&who, identity).await, "Nobody does this to themselves");
        }
    }
    assert!(world.are_one("local/ann", SSO));
}

/// What is disabled stays so when it leaves: unlinking is no way out.
#[tokio::test]
async fn whoever_is_unlinked_from_a_disabled_person_stays_disabled() {
    let world = World::new().await;
    world.ann().await;
    world.employee().await;
    let machine = Administrator::OnTheMachine("machine");
    world.login.link_people(machine, "local/ann", SSO).await.unwrap();
    world.login.disable_whole_person(machine, SSO).await.unwrap();
    let helper = world.somebody("helper", &["auth:unlink-person:*"]).await;
    world.login.unlink_one_of_person(&helper, "local/ann").await.unwrap();
    for identity in ["local/ann", SSO] {
        assert!(world.auth.directory().person_of(identity).unwrap().record.disabled, "{identity}");
    }
}
