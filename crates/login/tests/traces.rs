//! What passwords leave in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(target_os = "linux")]

mod common;
#[path = "../../auth/tests/common/memory.rs"]
mod memory;

use common::{ADDRESS, World, from};
use falconer_login::LoginError;
use memory::{copies, mask, masked};

/// Wrong passwords, right ones and the values of ended cookies stood in memory long after.
#[tokio::test]
async fn nothing_that_was_typed_stays() {
    let world = World::new().await;
    world.ann().await;
    // Never in the program as it is, so that only copies of what was typed are found.
    let password = mask(&(0..40_u8).map(|n| (b'a' + n % 26) ^ (n / 26)).collect::<Vec<_>>());
    let typed = zeroize::Zeroizing::new(String::from_utf8(mask(&password)).unwrap());
    assert!(copies(&password) > 0, "what is there is found");
    assert_eq!(world.login.sign_in_local("ann", &typed, &from(ADDRESS)).await.err(), Some(LoginError::WrongPassword));
    world.login.set_password("test", "ann", &typed, false).await.unwrap();
    let signed_in = world.login.sign_in_local("ann", &typed, &from(ADDRESS)).await.unwrap();
    let cookie = masked(&signed_in.cookie_value);
    world.login.sign_out(&signed_in.session).await.unwrap();
    drop((typed, signed_in));
    assert_eq!(copies(&password), 0, "of the password");
    assert_eq!(copies(&cookie), 0, "of the cookie");
}
