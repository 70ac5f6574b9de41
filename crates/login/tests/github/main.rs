//! Signing in with GitHub: an emulator that is strict, a table of answers and browsers that lie, and what the right ones give.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod accepted;
mod answers;
mod browsers;
mod case;
#[path = "../common/mod.rs"]
mod common;
mod emulator;
mod following;
mod people;

use case::{Case, Site};
use falconer_login::{Inbound, ProviderSignInError};

/// One case: what is changed, and whether the reason is the right one.
pub type Row = common::hostile::Row<Case>;

impl common::hostile::Site for Site {
    type Case = Case;

    async fn new() -> Site {
        Site::new().await
    }

    async fn sign_in(&self, change: fn(&mut Case)) -> Result<Inbound, ProviderSignInError> {
        Site::sign_in(self, change).await
    }

    fn assert_nobody_is_known(&self, name: &str) {
        Site::assert_nobody_is_known(self, name);
    }
}

#[tokio::test]
async fn no_hostile_answer_signs_anybody_in() {
    let kinds: [common::hostile::Kind<Case>; 5] = [
        ("mix-up of two GitHubs, replayed codes, states and cookies of others", &[browsers::CALLBACKS], 38),
        ("tokens", &[answers::TOKENS], 36),
        ("the API: redirects, addresses inside, large and slow answers, pages elsewhere", &[answers::API, answers::PAGES], 47),
        ("accounts that nobody can be, unverified addresses", &[people::ACCOUNTS], 40),
        ("members of nothing, names that were taken over", &[people::MEMBERS], 20),
    ];
    common::hostile::assert_no_case_signs_in::<Site>(&kinds).await;
}
