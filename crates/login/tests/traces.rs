//! What passwords leave in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(target_os = "linux")]

mod common;

use std::io::{Read, Seek, SeekFrom};

use common::{ADDRESS, World, from};
use falconer_login::LoginError;

const MASK: u8 = 0x5a;

/// The text is never in the program as it is, so that only copies of what was typed are found.
fn unmasked(masked: &[u8]) -> String {
    String::from_utf8(masked.iter().map(|byte| byte ^ MASK).collect()).unwrap()
}

/// How often it stands in what this process can write to.
fn copies(masked: &[u8]) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (begin, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (begin, end) = (u64::from_str_radix(begin, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - begin).unwrap()];
        if memory.seek(SeekFrom::Start(begin)).is_ok() && memory.read_exact(&mut bytes).is_ok() {
            found += bytes.windows(masked.len()).filter(|window| window.iter().zip(masked).all(|(a, b)| a ^ MASK == *b)).count();
        }
        // Else the next look finds what this one has read.
        bytes.fill(0);
    }
    found
}

/// Wrong passwords, right ones and the values of ended cookies stood in memory long after.
#[tokio::test]
async fn nothing_that_was_typed_stays() {
    let world = World::new().await;
    world.ann().await;
    let masked: Vec<u8> = (0..40_u8).map(|n| (b'a' + n % 26) ^ MASK ^ (n / 26)).collect();
    let typed = zeroize::Zeroizing::new(unmasked(&masked));
    assert!(copies(&masked) > 0, "what is there is found");
    assert_eq!(world.login.sign_in_local("ann", &typed, &from(ADDRESS)).await.err(), Some(LoginError::WrongPassword));
    world.login.set_password("test", "ann", &typed, false).await.unwrap();
    let signed_in = world.login.sign_in_local("ann", &typed, &from(ADDRESS)).await.unwrap();
    let cookie: Vec<u8> = signed_in.cookie_value.bytes().map(|byte| byte ^ MASK).collect();
    world.login.sign_out(&signed_in.session).await.unwrap();
    drop((typed, signed_in));
    assert_eq!(copies(&masked), 0, "of the password");
    assert_eq!(copies(&cookie), 0, "of the cookie");
}
