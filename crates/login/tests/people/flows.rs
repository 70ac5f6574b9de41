//! Sign-ins that come back from a provider and come to nothing: what they write, and against whom they count.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use crate::common::{ADDRESS, Counting, World, from, settings};
use crate::failing::Failing;
use crate::provider::{FakeProvider, configured, found};
use falconer_login::{Callback, Login, LoginError, LoginSettings, ProviderError, ProviderSignInError, SignInResult, Visitor, Way};
use tokio::sync::Semaphore;

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
        "without-words" => Err(ProviderError::Status { what: "token endpoint", status: 400 }),
        "a-page" => Err(ProviderError::Malformed { what: "answer of the token endpoint", why: "it is HTML".to_owned() }),
        "fallen-over" => Err(ProviderError::Status { what: "token endpoint", status: 500 }),
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

/// Story: a stranger who hung up while the provider was asked was counted nowhere, and had it asked without end.
#[tokio::test]
async fn whoever_hangs_up_is_counted_by_what_the_provider_answers() {
    for (code, counts) in [("made-up", true), ("away", false), ("ann", false)] {
        let (answers, asked) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&asked);
        let kind = FakeProvider::away(move |code, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            match code {
                "made-up" => Err(ProviderError::Said("invalid_grant".to_owned())),
                "away" => Err(ProviderError::Silent),
                code => Ok(found(code, None)),
            }
        });
        let kind = Arc::new(kind.hanging_until(Arc::clone(&answers)));
        let providers = vec![configured("company", "Company", &[], kind.clone())];
        let world = World::with(LoginSettings { providers, attempts_by_network: 5, ..settings() }).await;
        for place in 1..=5 {
            let flow = leave(&world.login, code).await;
            let visitor = from(ADDRESS);
            let mut attempt = pin!(back(&world.login, &flow, &visitor));
            while asked.load(Ordering::SeqCst) < place {
                assert!(attempt.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "{code}");
                tokio::task::yield_now().await;
            }
        }
        // As many are under way as there may be, and no more are begun.
        assert!(is_throttled(back(&world.login, &leave(&world.login, "ann").await, &from(ADDRESS)).await), "{code}");
        assert_eq!(asked.load(Ordering::SeqCst), 5, "{code}");
        answers.add_permits(5);
        while Arc::strong_count(&kind) > 2 {
            tokio::task::yield_now().await;
        }
        answers.add_permits(1);
        assert_eq!(is_throttled(back(&world.login, &leave(&world.login, "ann").await, &from(ADDRESS)).await), counts, "{code}");
    }
}

/// Story: a made-up code that the provider refused in no words of OAuth was counted nowhere.
#[tokio::test]
async fn a_provider_is_not_asked_for_nothing_without_end() {
    let world = World::with(company()).await;
    for (place, code) in (1_u8..).zip(["without-words", "a-page", "fallen-over", "set-up"]) {
        let visitor = from([198, 51, place, 1].into());
        for count in 0..50 {
            let answer = back(&world.login, &leave(&world.login, code).await, &visitor).await;
            assert!(matches!(answer, Err(ProviderSignInError::Provider(_))), "{code}: {count}");
        }
        assert!(is_throttled(back(&world.login, &leave(&world.login, "ann").await, &visitor).await), "{code}");
    }
}
