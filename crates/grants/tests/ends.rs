//! What ends a grant besides its owner's Revoke: signing out everywhere, another password, an account that is off.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{ADDRESS, PASSWORD, World, asks, from};
use falconer_grants::{GrantError, GrantState};
use falconer_login::LoginError;

#[tokio::test]
async fn signing_out_everywhere_ends_everything_that_was_asked_for() {
    let world = World::new().await;
    for revoke in [false, true] {
        let name = if revoke { "ann" } else { "bob" };
        let first = world.person(name, &["zap"], &[]).await;
        let (cookie, session) = world.sign_in(name).await;
        let request = asks("&scope=notes:read:zap/*");
        let form = world.form(&first, &request).await;
        world.grants.grant(&first, &request, &form, |_| ()).await.unwrap();
        world.login.sign_out_everywhere(&session, revoke).await.unwrap();
        assert_eq!(world.login.session(&cookie).await.unwrap(), None);
        let (_, next_session) = world.sign_in(name).await;
        assert_eq!(world.login.sessions(&next_session).await.unwrap().len(), 1);
        let state = world.grants.grants_of(&next_session).await.unwrap()[0].state;
        assert_eq!(state == GrantState::Revoked, revoke);
    }
}

#[tokio::test]
async fn changing_the_password_needs_the_old_one() {
    let world = World::new().await;
    world.ann().await;
    let ((other, _), (cookie, session)) = (world.sign_in("ann").await, world.sign_in("ann").await);
    let request = asks("&scope=notes:read:zap/*");
    let form = world.form(&session, &request).await;
    world.grants.grant(&session, &request, &form, |_| ()).await.unwrap();
    let change = async |old: &str, new: &str| world.login.change_password(&session, old, new, true, true).await;
    assert_eq!(change("wrong password", "new password").await, Err(LoginError::WrongPassword));
    for new in ["short", &"x".repeat(513)] {
        assert!(matches!(change(PASSWORD, new).await, Err(LoginError::Invalid(_))));
    }
    assert!(world.login.session(&other).await.unwrap().is_some());

    change(PASSWORD, "new password").await.unwrap();
    assert_eq!(world.login.session(&other).await.unwrap(), None);
    assert!(world.login.session(&cookie).await.unwrap().is_some());
    assert_eq!(world.grants.grants_of(&session).await.unwrap()[0].state, GrantState::Revoked);
    let sign_in = async |password: &str| world.login.sign_in_local("ann", password, &from(ADDRESS)).await.err();
    assert_eq!(sign_in(PASSWORD).await, Some(LoginError::WrongPassword));
    assert_eq!(sign_in("new password").await, None);
    // Nothing ends that was not asked for.
    world.login.change_password(&session, "new password", "newer password", false, false).await.unwrap();
    assert!(world.login.sessions(&session).await.unwrap().len() > 1);
}

#[tokio::test]
async fn an_account_that_is_off_can_do_nothing_at_once() {
    let world = World::new().await;
    for (name, delete) in [("ann", false), ("bob", true)] {
        world.person(name, &["zap"], &[]).await;
        let (cookie, session) = world.sign_in(name).await;
        let request = asks("&scope=notes:read:zap/*");
        let form = world.form(&session, &request).await;
        let granted = world.grants.grant(&session, &request, &form, |_| ()).await.unwrap();
        if delete {
            world.login.delete_account("test", name).await.unwrap();
        } else {
            world.login.disable_account("test", name).await.unwrap();
        }
        assert_eq!(world.login.session(&cookie).await.unwrap(), None);
        assert!(matches!(world.verify(&granted.location, "x").await, falconer_auth::Verdict::Failed { .. }));
        // A page that was loaded before is worth nothing either.
        let signed_out = GrantError::Login(LoginError::SignedOut);
        assert_eq!(world.grants.offer(&session, &request).await.err(), Some(signed_out.clone()));
        let mut form = form.clone();
        form.nonce = world.grants.new_nonce();
        assert_eq!(world.grants.grant(&session, &request, &form, |_| ()).await.err(), Some(signed_out));
        if !delete {
            world.login.enable_account("test", name).await.unwrap();
            assert_eq!(world.login.session(&cookie).await.unwrap(), None);
            let (_, next_session) = world.sign_in(name).await;
            assert_eq!(world.grants.grants_of(&next_session).await.unwrap()[0].state, GrantState::Revoked);
        }
    }
}
