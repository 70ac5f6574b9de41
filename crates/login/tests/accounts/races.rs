//! What works once is done many times at the same moment: it works once.

use std::sync::Arc;

use crate::common::{ADDRESS, PASSWORD, World, from};
use falconer_login::{Administrator, LoginError};
use tokio::task::JoinSet;

const RACERS: usize = 8;
const MACHINE: Administrator<'_> = Administrator::OnTheMachine("machine");

fn password(racer: usize) -> String {
    format!("password of racer {racer}")
}

/// The one who was first; all others were told that somebody was.
fn first<T>(outcomes: Vec<Result<T, LoginError>>, too_late: impl Fn(&LoginError) -> bool) -> usize {
    let wrong: Vec<&LoginError> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).filter(|error| !too_late(error)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let done: Vec<usize> = outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_ok()).map(|(racer, _)| racer).collect();
    assert_eq!(done.len(), 1, "{done:?}");
    done[0]
}

fn is_conflict(error: &LoginError) -> bool {
    matches!(error, LoginError::Conflict(_))
}

/// In the order of the racers.
async fn race<T: Send + 'static>(mut racers: JoinSet<(usize, Result<T, LoginError>)>) -> Vec<Result<T, LoginError>> {
    let mut outcomes = Vec::new();
    while let Some(outcome) = racers.join_next().await {
        outcomes.push(outcome.unwrap());
    }
    outcomes.sort_by_key(|(racer, _)| *racer);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_link_for_a_password_sets_one() {
    let world = Arc::new(World::new().await);
    world.ann().await;
    let (link, _) = world.login.make_reset_link(MACHINE, "local/ann").await.unwrap();
    let mut racers = JoinSet::new();
    for racer in 0..RACERS {
        let (world, token) = (Arc::clone(&world), link.token.clone());
        racers.spawn(async move { (racer, world.login.use_account_link(&token, &password(racer)).await) });
    }
    let first = first(race(racers).await, is_conflict);
    for racer in 0..RACERS {
        let signed_in = world.login.sign_in_local("ann", &password(racer), &from(ADDRESS)).await;
        assert_eq!(signed_in.is_ok(), racer == first, "{racer}");
    }
    // Whoever has no link has nothing hashed.
    let hashes = world.login.password_hashes();
    for token in ["", link.token.as_str(), &"x".repeat(43), &"x".repeat(10_000)] {
        assert!(world.login.use_account_link(token, &password(99)).await.is_err_and(|error| is_conflict(&error)));
    }
    assert_eq!(world.login.password_hashes(), hashes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_set_up_link_makes_one_administrator() {
    let world = Arc::new(World::new().await);
    let link = world.login.create_setup_link().await.unwrap();
    let mut racers = JoinSet::new();
    for racer in 0..RACERS {
        let (world, token) = (Arc::clone(&world), link.token.clone());
        let done = async move {
            let name = format!("admin{racer}");
            world.login.complete_setup(&token, &name, &name, None, PASSWORD, &from(ADDRESS)).await.map(drop)
        };
        racers.spawn(async move { (racer, done.await) });
    }
    let first = first(race(racers).await, is_conflict);
    let names: Vec<String> = world.login.accounts().await.unwrap().into_iter().map(|account| account.name).collect();
    assert_eq!(names, [format!("admin{first}")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_recovery_code_signs_in_once() {
    let world = Arc::new(World::new().await);
    let ann = world.ann().await;
    let codes = world.login.make_recovery_codes(&ann).await.unwrap();
    let mut racers = JoinSet::new();
    for racer in 0..RACERS {
        let (world, code) = (Arc::clone(&world), codes[0].clone());
        racers.spawn(async move { (racer, world.login.sign_in_recovery("ann", &code, &from(ADDRESS)).await.map(drop)) });
    }
    first(race(racers).await, |error| *error == LoginError::WrongPassword);
    let left = world.login.recovery_codes("ann").await.unwrap();
    assert_eq!((left.left, left.total), (codes.len() - 1, codes.len()));
}

/// Each confirmation ends all sessions of both and begins another one: two of them would leave two, of which the person sees one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_link_of_identities_is_confirmed_once() {
    let world = Arc::new(World::new().await);
    world.person("bob", &[], &["x:y"]).await;
    let ann = world.ann().await;
    world.login.begin_link(&ann, PASSWORD, "bob", PASSWORD, &from(ADDRESS)).await.unwrap();
    let form_time = world.login.form_time(&ann);
    world.clock.advance(1_000);
    let mut racers = JoinSet::new();
    for racer in 0..RACERS {
        let (world, ann, form_time) = (Arc::clone(&world), ann.clone(), form_time.clone());
        let done = async move { world.login.confirm_link(&ann, "local/bob", &form_time, &from(ADDRESS)).await.map(drop) };
        racers.spawn(async move { (racer, done.await) });
    }
    first(race(racers).await, |error| is_conflict(error) || *error == LoginError::SignedOut);
    let directory = world.auth.directory();
    let person = directory.person_of("local/ann").unwrap();
    assert_eq!(directory.linked(&person.record.id).count(), 2);
}
