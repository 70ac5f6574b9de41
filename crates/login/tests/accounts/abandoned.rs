//! Whoever does not wait for the answer to a guess has guessed all the same.

use std::cell::Cell;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use crate::common::{ADDRESS, PASSWORD, World, empty_store, from, settings};
use crate::failing::Failing;
use crate::provider::{FakeProvider, configured, found};
use falconer_login::{LoginError, LoginSettings, ProviderError, ProviderSignInError, SignInError, Visitor, Way};
use falconer_store::StoreError;
use tokio::sync::Semaphore;

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

/// How many limits an attempt of a stranger for a name counts against.
const LIMITS: usize = 4;

/// `ann` in a store that counts its calls.
async fn counted_world() -> (World, Arc<Failing>) {
    let failing = Arc::new(Failing::new(empty_store()));
    let world = World::on(failing.clone(), settings()).await;
    world.ann().await;
    (world, failing)
}

/// Wrong passwords, one after the other, until one is refused for the number of them.
async fn failures_left(world: &World, stranger: &Visitor<'_>) -> usize {
    for count in 0.. {
        match world.login.sign_in_local("ann", "wrong password", stranger).await {
            Err(LoginError::WrongPassword) => {}
            answer => {
                assert!(is_throttled(&answer));
                return count;
            }
        }
    }
    unreachable!()
}

/// Story: a failure whose caller hung up while it was being written was queued whole once more, so that five of them were ten.
#[tokio::test]
async fn whoever_hangs_up_while_the_failure_is_written_is_counted_once() {
    let (world, failing) = counted_world().await;
    let stranger = from(IpAddr::from([198, 51, 100, 1]));
    let noted = || failing.calls_of("note_attempt");
    let begun = noted();
    for attempts in 0..10 {
        let attempt = world.login.sign_in_local("ann", "wrong password", &stranger);
        let given_up = give_up_once(attempt, || noted() > begun + LIMITS * attempts).await;
        assert!(given_up.is_none(), "after {attempts}");
        while noted() < begun + LIMITS * (attempts + 1) {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(failures_left(&world, &stranger).await, 0);
    assert_eq!(noted(), begun + LIMITS * 10);
}

/// The same of whoever hangs up while the failures of others are written.
#[tokio::test]
async fn what_others_have_abandoned_is_counted_once() {
    let (world, failing) = counted_world().await;
    let stranger = from(IpAddr::from([198, 51, 100, 1]));
    let noted = || failing.calls_of("note_attempt");
    let (begun, hashes) = (noted(), world.login.password_hashes());
    let attempt = world.login.sign_in_local("ann", "wrong password", &stranger);
    assert!(give_up_once(attempt, || world.login.password_hashes() > hashes).await.is_none());
    // Each gives up at another one of the limits, and has tried nothing.
    for limits in 1..=LIMITS {
        let attempt = world.login.sign_in_local("ann", "wrong password", &stranger);
        if noted() < begun + limits {
            assert!(give_up_once(attempt, || noted() >= begun + limits).await.is_none());
        }
    }
    assert_eq!(failures_left(&world, &stranger).await, 9);
    assert_eq!(noted(), begun + LIMITS * 10);
}

/// Of what the store took, nothing is written again.
#[tokio::test]
async fn what_could_not_be_written_is_counted_once() {
    for answered in 0..LIMITS {
        let (world, failing) = counted_world().await;
        let stranger = from(IpAddr::from([198, 51, 100, 1]));
        let begun = failing.calls_of("note_attempt");
        failing.lose_after("note_attempt", answered);
        let answer = world.login.sign_in_local("ann", "wrong password", &stranger).await;
        assert!(matches!(answer, Err(LoginError::Unavailable(_))));
        assert_eq!(failures_left(&world, &stranger).await, 9, "after {answered}");
        // One that was lost, and those that were taken.
        assert_eq!(failing.calls_of("note_attempt"), begun + 1 + LIMITS * 10);
    }
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

/// Story: whoever waited for a connection to a directory that hung, and reloaded the page, had failed ten times by that.
#[tokio::test]
async fn whoever_gives_up_before_it_is_their_turn_at_a_directory_has_asked_nothing() {
    let turns = Arc::new(Semaphore::new(0));
    let company = FakeProvider::password(|name, _| Ok(found(name, None))).with_turns(Arc::clone(&turns));
    let providers = vec![configured("company", "Company", &[], Arc::new(company))];
    let world = World::with(LoginSettings { providers, ..settings() }).await;
    let stranger = from(IpAddr::from([198, 51, 100, 1]));
    let sign_in = || world.login.sign_in_by_password("company", "ann", "her password", Way::SignIn, "/", &stranger);
    for _ in 0..30 {
        let polls = Cell::new(0);
        let given_up = give_up_once(sign_in(), || polls.replace(polls.get() + 1) > 30).await;
        assert!(given_up.is_none());
    }
    turns.add_permits(1);
    assert!(sign_in().await.is_ok());
}

/// Story: whoever reloaded the page while a directory hung had failed each time, whatever it answered then, and was shut out for a quarter of an hour.
#[tokio::test]
async fn whoever_does_not_wait_for_a_directory_has_failed_where_it_refuses() {
    for (answer, fails) in [(Ok(()), false), (Err(ProviderError::Silent), false), (Err(ProviderError::Said("no".to_owned())), true)] {
        let (asked, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (counted, given) = (Arc::clone(&asked), answer.clone());
        let company = FakeProvider::password(move |name, password| {
            counted.fetch_add(1, Ordering::SeqCst);
            if password == "a guess" { given.clone().map(|()| found(name, None)) } else { Ok(found(name, None)) }
        });
        let company = Arc::new(company.hanging_until(Arc::clone(&answers)));
        let world =
            World::with(LoginSettings { providers: vec![configured("company", "Company", &[], company.clone())], ..settings() }).await;
        let stranger = from(IpAddr::from([198, 51, 100, 1]));
        let sign_in = |password| world.login.sign_in_by_password("company", "ann", password, Way::SignIn, "/", &stranger);
        for attempt in 0..10 {
            assert!(give_up_once(sign_in("a guess"), || asked.load(Ordering::SeqCst) > attempt).await.is_none(), "{answer:?}");
        }
        // All of them are being asked still.
        assert!(matches!(sign_in("x").await, Err(ProviderSignInError::Login(LoginError::Throttled { .. }))), "{answer:?}");
        answers.add_permits(10);
        while Arc::strong_count(&company) > 2 {
            tokio::task::yield_now().await;
        }
        answers.add_permits(1);
        assert_eq!(sign_in("her password").await.is_err(), fails, "{answer:?}");
    }
}

/// An abandoned attempt was written by the next one of anybody, with the time of then: a quarter of an hour was up to two.
#[tokio::test]
async fn what_is_abandoned_is_noted_when_it_is() {
    let (world, failing) = counted_world().await;
    let stranger = from(IpAddr::from([198, 51, 100, 1]));
    let (begun, hashes) = (failing.calls_of("note_attempt"), world.login.password_hashes());
    let attempt = world.login.sign_in_local("ann", "wrong password", &stranger);
    assert!(give_up_once(attempt, || world.login.password_hashes() > hashes).await.is_none());
    while failing.calls_of("note_attempt") < begun + LIMITS {
        tokio::task::yield_now().await;
    }
    world.clock.advance(14 * 60_000);
    assert_eq!(failures_left(&world, &stranger).await, 9);
    world.clock.advance(60_000);
    assert!(matches!(world.login.sign_in_local("ann", "wrong password", &stranger).await, Err(LoginError::WrongPassword)));
}

/// Story: each answer of the store that was lost was one failure more.
#[tokio::test]
async fn what_may_have_been_written_is_not_written_again() {
    let (world, failing) = counted_world().await;
    let stranger = from(IpAddr::from([198, 51, 100, 1]));
    let begun = failing.calls_of("note_attempt");
    let lost = || ("after note_attempt", StoreError::Unknown("lost".to_owned()));
    failing.errors.lock().unwrap().extend([lost(), lost()]);
    assert!(matches!(world.login.sign_in_local("ann", "wrong password", &stranger).await, Err(LoginError::OutcomeUnknown(_))));
    while failing.calls_of("note_attempt") < begun + 2 || !failing.errors.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(failures_left(&world, &stranger).await, 9);
    assert_eq!(failing.calls_of("note_attempt"), begun + LIMITS * 10);
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
