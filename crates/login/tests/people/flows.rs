//! Sign-ins that come back from a provider and come to nothing: what they write, and against whom they count.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{ADDRESS, Counting, World, from, settings};
use crate::failing::Failing;
use crate::provider::{FakeProvider, configured, found};
use falconer_login::{Callback, Login, LoginError, LoginSettings, ProviderError, ProviderSignInError, SignInResult, Visitor, Way};

const URI: &str = "https://auth.example.com/cb";

/// A provider that answers with this, by the code: `busy` once, and `set-up` always.
fn company() -> LoginSettings {
    let asked = AtomicUsize::new(0);
    let kind = FakeProvider::away(move |code, _| match code {
        "busy" if asked.fetch_add(1, Ordering::SeqCst) == 0 => Err(ProviderError::Busy),
        "always-busy" => Err(ProviderError::Busy),
        "set-up" => Err(ProviderError::ClientRefused { what: "token endpoint", said: "invalid_client".to_owned() }),
        "away" => Err(ProviderError::Silent),
        "made-up" => Err(ProviderError::Said("invalid_grant".to_owned())),
        "made-up-request" => Err(ProviderError::ClientRefused { what: "token endpoint", said: "invalid_request".to_owned() }),
        "foreign" => Err(ProviderError::ForeignCallback("https://evil.example".to_owned())),
        code => Ok(found(code, None)),
    });
    LoginSettings { providers: vec![configured("company", "Company", &[], kind)], attempts_by_network: 5, ..settings() }
}

struct Flow {
    cookie: String,
    callback: Callback,
}

async fn leave(login: &Login, code: &str) -> Flow {
    let left = login.leave_for_provider("company", "/", URI, Way::SignIn).await.unwrap();
    let state = left.url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    Flow {
        cookie: left.cookie_value.to_string(),
        callback: Callback { state: Some(state), code: Some(code.to_owned()), ..Callback::default() },
    }
}

async fn back(login: &Login, flow: &Flow, visitor: &Visitor<'_>) -> Result<SignInResult, ProviderSignInError> {
    login.return_from_provider("company", &[&flow.cookie], &flow.callback, URI, None, visitor).await
}

fn is_throttled(answer: Result<SignInResult, ProviderSignInError>) -> bool {
    matches!(answer, Err(ProviderSignInError::Login(LoginError::Throttled { .. })))
}

/// Story: a sign-in that was used up wrote one row more each time that it came back, counted all of them, and was counted nowhere.
#[tokio::test]
async fn what_comes_back_again_and_again_comes_to_an_end() {
    let world = World::with(company()).await;
    let store = Arc::new(Failing::new(world.store.clone()));
    let login = Login::open(world.auth.clone(), store.clone(), company(), world.clock.clone(), Arc::new(Counting::default())).unwrap();
    let flow = leave(&login, "ann").await;
    assert!(back(&login, &flow, &from(ADDRESS)).await.is_ok());
    for _ in 0..5 {
        assert!(matches!(back(&login, &flow, &from(ADDRESS)).await, Err(ProviderSignInError::Provider(ProviderError::Used))));
    }
    let written = store.calls_of("note_attempt");
    for _ in 0..20 {
        assert!(is_throttled(back(&login, &flow, &from(ADDRESS)).await));
    }
    assert_eq!(store.calls_of("note_attempt"), written, "nothing is written over the limit");
}

/// Story: that too many people signed in counted against them, and so did a set-up that was wrong: a company behind one address was shut out.
#[tokio::test]
async fn what_the_provider_does_counts_against_nobody() {
    let world = World::with(company()).await;
    let codes =
        [("set-up", false), ("away", false), ("always-busy", false), ("made-up", true), ("made-up-request", true), ("foreign", true)];
    for (place, (code, counts)) in (1_u8..).zip(codes) {
        let visitor = from([198, 51, 100, place].into());
        for _ in 0..5 {
            assert!(!is_throttled(back(&world.login, &leave(&world.login, code).await, &visitor).await), "{code}");
        }
        assert_eq!(is_throttled(back(&world.login, &leave(&world.login, "ann").await, &visitor).await), counts, "{code}");
    }
}

/// Story: `Try again in a moment`, done by reloading, was answered with `finished before`.
#[tokio::test]
async fn whoever_finds_no_place_comes_back_with_the_same_answer() {
    let world = World::with(company()).await;
    let flow = leave(&world.login, "busy").await;
    assert!(matches!(back(&world.login, &flow, &from(ADDRESS)).await, Err(ProviderSignInError::Provider(ProviderError::Busy))));
    assert!(back(&world.login, &flow, &from(ADDRESS)).await.is_ok());
    assert!(matches!(back(&world.login, &flow, &from(ADDRESS)).await, Err(ProviderSignInError::Provider(ProviderError::Used))));
}
