//! What a person would grant to a site now and has not granted to it last time.
//!
//! Nobody types the name of a site again that they know. Where no script tells how long the page was visible, one press on a page that nobody has looked at could
//! grant something new. So what is new is shown by itself, and a second press is needed.

use falconer_login::{Session, fingerprint};
use falconer_scopes::ScopeSet;

use crate::error::GrantError;
use crate::grants::Grants;
use crate::records::granted::ScopeGroup;

/// What is new since the last grant to the same site; everything, where there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// By service, in words.
    pub gives: Vec<ScopeGroup>,
    /// Who would newly learn who the person is.
    pub identity_for: Vec<String>,
    /// Goes into the form as it is ([`crate::Choices::news`]).
    pub shown: String,
}

/// What a person has given to a site the last time.
#[derive(Default)]
pub(crate) struct LastGrant {
    pub(crate) scopes: ScopeSet,
    /// To whom it told who they are.
    pub(crate) identity_for: Vec<String>,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
}

impl Grants {
    /// What is new in a grant of these scopes to this origin, if anything is.
    pub(crate) async fn news(
        &self,
        session: &Session,
        origin: &str,
        scopes: &ScopeSet,
        identity_for: &[String],
    ) -> Result<Option<News>, GrantError> {
        let LastGrant { scopes: before, identity_for: identified_to, .. } = self.granted_last(session, origin).await?.unwrap_or_default();
        let new: Vec<&str> = scopes.iter().filter(|scope| !before.satisfies(scope)).collect();
        let identity_for: Vec<String> = identity_for.iter().filter(|origin| !identified_to.contains(origin)).cloned().collect();
        if new.is_empty() && identity_for.is_empty() {
            return Ok(None);
        }
        let shown = fingerprint(new.iter().copied().chain(["identity"]).chain(identity_for.iter().map(String::as_str)));
        Ok(Some(News { gives: self.words().group(new), identity_for, shown }))
    }

    /// What the last grant to this origin gave; `None` where there was none.
    pub(crate) async fn granted_last(&self, session: &Session, origin: &str) -> Result<Option<LastGrant>, GrantError> {
        // One that the person took back is nothing to go by.
        let last = self.store.last_grant_to(&session.person.identity, origin).await.map_err(|error| self.read_error(error))?;
        Ok(last.map(|grant| LastGrant { scopes: ScopeSet::new(&grant.scopes), identity_for: grant.identity_for, at_ms: grant.created_ms }))
    }
}
