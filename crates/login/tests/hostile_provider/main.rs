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

use falconer_login::{Inbound, LoginError, ProviderSignInError};
use provider::{Case, Company};

/// One case: what is changed, and whether the reason is the right one.
pub type Row = common::hostile::Row<Case>;

impl common::hostile::Site for Company {
    type Case = Case;

    async fn new() -> Company {
        Company::new().await
    }

    async fn sign_in(&self, change: fn(&mut Case)) -> Result<Inbound, ProviderSignInError> {
        Company::sign_in(self, change).await
    }

    fn assert_nobody_is_known(&self, name: &str) {
        Company::assert_nobody_is_known(self, name);
    }
}

#[tokio::test]
async fn no_hostile_answer_signs_anybody_in() {
    let kinds: [common::hostile::Kind<Case>; 9] = [
        ("`none`, one algorithm for another, keys of others", &[tokens::SIGNATURES], 46),
        ("what is no ID token", &[tokens::SHAPES], 23),
        ("`iss`, `aud`, `azp`, `nonce`, `at_hash`", &[claims::PARTIES], 32),
        ("too early, too late", &[claims::TIMES, claims::PROOFS], 23),
        ("who somebody is", &[claims::PERSON], 23),
        ("sets of keys", &[transport::KEYS], 38),
        ("discovery: other issuers, addresses inside, redirects, large and slow answers", &[transport::DISCOVERY], 31),
        ("codes and userinfo: the same, and codes that count no more", &[transport::TOKENS, transport::USERINFO], 26),
        ("mix-up of providers, replayed codes, states and cookies of others", &[browsers::CALLBACKS], 33),
    ];
    common::hostile::assert_no_case_signs_in::<Company>(&kinds).await;
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
