//! Tables of sign-ins with a provider that lies, or with a browser that is made to: each case changes one thing of a sign-in that works, and nobody is
//! signed in, for exactly that reason.

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

/// A provider and the site that asks it.
pub trait Site: Sized {
    /// A sign-in that works, as it is changed.
    type Case: 'static;

    async fn new() -> Self;

    async fn sign_in(&self, change: fn(&mut Self::Case)) -> Result<Inbound, ProviderSignInError>;

    fn assert_nobody_is_known(&self, name: &str);
}

/// Goes through all tables, each case at a site of its own. A run of fewer cases than there were fails.
pub async fn assert_no_case_signs_in<S: Site>(tables: &[&[Row<S::Case>]], least: usize) {
    let mut wrong = Vec::new();
    for (name, change, is_the_reason) in tables.iter().copied().flatten() {
        let site = S::new().await;
        match site.sign_in(*change).await {
            Ok(_) => wrong.push(format!("{name}: somebody was signed in")),
            Err(ProviderSignInError::Provider(error)) if is_the_reason(&error) => {}
            Err(error) => wrong.push(format!("{name}: {error:?}")),
        }
        site.assert_nobody_is_known(name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let cases: usize = tables.iter().map(|rows| rows.len()).sum();
    assert!(cases >= least, "only {cases} cases");
}
