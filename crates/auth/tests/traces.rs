//! What access tokens leave in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(target_os = "linux")]

mod common;

use std::io::{BufRead as _, Read as _, Seek as _, SeekFrom};

use common::{Keys, World};
use falconer_auth::{ClientView, Verdict};

const MASK: u8 = 0x5a;

/// The text in another form, so that only copies of the text itself are found.
fn masked(text: &str) -> Vec<u8> {
    text.bytes().map(|byte| byte ^ MASK).collect()
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
            // In optimised steps: this is many megabytes.
            let mut rest = bytes.as_slice();
            while rest.skip_until(masked[0] ^ MASK).unwrap() > 0 {
                let is_here = rest.len() >= masked.len() - 1 && rest.iter().zip(&masked[1..]).all(|(a, b)| a ^ MASK == *b);
                found += usize::from(is_here);
            }
        }
        // Else the next look finds what this one has read.
        bytes.fill(0);
    }
    found
}

/// Signs with what was told, and keeps the token in the other form only.
async fn used(world: &World, view: ClientView) -> Vec<u8> {
    let token = view.access_token.unwrap();
    let keys = Keys::new(&view.client_id, token.expose());
    assert!(matches!(world.verify(&keys).await, Verdict::Success(_)));
    masked(token.expose())
}

/// That tokens are wiped from where a node holds a million clients was said, and tried by nothing.
#[tokio::test]
async fn tokens_that_end_are_wiped_with_the_last_snapshot() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let before = world.auth.directory();
    let made = used(&world, world.auth.create_client(&root, "x", &world.input(&["a"])).await.unwrap().0).await;
    let held = world.auth.directory();
    let reset = used(&world, world.auth.reset_access_token(&root, "x").await.unwrap().0).await;
    assert!(copies(&made) > 0, "who still answers from the earlier snapshot has it");
    drop((before, held));
    assert_eq!(copies(&made), 0, "of the token that was reset");
    assert!(copies(&reset) > 0, "what is there is found");
    world.auth.delete_client(&root, "x").await.unwrap();
    assert_eq!(copies(&reset), 0, "of the token that was deleted");
}
