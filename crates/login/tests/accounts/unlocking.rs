//! People of a directory that checks passwords are shut out by wrong ones, and let try again: by whichever of their names was typed, and nobody else with them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::common::{World, from, settings};
use crate::provider::{FakeProvider, configured, found};
use falconer_auth::{ApiError, Authentication};
use falconer_login::{Administrator, Attributes, Found, LoginError, LoginSettings, ProviderError, ProviderSignInError, SignInResult, Way};
use falconer_store::AuditStart;

const NAMES: [&str; 3] = ["ann.smith", "ann@example.com", "17"];

/// It knows Ann by three names, and everybody else by one.
async fn office() -> World {
    let company = FakeProvider::password(|name, password| {
        if password != "right" {
            return Err(ProviderError::WrongCode);
        }
        if !NAMES.contains(&name) {
            return Ok(found(name, None));
        }
        let attributes = Attributes {
            subject: "17".to_owned(),
            username: Some("ann.smith".to_owned()),
            email: Some("ann@example.com".to_owned()),
            email_verified: true,
            display_name: "Ann".to_owned(),
            groups: Vec::new(),
        };
        Ok(Found { attributes, handle: None, proved_ms: None })
    });
    let away = FakeProvider::away(|subject, _| Ok(found(subject, None)));
    let providers = vec![
        configured("company", "Company", &["x:{email}"], Arc::new(company)),
        configured("elsewhere", "Elsewhere", &[], Arc::new(away)),
    ];
    World::with(LoginSettings { providers, ..settings() }).await
}

/// Signs in, from another place each time.
async fn sign_in(world: &World, name: &str, password: &str, place: u8) -> Result<(), ProviderSignInError> {
    let visitor = from(IpAddr::V4(Ipv4Addr::new(198, 51, 100, place)));
    let arrived = world.login.sign_in_by_password("company", name, password, Way::SignIn, "/", &visitor).await?;
    assert!(matches!(arrived, SignInResult::SignedIn(_)));
    Ok(())
}

fn is_throttled(answer: Result<(), ProviderSignInError>) -> bool {
    matches!(answer, Err(ProviderSignInError::Login(LoginError::Throttled { .. })))
}

#[tokio::test]
async fn whoever_is_shut_out_of_a_directory_is_let_try_again() {
    let world = office().await;
    for name in ["ann.smith", "bob"] {
        sign_in(&world, name, "right", 1).await.unwrap();
    }
    for name in NAMES.into_iter().chain(["bob"]) {
        while !is_throttled(sign_in(&world, name, "wrong", 2).await) {}
        assert!(is_throttled(sign_in(&world, name, "right", 2).await), "{name}");
    }
    world.person("helper", &[], &["auth:unlock-person:company/17", "auth:unlock-person:elsewhere/*"]).await;
    let helper = Authentication::person("local/helper");
    let refused = world.login.unlock_person(&helper, "company/bob").await;
    assert!(matches!(refused, Err(ApiError::InsufficientScopes { .. })), "{refused:?}");
    world.login.unlock_person(&helper, "company/17").await.unwrap();
    for name in ["Ann.Smith", "ANN@example.com", "17"] {
        sign_in(&world, &name.to_lowercase(), "right", 2).await.unwrap();
        assert!(!is_throttled(sign_in(&world, name, "wrong", 2).await), "{name}");
    }
    assert!(is_throttled(sign_in(&world, "bob", "right", 2).await));
    world.login.unlock_person(Administrator::OnTheMachine("machine"), "company/bob").await.unwrap();
    sign_in(&world, "bob", "right", 2).await.unwrap();
    for (identity, actor) in [("company/17", "local/helper"), ("company/bob", "machine")] {
        let rows = world.store.entity_history("identity", identity, AuditStart::Offset(0), 10).await.unwrap();
        assert!(rows.iter().any(|row| row.action == "unlocked" && row.actor == actor), "{rows:?}");
    }
}

#[tokio::test]
async fn where_nothing_is_counted_nobody_is_unlocked() {
    let world = office().await;
    world.person("helper", &[], &["auth:unlock-person:*"]).await;
    let helper = Authentication::person("local/helper");
    let nobody = world.login.unlock_person(&helper, "company/nobody").await;
    assert!(matches!(nobody, Err(ApiError::ResourceNotFound(_))), "{nobody:?}");
    let mut record = world.auth.directory().identity("local/helper").unwrap().record.clone();
    for provider in ["elsewhere", "gone"] {
        record.identity = format!("{provider}/1");
        record.person = format!("person of {provider}");
        record.provider = provider.to_owned();
        record.subject = "1".to_owned();
        world.auth.put_identity("test", &record).await.unwrap();
    }
    let elsewhere = world.login.unlock_person(&helper, "elsewhere/1").await;
    assert!(matches!(elsewhere, Err(ApiError::InputError(_))), "{elsewhere:?}");
    let gone = world.login.unlock_person(&helper, "gone/1").await;
    assert!(matches!(gone, Err(ApiError::RequestConflict(_))), "{gone:?}");
    for (identity, counts) in [("local/helper", true), ("company/17", true), ("elsewhere/1", false), ("gone/1", false)] {
        assert_eq!(world.login.counts_attempts_of(identity), counts, "{identity}");
    }
}
