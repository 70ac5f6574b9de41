//! A request that is answered without the page: the person has let the application go unasked for a while, or an administrator has said that nobody needs to be
//! asked. It is a grant like any other.

use falconer_auth::{ApiError, HOUR_MS};
use falconer_login::{LoginError, Session};
use falconer_scopes::ScopeSet;

use crate::consent::broad::Expansions;
use crate::consent::request::GrantRequest;
use crate::consent::selection::{Selection, Ticks};
use crate::delivery::application::{Delivery, OAuthDelivery};
use crate::error::GrantError;
use crate::grants::Grants;
use crate::records::grant::{Choices, Granted, hash_of};

/// Pages of others can lead a browser here: after so many grants to one site within an hour the person is asked, who sees what is going on.
const MOST_AN_HOUR: usize = 30;

impl Grants {
    /// Grants all that is asked for and that the person has. `None`: they have to be asked. `once_made` as of [`Grants::grant`].
    pub async fn grant_unasked(
        &self,
        session: &Session,
        request: &GrantRequest,
        once_made: impl FnOnce(i64) + Send + 'static,
    ) -> Result<Option<Granted>, GrantError> {
        // Who shows a code to a device may be somebody else, and a site that nobody registered is not known by anything.
        let Delivery::OAuth(to) = &request.delivery else { return Ok(None) };
        let settings = &to.application.settings;
        if to.is_to_be_asked || (settings.remember_ms == 0 && !settings.skip_consent) {
            return Ok(None);
        }
        let directory = self.auth.directory();
        let words = self.words_in(&directory);
        let expand = |scopes: &[&str]| directory.expand(scopes);
        let expansions = Expansions::new(&expand, &words);
        let mut offer = self.offer_in(session, request, expansions).await?;
        let keys: Vec<String> = offer.lines.iter().filter(|line| !line.lacking).map(|line| line.key.clone()).collect();
        let Some(selection) = Selection::new(&mut offer, &Ticks { keys: &keys, everything: false, broad: false }, &expansions) else {
            return Ok(None);
        };
        let gives_nothing = selection.scopes.is_empty() && offer.identity_line.is_none();
        if gives_nothing || !selection.taken_away.is_empty() {
            return Ok(None);
        }
        let is_broad = expansions.holds_broad(&selection.scopes);
        let Some(life_ms) = self.unasked_life_ms(session, request, to, &selection.scopes, is_broad).await? else { return Ok(None) };
        // What is given away only by somebody who has just signed in is so here too, whatever was given last time.
        match self.check_fresh(session, &selection.scopes, &ScopeSet::default(), 0) {
            Err(LoginError::SignInAgain) => return Ok(None),
            checked => checked?,
        }
        if self.is_often(session, request).await? {
            return Ok(None);
        }
        let choices =
            Choices { nonce: self.new_nonce(), lifetime_ms: offer.default_lifetime_ms.min(life_ms), ticked: keys, ..Choices::default() };
        let identity_for = offer.identity_line.iter().flat_map(|line| line.origins.clone()).collect();
        let hash = hash_of(request, &choices);
        let new = self.new_grant(session, request, &choices, &offer, selection, identity_for, hash);
        match self.make(new, directory.scope_registries(), once_made).await {
            Ok(issued) => Ok(Some(self.deliver(session, request, &issued.grant).await?)),
            // What they may do has changed at this moment.
            Err(ApiError::RequestConflict(_) | ApiError::InsufficientScopes { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// For how long at most the application gets these scopes unasked. `None`: it does not.
    async fn unasked_life_ms(
        &self,
        session: &Session,
        request: &GrantRequest,
        to: &OAuthDelivery,
        scopes: &ScopeSet,
        is_broad: bool,
    ) -> Result<Option<i64>, LoginError> {
        let settings = &to.application.settings;
        if settings.skip_consent && !is_broad {
            return Ok(Some(settings.max_life_ms));
        }
        Ok(self.consent_for(session, request, to, scopes).await?.map(|consent| consent.life_ms))
    }

    async fn is_often(&self, session: &Session, request: &GrantRequest) -> Result<bool, LoginError> {
        let (now_ms, origin) = (self.now_ms(), request.site().origin());
        let open = self.store.open_grants_of(&session.person.identity, now_ms).await.map_err(|error| self.read_error(error))?;
        let since_ms = now_ms.saturating_sub(HOUR_MS);
        // What an application derives takes nobody's browser anywhere.
        let by_browser = open.iter().filter(|grant| grant.parent.is_none() && grant.target_origin == origin);
        Ok(by_browser.filter(|grant| grant.created_ms > since_ms).count() >= MOST_AN_HOUR)
    }
}
