//! What is given away only by somebody who has just proved to be there (ADR 192): what is broad, and what the administrator adds to that.

use falconer_login::{LoginError, Session};
use falconer_scopes::{ScopeSet, covers};

use crate::grants::Grants;

impl Grants {
    /// [`LoginError::SignInAgain`]: something of it needs a sign-in that is fresh, and is more than `before`. What a service calls a high risk is so too where it has published
    /// something, about this scope or another of its own, since `before_ms`, when `before` was granted: that was agreed to as something else.
    pub(crate) fn check_fresh(&self, session: &Session, scopes: &ScopeSet, before: &ScopeSet, before_ms: i64) -> Result<(), LoginError> {
        let (configured, words) = (self.configured(), self.words());
        let guarded = &configured.settings.sign_in_again;
        let is_guarded = |scope: &str| words.is_broad(scope) || guarded.iter().any(|guarded| meet(guarded, scope));
        let is_new = |scope: &str| !before.satisfies(scope) || words.is_high_risk_since(scope, before_ms);
        if scopes.iter().any(|scope| is_guarded(scope) && is_new(scope)) { self.login.check_fresh(session) } else { Ok(()) }
    }
}

/// Whether there is a scope that both cover.
fn meet(a: &str, b: &str) -> bool {
    covers(a, b) || covers(b, a)
}

#[cfg(test)]
mod tests {
    use super::meet;

    #[test]
    fn scopes_meet_where_one_covers_the_other() {
        for (a, b) in [("secrets:*", "secrets:get:x"), ("secrets:get:x", "secrets:*"), ("secrets:get:x", "secrets:get:x"), ("*", "x")] {
            assert!(meet(a, b), "{a} {b}");
        }
        for (a, b) in [("secrets:get:x", "secrets:get:y"), ("secrets:*", "secretary:x"), ("secrets:", "secrets:x")] {
            assert!(!meet(a, b), "{a} {b}");
        }
    }
}
