//! Wrong passwords: guessing comes to an end, and nobody is locked out by others.

use std::net::IpAddr;
use std::sync::Arc;

use crate::common::{ADDRESS, DAY_MS, PASSWORD, World, from, settings};
use falconer_auth::Random as _;
use falconer_login::{LoginError, LoginSettings, PasswordCost, Visitor};
use falconer_store::AuditStart;

const MINUTE_MS: i64 = 60_000;

fn address(n: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, n])
}

async fn try_as(world: &World, name: &str, password: &str, visitor: &Visitor<'_>) -> Option<LoginError> {
    world.login.sign_in_local(name, password, visitor).await.err()
}

/// `count` wrong passwords, all of which are looked at.
async fn guess(world: &World, name: &str, count: usize, visitor: &Visitor<'_>) {
    for _ in 0..count {
        assert_eq!(try_as(world, name, "wrong password", visitor).await, Some(LoginError::WrongPassword));
    }
}

#[tokio::test]
async fn guesses_are_limited_by_account_and_network() {
    let world = World::new().await;
    world.ann().await;
    let visitor = from(address(1));
    // The right password in between forgets the wrong ones before it.
    guess(&world, "ann", 9, &visitor).await;
    assert_eq!(try_as(&world, "ann", PASSWORD, &visitor).await, None);
    guess(&world, "ann", 10, &visitor).await;
    let error = LoginError::Throttled { retry_after_seconds: 900 };
    for password in ["wrong password", PASSWORD] {
        assert_eq!(try_as(&world, "ann", password, &visitor).await, Some(error.clone()));
    }
    assert_eq!(error.to_string(), "Too many attempts. Try again in 15 minutes.");
    assert_eq!(LoginError::Throttled { retry_after_seconds: 1 }.to_string(), "Too many attempts. Try again in 1 minute.");
    // Others are not concerned, and knocking while it is closed keeps nobody out for longer.
    world.person("bob", &[], &[]).await;
    assert_eq!(try_as(&world, "bob", PASSWORD, &visitor).await, None);
    world.clock.advance(15 * MINUTE_MS);
    assert_eq!(try_as(&world, "ann", PASSWORD, &visitor).await, None);
}

/// Ten wrong passwords of a stranger, from any addresses, kept a person out, and nothing lifted it.
#[tokio::test]
async fn a_stranger_locks_nobody_out() {
    let world = World::with(LoginSettings { attempts_by_strangers: 30, ..settings() }).await;
    world.ann().await;
    for n in 1..=3 {
        guess(&world, "ann", 10, &from(address(n))).await;
    }
    // No stranger guesses on.
    assert!(matches!(try_as(&world, "ann", "wrong password", &from(address(4))).await, Some(LoginError::Throttled { .. })));
    // Where she has signed in before, she signs in.
    assert_eq!(try_as(&world, "ann", PASSWORD, &from(ADDRESS)).await, None);
    // A person who guesses at home is stopped by the same ten.
    guess(&world, "ann", 10, &from(ADDRESS)).await;
    assert!(matches!(try_as(&world, "ann", PASSWORD, &from(ADDRESS)).await, Some(LoginError::Throttled { .. })));
}

/// Behind the same address as the one who guesses, too.
#[tokio::test]
async fn a_browser_that_is_known_has_a_count_of_its_own() {
    let world = World::new().await;
    world.ann().await;
    let own = Visitor { browser: Some("a cookie of this browser"), ..from(address(1)) };
    let other = Visitor { browser: Some("another cookie"), ..from(address(1)) };
    assert_eq!(try_as(&world, "ann", PASSWORD, &own).await, None);
    guess(&world, "ann", 10, &other).await;
    assert!(matches!(try_as(&world, "ann", PASSWORD, &other).await, Some(LoginError::Throttled { .. })));
    assert_eq!(try_as(&world, "ann", PASSWORD, &Visitor { address: address(9), ..own }).await, None);
    assert_eq!(try_as(&world, "ann", PASSWORD, &own).await, None);
    guess(&world, "ann", 10, &own).await;
    assert!(matches!(try_as(&world, "ann", PASSWORD, &own).await, Some(LoginError::Throttled { .. })));
    // After two months without a sign-in a browser is a stranger again.
    world.clock.advance(61 * DAY_MS);
    guess(&world, "ann", 10, &other).await;
    assert!(matches!(try_as(&world, "ann", PASSWORD, &own).await, Some(LoginError::Throttled { .. })));
}

/// A hundred right passwords behind one address stopped the next one.
#[tokio::test]
async fn right_passwords_do_not_count() {
    let world = World::with(LoginSettings { attempts_by_network: 5, ..settings() }).await;
    world.ann().await;
    let visitor = from(address(1));
    for n in 0..20 {
        let name = format!("person{n}");
        world.person(&name, &[], &[]).await;
        assert_eq!(try_as(&world, &name, PASSWORD, &visitor).await, None);
    }
    // One who guesses there stops strangers there, not those who sign in there every day.
    for n in 0..5 {
        guess(&world, &format!("name{n}"), 1, &visitor).await;
    }
    assert!(matches!(try_as(&world, "ann", PASSWORD, &visitor).await, Some(LoginError::Throttled { .. })));
    assert_eq!(try_as(&world, "person0", PASSWORD, &visitor).await, None);
}

#[tokio::test]
async fn guesses_are_limited_by_network() {
    let world = World::with(LoginSettings { attempts_by_network: 5, ..settings() }).await;
    let guess = async |address: &str, name: &str| try_as(&world, name, "wrong password", &from(address.parse().unwrap())).await;
    for n in 0..5 {
        assert_eq!(guess("2001:db8:1:2::1", &format!("name{n}")).await, Some(LoginError::WrongPassword));
    }
    // One /64 is one network; an IPv4 address is the same however it is written; what is no name counts too.
    assert!(matches!(guess("2001:db8:1:2:ffff::9", "other").await, Some(LoginError::Throttled { .. })));
    assert!(matches!(guess("2001:db8:1:2:ffff::9", "no name!").await, Some(LoginError::Throttled { .. })));
    assert_eq!(guess("2001:db8:1:3::1", "other").await, Some(LoginError::WrongPassword));
    for _ in 0..5 {
        guess("192.0.2.1", "no name!").await;
    }
    assert!(matches!(guess("::ffff:192.0.2.1", "other").await, Some(LoginError::Throttled { .. })));
    // Whoever has a /48 has many networks, and ten times as many guesses.
    for n in 0..50 {
        assert_eq!(guess(&format!("2001:db8:9:{n:x}::1"), &format!("name{n}")).await, Some(LoginError::WrongPassword));
    }
    assert!(matches!(guess("2001:db8:9:ffff::1", "other").await, Some(LoginError::Throttled { .. })));
    assert_eq!(guess("2001:db8:a:ffff::1", "other").await, Some(LoginError::WrongPassword));
}

#[tokio::test]
async fn many_guesses_at_once_are_no_more_than_in_a_row() {
    let world = Arc::new(World::new().await);
    world.ann().await;
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let world = world.clone();
        guesses.spawn(async move { try_as(&world, "ann", "wrong password", &from(ADDRESS)).await });
    }
    let answers = guesses.join_all().await;
    let tried = answers.iter().filter(|a| **a == Some(LoginError::WrongPassword)).count();
    assert_eq!(tried, 10);
}

/// It said the whole window, however much of it was over.
#[tokio::test]
async fn who_is_told_to_wait_is_told_for_how_long() {
    let world = World::new().await;
    world.ann().await;
    let visitor = from(address(1));
    guess(&world, "ann", 4, &visitor).await;
    world.clock.advance(5 * MINUTE_MS);
    guess(&world, "ann", 6, &visitor).await;
    world.clock.advance(1_500);
    let throttled = try_as(&world, "ann", PASSWORD, &visitor).await;
    // The first four leave the window ten minutes later, but for the second and a half.
    assert_eq!(throttled, Some(LoginError::Throttled { retry_after_seconds: 599 }));
    world.clock.advance(598_000);
    assert_eq!(try_as(&world, "ann", PASSWORD, &visitor).await, Some(LoginError::Throttled { retry_after_seconds: 1 }));
    world.clock.advance(1_000);
    assert_eq!(try_as(&world, "ann", PASSWORD, &visitor).await, None);
}

#[tokio::test]
async fn an_operator_lets_people_in_again() {
    let world = World::new().await;
    world.ann().await;
    let visitor = from(address(1));
    let is_closed = async || matches!(try_as(&world, "ann", "wrong password", &visitor).await, Some(LoginError::Throttled { .. }));
    for _ in 0..2 {
        guess(&world, "ann", 10, &visitor).await;
        assert!(is_closed().await);
        world.login.unlock_account("operator", "ann").await.unwrap();
    }
    guess(&world, "ann", 10, &visitor).await;
    assert!(is_closed().await);
    world.login.set_password("operator", "ann", "another password", false).await.unwrap();
    assert_eq!(try_as(&world, "ann", "another password", &visitor).await, None);
    assert!(matches!(world.login.unlock_account("operator", "nobody").await, Err(LoginError::NotFound(_))));
    let rows = world.store.actor_history("operator", AuditStart::Offset(0), 10).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.action == "unlocked").count(), 2);
}

/// The number of unlocks went down when the first was over, and failures from before the second counted once more.
#[tokio::test]
async fn an_unlock_holds_when_an_earlier_one_is_over() {
    let world = World::new().await;
    world.ann().await;
    let visitor = from(address(1));
    let window_ms = settings().attempts_window_ms;
    world.login.unlock_account("operator", "ann").await.unwrap();
    world.clock.advance(window_ms - 1000);
    guess(&world, "ann", 10, &visitor).await;
    world.login.unlock_account("operator", "ann").await.unwrap();
    world.clock.advance(2000);
    assert_eq!(try_as(&world, "ann", "wrong password", &visitor).await, Some(LoginError::WrongPassword));
}

/// Two sign-ins at the same time both made another hash of the right password, and one of them was told that it is wrong.
#[tokio::test]
async fn a_hash_that_two_sign_ins_replace_is_right_for_both() {
    let world = World::new().await;
    world.ann().await;
    let dearer = LoginSettings { password_cost: PasswordCost { memory_kib: 16, passes: 1, lanes: 1 }, ..settings() };
    // Not the numbers with which Ann's own session was made.
    let random = Arc::new(crate::common::Counting::default());
    random.fill(&mut [0; 4096]);
    let login = falconer_login::Login::open(world.auth.clone(), world.store.clone(), dearer, world.clock.clone(), random).unwrap();
    let visitor = from(ADDRESS);
    let sign_in = || login.sign_in_local("ann", PASSWORD, &visitor);
    let (one, other, third) = tokio::join!(sign_in(), sign_in(), sign_in());
    for signed_in in [one, other, third] {
        assert!(login.session(&signed_in.unwrap().cookie_value).await.unwrap().is_some());
    }
}

/// `Ann`, `ann ` and the same password in another Unicode form were refused.
#[tokio::test]
async fn names_and_passwords_are_what_people_mean() {
    let world = World::new().await;
    world.ann().await;
    for name in ["Ann", "ann ", " ANN\t"] {
        assert_eq!(try_as(&world, name, PASSWORD, &from(ADDRESS)).await, None, "{name:?}");
    }
    world.login.set_password("test", "ann", "cr\u{e8}me br\u{fb}l\u{e9}e", false).await.unwrap();
    assert_eq!(try_as(&world, "ann", "cre\u{300}me bru\u{302}le\u{301}e", &from(ADDRESS)).await, None);
}

/// A hash stayed as cheap as it was made, for ever.
#[tokio::test]
async fn hashes_follow_the_cost() {
    let world = World::new().await;
    world.ann().await;
    let dearer = LoginSettings { password_cost: PasswordCost { memory_kib: 16, passes: 1, lanes: 1 }, ..settings() };
    let random = Arc::new(crate::common::Counting::default());
    let login = falconer_login::Login::open(world.auth.clone(), world.store.clone(), dearer, world.clock.clone(), random).unwrap();
    let hash = async || world.store.credentials("ann").await.unwrap().password_hash.unwrap();
    assert!(hash().await.contains("m=8,"));
    assert!(login.sign_in_local("ann", "wrong password", &from(ADDRESS)).await.is_err());
    assert!(hash().await.contains("m=8,"));
    let cookie = login.sign_in_local("ann", PASSWORD, &from(ADDRESS)).await.unwrap().cookie_value;
    let anew = hash().await;
    assert!(anew.contains("m=16,"), "{anew}");
    assert!(login.session(&cookie).await.unwrap().is_some());
    assert!(login.sign_in_local("ann", PASSWORD, &from(ADDRESS)).await.is_ok());
    assert_eq!(hash().await, anew, "once");
}

/// Whoever stole a session could try any number of passwords on the page that changes it.
#[tokio::test]
async fn the_present_password_can_be_guessed_ten_times() {
    let world = World::new().await;
    let session = world.ann().await;
    let change = async |old: &str| world.login.change_password(&session, old, "another password", false, false).await;
    for _ in 0..10 {
        assert_eq!(change("wrong password").await, Err(LoginError::WrongPassword));
    }
    assert!(matches!(change(PASSWORD).await, Err(LoginError::Throttled { .. })));
    // Signing in is another matter.
    assert_eq!(try_as(&world, "ann", PASSWORD, &from(ADDRESS)).await, None);
}
