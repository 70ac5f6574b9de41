//! Whoever does not wait for the answer to a guess has guessed all the same.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use crate::common::{ADDRESS, PASSWORD, World, from, settings};
use crate::provider::{FakeProvider, configured, found};
use falconer_login::{LoginError, LoginSettings, ProviderSignInError, SignInError, Way};

/// Polls until this is so, and then gives up; the answer if it comes first.
async fn give_up_once<T>(attempt: impl Future<Output = T>, is_so: impl Fn() -> bool) -> Option<T> {
    let mut attempt = pin!(attempt);
    while !is_so() {
        if let Poll::Ready(answer) = attempt.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(answer);
        }
        tokio::task::yield_now().await;
    }
    None
}

fn is_throttled<T>(answer: &Result<T, SignInError>) -> bool {
    matches!(answer, Err(LoginError::Throttled { .. }))
}

/// Story: failures were noted after the hash, and whoever hung up while it was made was counted nowhere. The limits bound only who waited.
#[tokio::test]
async fn whoever_hangs_up_while_the_password_is_hashed_is_counted() {
    let world = World::new().await;
    world.ann().await;
    let stranger = from(IpAddr::from([198, 51, 100, 1]));
    let mut abandoned = 0;
    while abandoned < 10 {
        let hashes = world.login.password_hashes();
        let attempt = world.login.sign_in_local("ann", "wrong password", &stranger);
        match give_up_once(attempt, || world.login.password_hashes() > hashes).await {
            None | Some(Err(LoginError::WrongPassword)) => abandoned += 1,
            // The hashes of those who hung up before are being made still, and it was none of them.
            Some(Err(LoginError::TooBusy)) => tokio::task::yield_now().await,
            // Whoever hangs up while a failure is being written is counted once more: never less.
            Some(Err(LoginError::Throttled { .. })) if abandoned >= 5 => break,
            Some(Err(error)) => panic!("{error}, after {abandoned}"),
            Some(Ok(_)) => panic!("a wrong password"),
        }
    }
    let before = world.login.password_hashes();
    assert!(is_throttled(&world.login.sign_in_local("ann", PASSWORD, &stranger).await));
    assert_eq!(world.login.password_hashes(), before);
    // It shuts nobody else out, and is over as other failures are.
    assert!(world.login.sign_in_local("ann", PASSWORD, &from(ADDRESS)).await.is_ok());
    world.clock.advance(15 * 60_000);
    assert!(world.login.sign_in_local("ann", PASSWORD, &stranger).await.is_ok());
}

/// A directory with a lock-out of its own would have shut somebody out.
#[tokio::test]
async fn whoever_hangs_up_while_a_directory_is_asked_is_counted() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let company = FakeProvider::password(move |name, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(found(name, None))
    });
    let company = company.hanging();
    let providers = vec![configured("company", "Company", &[], Arc::new(company))];
    let world = World::with(LoginSettings { providers, ..settings() }).await;
    let stranger = from(IpAddr::from([198, 51, 100, 1]));
    let refused = loop {
        let before = asked.load(Ordering::SeqCst);
        let attempt = world.login.sign_in_by_password("company", "ann", "a guess", Way::SignIn, "/", &stranger);
        if let Some(answer) = give_up_once(attempt, || asked.load(Ordering::SeqCst) > before).await {
            break answer.err();
        }
    };
    assert_eq!(asked.load(Ordering::SeqCst), 10);
    assert!(matches!(refused, Some(ProviderSignInError::Login(LoginError::Throttled { .. }))), "{refused:?}");
}

/// Nobody who only waits for a turn has tried anything.
#[tokio::test]
async fn whoever_gives_up_before_anything_was_checked_is_not_counted() {
    let world = World::new().await;
    world.ann().await;
    let stranger = from(IpAddr::from([198, 51, 100, 1]));
    for _ in 0..30 {
        let attempt = world.login.sign_in_local("ann", "wrong password", &stranger);
        assert!(give_up_once(attempt, || true).await.is_none());
    }
    assert!(world.login.sign_in_local("ann", PASSWORD, &stranger).await.is_ok());
}
