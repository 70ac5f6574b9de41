use falconer_scopes::{Expression, ScopeSet};
use falconer_wire::Identity;

/// Who sent a request, as Falconer verified it. Only a [`Verifier`](crate::Verifier) makes one. With the feature `axum` it is an extractor.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) client_id: Option<String>,
    pub(crate) scopes: ScopeSet,
    pub(crate) expires: String,
    pub(crate) identity: Option<Identity>,
}

impl Caller {
    /// For display and logs only: anybody may choose a clientId. `None` for a request without credentials.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// What the request may do, expanded, with what everybody may do.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Whether the scopes satisfy an expression, for decisions that a route cannot state beforehand.
    #[must_use]
    pub fn satisfies(&self, required: &Expression) -> bool {
        required.satisfied_by(&self.scopes)
    }

    /// Until when the credentials are good, RFC 3339.
    #[must_use]
    pub fn expires(&self) -> &str {
        &self.expires
    }

    /// Who the person is, if a person granted access and let this service know. Key your records by `id`.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }
}
