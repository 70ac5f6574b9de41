//! What services and administrators do about what is said of scopes. What they may do is looked at when it is decided, in `auth`.

use std::sync::Arc;

use falconer_auth::{ApiError, Authentication, Page, PageQuery, Revision, ScopeRegistryRecord, ScopeSentence, Snapshot};
use falconer_login::{LoginError, Session};

use crate::grants::Grants;
use crate::words::published::{ScopeWords, ServiceWords};

/// What no service speaks for, in any letter case: people would take it for Falconer's own.
const RESERVED: [&str; 3] = ["auth", "assume", "falconer"];

impl Grants {
    /// All that is said of scopes at this moment.
    pub(crate) fn words(&self) -> Arc<ScopeWords> {
        self.words_in(&self.auth.directory())
    }

    /// The same at the moment of a directory.
    pub(crate) fn words_in(&self, directory: &Snapshot) -> Arc<ScopeWords> {
        self.known_words.at(&self.configured().words, directory.scope_registries())
    }

    /// One page of what services have published, by namespace. It takes `auth:list-scope-registries`.
    pub fn list_scope_registries(&self, who: &Authentication, query: &PageQuery) -> Result<Page<Arc<ScopeRegistryRecord>>, ApiError> {
        self.auth.list_scope_registries(who, query)
    }

    /// What a service has published. It takes the same, or `auth:publish-scopes:<namespace>`.
    pub fn scope_registry(&self, who: &Authentication, namespace: &str) -> Result<Arc<ScopeRegistryRecord>, ApiError> {
        self.auth.scope_registry(who, namespace)
    }

    /// Whether the configuration says something about a namespace, so that what a service has published is not used.
    pub fn is_configured_namespace(&self, namespace: &str) -> bool {
        self.configured().words.of(namespace).is_some()
    }

    /// Publishes what a service says of its scopes. It takes `auth:publish-scopes:<namespace>`. 409 where the configuration says something about the namespace; 400
    /// for what can't be.
    pub async fn put_scope_registry(
        &self,
        who: &Authentication,
        namespace: &str,
        scopes: &[ScopeSentence],
    ) -> Result<(ScopeRegistryRecord, Revision), ApiError> {
        if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(namespace)) {
            return Err(ApiError::InputError(format!("What the scopes of {namespace} mean is Falconer's to say")));
        }
        ServiceWords::new(namespace, scopes).map_err(ApiError::InputError)?;
        // Whoever may not publish it is not told what the configuration has.
        if self.is_configured_namespace(namespace) {
            self.auth.check_publishing_scope(who, namespace)?;
            let text = format!(
                "The configuration of the server says what the scopes of {namespace} mean: ask its operator to change `[[scope]]` there, or to take it out"
            );
            return Err(ApiError::RequestConflict(text));
        }
        self.auth.put_scope_registry(who, namespace, scopes).await
    }

    /// Deletes it; fine when there is none. It takes `auth:publish-scopes:<namespace>`. `seen_ms`: when it was last changed as whoever asks has seen it; 409 when it was
    /// changed since.
    pub async fn delete_scope_registry(&self, who: &Authentication, namespace: &str, seen_ms: Option<i64>) -> Result<Revision, ApiError> {
        self.auth.delete_scope_registry(who, namespace, seen_ms).await
    }

    /// The same as the session's person, who has to have proved a short while ago to be there: what was a high risk is one no more.
    pub async fn delete_scope_registry_from(
        &self,
        session: &Session,
        namespace: &str,
        seen_ms: i64,
    ) -> Result<Result<Revision, ApiError>, LoginError> {
        self.login.check_fresh(session)?;
        Ok(self.delete_scope_registry(&Authentication::person(&session.identity), namespace, Some(seen_ms)).await)
    }
}
