//! The command line changes accounts beside a running server: two processes, one store.

use std::sync::Arc;

use crate::common::{Counting, PASSWORD, World, settings};
use falconer_auth::{ApiError, Auth, AuthSettings, Origin};
use falconer_login::Login;
use falconer_store::CredentialsChange;

/// Another process on the world's store.
async fn beside(world: &World) -> (Arc<Auth>, Login) {
    let random = Arc::new(Counting::default());
    let origin = Origin::parse("https://auth.example.com").unwrap();
    let auth = Auth::open(world.store.clone(), AuthSettings::new(origin), world.clock.clone(), random.clone());
    let auth = Arc::new(auth.await.unwrap());
    let login = Login::open(auth.clone(), world.store.clone(), settings(), world.clock.clone(), random).unwrap();
    (auth, login)
}

#[tokio::test]
async fn changes_of_two_processes_all_hold() {
    let world = World::new().await;
    world.ann().await;
    let (_, command_line) = beside(&world).await;
    for n in 0..3 {
        command_line.set_scopes("command line", "ann", &[format!("n:{n}")]).await.unwrap();
        world.login.set_groups("server", "ann", &[format!("g{n}")]).await.unwrap();
        command_line.set_profile("command line", "ann", &format!("Ann {n}"), None).await.unwrap();
        let account = world.login.account("ann").await.unwrap().unwrap();
        assert_eq!(
            (account.scopes, account.groups, account.display_name),
            (vec![format!("n:{n}")], vec![format!("g{n}")], format!("Ann {n}"))
        );
    }
}

/// Two processes that read one account before either had written it: the later write would have taken back the earlier one, and with it,
/// say, that an administrator had just stopped the account.
#[tokio::test]
async fn what_was_read_before_another_process_wrote_is_not_written() {
    let world = World::new().await;
    world.ann().await;
    let (_, command_line) = beside(&world).await;
    let before = world.store.identity("local/ann").await.unwrap().unwrap();
    let account = world.store.account("ann").await.unwrap().unwrap();
    command_line.disable_account("command line", "ann").await.unwrap();
    let late = world.auth.update_account("local/ann", "password changed", &before, &account, &before).await;
    assert_eq!(late, Err(ApiError::RequestConflict("The account was changed meanwhile".to_owned())));
    assert!(world.login.account("ann").await.unwrap().unwrap().disabled);
    assert_eq!(world.auth.person_scopes("local/ann"), None);

    // Also where what others can see of the person is the same, within one millisecond.
    command_line.enable_account("command line", "ann").await.unwrap();
    let before = world.store.identity("local/ann").await.unwrap().unwrap();
    let account = world.store.account("ann").await.unwrap().unwrap();
    command_line.set_profile("command line", "ann", &account.display_name, account.email.as_deref()).await.unwrap();
    let late = world.auth.update_account("local/ann", "profile set", &before, &account, &before).await;
    assert!(matches!(late, Err(ApiError::RequestConflict(_))), "{late:?}");

    // A password stands apart from the account: whoever writes one of before leaves it, and whoever has proven another one does not replace it.
    let before = world.store.identity("local/ann").await.unwrap().unwrap();
    world.auth.catch_up().await.unwrap();
    let hash = world.store.credentials("ann").await.unwrap().password_hash;
    command_line.set_password("command line", "ann", "another password", false).await.unwrap();
    world.auth.update_account("local/ann", "groups set", &before, &account, &before).await.unwrap();
    let late = CredentialsChange::SetPassword { hash: hash.clone(), instead_of: hash };
    let late = world.auth.change_credentials("local/ann", "password changed", "local/ann", "ann", late).await;
    assert!(matches!(late, Err(ApiError::RequestConflict(_))), "{late:?}");
    // A server takes in what others wrote every half second.
    world.auth.catch_up().await.unwrap();
    let signed_in = world.login.sign_in_local("ann", "another password", &crate::common::from(crate::common::ADDRESS)).await;
    assert!(signed_in.is_ok());
    assert!(world.login.sign_in_local("ann", PASSWORD, &crate::common::from(crate::common::ADDRESS)).await.is_err());
}

#[tokio::test]
async fn whoever_was_made_beside_the_server_can_sign_in_at_once() {
    let world = World::new().await;
    let (_, command_line) = beside(&world).await;
    let bob = falconer_login::NewAccount { name: "bob".to_owned(), display_name: "Bob".to_owned(), ..Default::default() };
    command_line.create_account("command line", &bob, Some(PASSWORD)).await.unwrap();
    assert_eq!(world.sign_in("bob").await.1.person.identity, "local/bob");
}
