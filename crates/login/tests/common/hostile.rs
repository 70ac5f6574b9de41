//! Tables of sign-ins with a provider that lies, or with a browser that is made to: each case changes one thing of a sign-in that works, and nobody is
//! signed in, for exactly that reason.
//!
//! Beside these suites of OpenID Connect and GitHub there are:
//! - `tests/ldap/hostile.rs` and `tests/ldap/filters.rs`: referrals, empty passwords, filters in names.
//! - `tests/email_code/hostile.rs`: codes, cookies and addresses of others.
//! - `tests/people/provider_http.rs`: redirects, addresses inside, slow and large answers over real connections.
//! - `crates/web/tests/scim/hostile.rs`: foreign tokens and records of SCIM.

use falconer_login::{Inbound, ProviderError, ProviderSignInError};

/// One case: its name, what is changed, and whether the reason is the right one.
pub type Row<C> = (&'static str, fn(&mut C), fn(&ProviderError) -> bool);

/// A row: the name, the change, the reason.
#[macro_export]
macro_rules! row {
    ($name:expr, $change:expr, $reason:pat) => {
        ($name, $change, |error| matches!(error, $reason))
    };
}

/// What the cases of a kind try, the tables that hold them, and how many there are at least.
pub type Kind<C> = (&'static str, &'static [&'static [Row<C>]], usize);

/// A suite has no fewer cases than this, whatever its kinds say.
const LEAST: usize = 150;

/// A provider and the site that asks it.
pub trait Site: Sized {
    /// A sign-in that works, as it is changed.
    type Case: 'static;

    async fn new() -> Self;

    async fn sign_in(&self, change: fn(&mut Self::Case)) -> Result<Inbound, ProviderSignInError>;

    fn assert_nobody_is_known(&self, name: &str);
}

/// Goes through all cases of all kinds, each at a site of its own. A kind that has lost cases fails, and so does a suite of fewer than 150.
pub async fn assert_no_case_signs_in<S: Site>(kinds: &[Kind<S::Case>]) {
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for (what, tables, least) in kinds {
        let rows: Vec<&Row<S::Case>> = tables.iter().copied().flatten().collect();
        assert!(rows.len() >= *least, "only {} cases of {what}", rows.len());
        for (name, change, is_the_reason) in &rows {
            let site = S::new().await;
            match site.sign_in(*change).await {
                Ok(_) => wrong.push(format!("{what}: {name}: somebody was signed in")),
                Err(ProviderSignInError::Provider(error)) if is_the_reason(&error) => {}
                Err(error) => wrong.push(format!("{what}: {name}: {error:?}")),
            }
            site.assert_nobody_is_known(name);
        }
        cases += rows.len();
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cases >= LEAST, "only {cases} cases");
}
