//! What must hold at the edges of sign-in: a busy node, a wrong clock, scopes and groups that look harmless.

use crate::common::{ADDRESS, PASSWORD, World, from, settings};
use falconer_login::account::is_valid_group;
use falconer_login::{LoginError, LoginSettings, PasswordCost};

/// Being turned away once counted as a wrong password, so that a busy node closed the accounts of those who tried again.
#[tokio::test]
async fn being_turned_away_is_no_attempt() {
    // The one that is looked at takes far longer than the others need to come.
    let password_cost = PasswordCost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    let world = World::with(LoginSettings { password_cost, password_workers: 1, password_queue: 0, ..settings() }).await;
    world.ann().await;
    let visitor = from([10, 0, 0, 1].into());
    let guess = || world.login.sign_in_local("ann", "wrong password", &visitor);
    let (a, b, c) = tokio::join!(guess(), guess(), guess());
    let outcomes = [a.err(), b.err(), c.err()];
    let count = |error: LoginError| outcomes.iter().filter(|outcome| outcome.as_ref() == Some(&error)).count();
    let (wrong, busy) = (count(LoginError::WrongPassword), count(LoginError::TooBusy));
    assert!(wrong >= 1 && busy >= 1 && wrong + busy == 3, "{outcomes:?}");
    let counted = world.store.attempts("sign-in/network/10.0.0.1", world.auth.now_ms(), 1_000).await.unwrap();
    assert_eq!(usize::try_from(counted), Ok(wrong));
}

#[tokio::test]
async fn nobody_is_let_in_while_the_clock_is_behind() {
    let world = World::new().await;
    world.ann().await;
    let (cookie, _) = world.sign_in("ann").await;
    let link = world.login.create_setup_link().await.unwrap();
    world.clock.advance(-61_000);
    let refused = world.login.sign_in_local("ann", PASSWORD, &from(ADDRESS)).await;
    assert!(matches!(refused.err(), Some(LoginError::ClockBehind { behind_ms: 61_000 })));
    assert!(matches!(world.login.session(&cookie).await, Err(LoginError::ClockBehind { .. })));
    assert!(matches!(world.login.setup_link_valid(&link.token).await, Err(LoginError::ClockBehind { .. })));
    world.clock.advance(61_000);
    assert!(world.login.session(&cookie).await.unwrap().is_some());
    assert!(world.login.setup_link_valid(&link.token).await.unwrap());
    world.sign_in("ann").await;
}

#[tokio::test]
async fn no_star_reaches_into_grants() {
    let world = World::new().await;
    world.ann().await;
    for scope in ["assume:g*", "assume:grant*", "assume:grant:*", "assume:grant:x", "assume:grant:"] {
        let refused = world.login.set_scopes("test", "ann", &[scope.to_owned()]).await;
        assert!(matches!(refused, Err(LoginError::Invalid(_))), "{scope}");
    }
    for scope in ["assume:h*", "assume:grants", "assume:granted:*"] {
        world.login.set_scopes("test", "ann", &[scope.to_owned()]).await.unwrap();
    }
}

#[tokio::test]
async fn groups_are_plain() {
    let world = World::new().await;
    world.ann().await;
    let longest = "9".repeat(63);
    for group in ["a", "9", "team/ops", "a.b-c_d/9", longest.as_str()] {
        assert!(is_valid_group(group), "{group}");
        world.login.set_groups("test", "ann", &[group.to_owned()]).await.unwrap();
    }
    for group in ["", "-a", "/a", ".a", "_a", "Ops", "aB", "a b", "a*", "a:b", "é", "a\n", &"9".repeat(64)] {
        assert!(!is_valid_group(group), "{group}");
        let refused = world.login.set_groups("test", "ann", &["fine".to_owned(), group.to_owned()]).await;
        assert!(matches!(refused, Err(LoginError::Invalid(_))), "{group}");
    }
}
