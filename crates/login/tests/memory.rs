//! What hashing takes, it gives back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(target_os = "linux")]

mod common;

use std::sync::Arc;

use common::{World, from, settings};
use falconer_login::{LoginSettings, PasswordCost};

/// Of this process, in MiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

/// Forty sign-ins at once, each on another thread, left 287 MB behind: the allocator kept a block for each thread that had ever hashed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_is_given_back() {
    let cost = PasswordCost { passes: 1, ..PasswordCost::default() };
    let world = Arc::new(World::with(LoginSettings { password_cost: cost, password_workers: 8, ..settings() }).await);
    let before = resident();
    for _ in 0..3 {
        let mut guesses = tokio::task::JoinSet::new();
        for n in 0..16_u8 {
            let world = world.clone();
            guesses.spawn(async move { world.login.sign_in_local("nobody", "wrong password", &from([10, 0, 0, n].into())).await.is_err() });
        }
        assert!(guesses.join_all().await.into_iter().all(|refused| refused));
    }
    let after = resident();
    assert!(after < before + 40, "{before} MiB before, {after} MiB after");
}
