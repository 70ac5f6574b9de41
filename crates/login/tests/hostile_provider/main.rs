//! Providers that lie, and browsers that are made to: each case changes one thing of a sign-in that works, and nobody is signed in, for exactly that
//! reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod accepted;
mod asked_again;
mod browsers;
mod claims;
#[path = "../common/mod.rs"]
mod common;
mod provider;
mod signing;
mod subjects;
mod tokens;
mod transport;

use falconer_login::{LoginError, ProviderError, ProviderSignInError};
use provider::{Case, Company};

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
        let company = Company::new().await;
        match company.sign_in(*change).await {
            Ok(_) => wrong.push(format!("{name}: somebody was signed in")),
            Err(ProviderSignInError::Provider(error)) if is_the_reason(&error) => {}
            Err(error) => wrong.push(format!("{name}: {error:?}")),
        }
        company.assert_nobody_is_known(name);
    }
    wrong
}

#[tokio::test]
async fn no_hostile_answer_signs_anybody_in() {
    let tables = [
        tokens::SIGNATURES,
        tokens::SHAPES,
        claims::PARTIES,
        claims::TIMES,
        claims::PROOFS,
        claims::PERSON,
        transport::KEYS,
        transport::DISCOVERY,
        transport::TOKENS,
        transport::USERINFO,
        browsers::CALLBACKS,
    ];
    let mut found = Vec::new();
    for rows in tables {
        found.extend(wrong(rows).await);
    }
    assert!(found.is_empty(), "{found:#?}");
    let cases: usize = tables.iter().map(|rows| rows.len()).sum();
    assert!(cases >= 240, "only {cases} cases");
}

/// Whoever was disabled here is let in by no provider.
#[tokio::test]
async fn a_person_who_is_disabled_stays_outside() {
    let company = Company::new().await;
    company.sign_in(|_| ()).await.unwrap();
    company.disable("company/you").await;
    let refused = company.sign_in(|_| ()).await.err().unwrap();
    assert_eq!(refused, ProviderSignInError::Login(LoginError::SignedOut));
    assert!(company.world.auth.directory().identity("company/you").unwrap().record.disabled);
}
