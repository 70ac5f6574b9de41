//! Many wrong passwords at once: those beyond the limits are refused before anything is hashed, and whoever was there before gets in.

use std::net::IpAddr;
use std::sync::Arc;

use crate::common::{ADDRESS, PASSWORD, World, from, settings};
use falconer_login::{LoginError, LoginSettings, PasswordCost, Visitor};
use tokio::task::JoinSet;

const PEOPLE: usize = 10;
const GUESSES: usize = 500;

fn name(n: usize) -> String {
    format!("person{n}")
}

/// A network that nobody has signed in from.
fn stranger(n: usize) -> IpAddr {
    IpAddr::from([10, 1, (n / 200) as u8, (n % 200) as u8])
}

/// Somebody away from home, in the browser that they signed in with there.
fn away(browser: &str) -> Visitor<'_> {
    Visitor { browser: Some(browser), ..from(IpAddr::from([198, 51, 100, 7])) }
}

async fn try_as(world: &World, name: &str, password: &str, visitor: &Visitor<'_>) -> Option<LoginError> {
    world.login.sign_in_local(name, password, visitor).await.err()
}

/// Ten people, each of whom has signed in with a browser of their own.
async fn ten_people(settings: LoginSettings) -> Arc<World> {
    let world = World::with(settings).await;
    for n in 0..PEOPLE {
        world.person(&name(n), &[], &[]).await;
        let visitor = Visitor { browser: Some(&name(n)), ..from(ADDRESS) };
        assert_eq!(try_as(&world, &name(n), PASSWORD, &visitor).await, None);
    }
    Arc::new(world)
}

/// What became of guesses at all ten accounts, from as many networks, and of the ten people who come while they arrive, in known browsers elsewhere.
async fn guesses_and_people(world: &Arc<World>) -> (Vec<Option<LoginError>>, Vec<Option<LoginError>>) {
    let (mut guesses, mut people) = (JoinSet::new(), JoinSet::new());
    for n in 0..GUESSES {
        let guessing = Arc::clone(world);
        guesses.spawn(async move { try_as(&guessing, &name(n % PEOPLE), "wrong password", &from(stranger(n))).await });
        if n % (GUESSES / PEOPLE) == 25 {
            let (world, name) = (Arc::clone(world), name(n / (GUESSES / PEOPLE)));
            people.spawn(async move { try_as(&world, &name, PASSWORD, &away(&name)).await });
        }
    }
    (guesses.join_all().await, people.join_all().await)
}

fn count(outcomes: &[Option<LoginError>], is: impl Fn(&LoginError) -> bool) -> usize {
    outcomes.iter().flatten().filter(|error| is(error)).count()
}

#[tokio::test]
async fn ten_people_get_in_while_strangers_guess_at_their_accounts() {
    let most = 5;
    let world = ten_people(LoginSettings { attempts_by_strangers: most, ..settings() }).await;
    let before = world.login.password_hashes();
    let (guesses, people) = guesses_and_people(&world).await;
    assert_eq!(people, vec![None; PEOPLE], "each of the ten is in");
    let wrong = count(&guesses, |error| *error == LoginError::WrongPassword);
    let refused = count(&guesses, |error| matches!(error, LoginError::Throttled { .. }));
    let busy = count(&guesses, |error| *error == LoginError::TooBusy);
    assert_eq!(wrong + refused + busy, GUESSES, "no guess is in: {guesses:?}");
    // One hash for each that was looked at, and none for those that were refused.
    assert_eq!(world.login.password_hashes() - before, (wrong + PEOPLE) as u64);
    assert!((1..=most as usize * PEOPLE).contains(&wrong), "{wrong}");
    // What the strangers have used up is the strangers'.
    for n in 0..PEOPLE {
        for place in 0..most as usize {
            try_as(&world, &name(n), "wrong password", &from(stranger(GUESSES + place))).await;
        }
        let hashes = world.login.password_hashes();
        let elsewhere = try_as(&world, &name(n), PASSWORD, &from(stranger(GUESSES + 100))).await;
        assert_eq!(elsewhere, Some(LoginError::Throttled { retry_after_seconds: 900 }));
        assert_eq!(world.login.password_hashes(), hashes, "a refusal costs no hash");
        assert_eq!(try_as(&world, &name(n), PASSWORD, &away(&name(n))).await, None);
    }
    // The second flood costs hashes of nobody but the ten.
    let before = world.login.password_hashes();
    let (guesses, people) = guesses_and_people(&world).await;
    assert_eq!(people, vec![None; PEOPLE]);
    assert_eq!(count(&guesses, |error| matches!(error, LoginError::Throttled { .. })), GUESSES);
    assert_eq!(world.login.password_hashes() - before, PEOPLE as u64);
}

/// The places are fewer than those who come: strangers give theirs up for people in known browsers.
#[tokio::test]
async fn a_short_queue_has_places_for_known_browsers() {
    let queue = 2 * PEOPLE;
    let world = ten_people(LoginSettings { password_workers: 1, password_queue: queue, ..settings() }).await;
    let (guesses, people) = guesses_and_people(&world).await;
    assert_eq!(people, vec![None; PEOPLE], "each of the ten is in");
    assert!(guesses.iter().all(Option::is_some), "and no guess is");
}

/// An attempt that was refused for its number took a place first: of somebody who waited, where the queue was full.
#[tokio::test]
async fn who_tried_too_often_is_told_so_however_busy_it_is() {
    let cost = PasswordCost { memory_kib: 19 * 1024, ..settings().password_cost };
    let world = World::with(LoginSettings { password_workers: 1, password_queue: 0, password_cost: cost, ..settings() }).await;
    world.ann().await;
    let visitor = from(stranger(0));
    for _ in 0..10 {
        assert_eq!(try_as(&world, "ann", "wrong password", &visitor).await, Some(LoginError::WrongPassword));
    }
    for _ in 0..4 {
        let other = from(stranger(1));
        let (busy, often) = tokio::join!(try_as(&world, "bob", "a password", &other), try_as(&world, "ann", PASSWORD, &visitor));
        assert_eq!(busy, Some(LoginError::WrongPassword));
        assert_eq!(often, Some(LoginError::Throttled { retry_after_seconds: 900 }));
    }
}
