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
use falconer_login::{ProviderError, ProviderSignInError};

/// One case: what is changed, and whether the reason is the right one.
pub type Row = (&'static str, fn(&mut Case), fn(&ProviderError) -> bool);

/// A row: the case, the change, the reason.
#[macro_export]
macro_rules! row {
    ($name:expr, $change:expr, $reason:pat) => {
        ($name, $change, |error| matches!(error, $reason))
    };
}

/// What is wrong with the cases.
async fn wrong(rows: &[Row]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, change, is_the_reason) in rows {
        let site = Site::new().await;
        match site.sign_in(change).await {
            Ok(_) => wrong.push(format!("{name}: somebody was signed in")),
            Err(ProviderSignInError::Provider(error)) if is_the_reason(&error) => {}
            Err(error) => wrong.push(format!("{name}: {error:?}")),
        }
        site.assert_nobody_is_known(name);
    }
    wrong
}

#[tokio::test]
async fn no_hostile_answer_signs_anybody_in() {
    let tables = [browsers::CALLBACKS, answers::TOKENS, answers::API, answers::PAGES, people::ACCOUNTS, people::MEMBERS];
    let mut found = Vec::new();
    for rows in tables {
        found.extend(wrong(rows).await);
    }
    assert!(found.is_empty(), "{found:#?}");
    let cases: usize = tables.iter().map(|rows| rows.len()).sum();
    assert!(cases >= 180, "only {cases} cases");
}
