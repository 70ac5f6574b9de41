//! expandScopes and currentScopes.

use falconer_scopes::ScopeSet;

use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved::CURRENT_SCOPES;
use crate::verify::caller::Authentication;
use crate::verify::reading::Reading;

impl Auth {
    /// What these scopes come to, for a caller with `auth:expand-scopes`. No anonymous is added. An
    /// `InputError` where the roles multiply beyond what one request may cost.
    pub fn expand_scopes<S: AsRef<str>>(&self, who: &Authentication, scopes: &[S]) -> Result<ScopeSet, ApiError> {
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        caller.require_scope("auth:expand-scopes".to_owned())?;
        snapshot.expand_completely(scopes).ok_or_else(|| {
            ApiError::InputError("These scopes lead to too many roles: expanding them takes more than one request may cost".to_owned())
        })
    }

    /// What the request itself has, with anonymous, for a caller with `auth:current-scopes`.
    pub fn current_scopes(&self, who: &Authentication) -> Result<ScopeSet, ApiError> {
        let caller = self.caller(who)?;
        caller.require_scope(CURRENT_SCOPES.to_owned())?;
        Ok(caller.scopes)
    }
}
