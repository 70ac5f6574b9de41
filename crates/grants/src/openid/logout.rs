//! Signing out where an application asks for it (OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use crate::applications::application::Application;
use crate::delivery::redirect::{ResponseMode, encode_component};
use crate::grants::Grants;
use crate::oauth::request::parameters::Parameters;
use crate::oauth::request::refusal::{NOT_REGISTERED, Unanswerable};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    /// The application that asks, if the request says which. Anybody can write one.
    pub application: Option<Arc<Application>>,
    /// Where the browser goes afterwards.
    pub location: Option<String>,
    /// Whether an administrator has registered the application: nobody is sent on to another one who is not signed in (RFC 9700 section 4.11.2).
    pub is_trusted: bool,
    /// The query that asks for the same, as our own pages carry it: without the ID token, which would stand in the history of the browser and in logs.
    pub canonical: String,
}

impl Grants {
    /// Reads the query (without `?`), or a form. Errors are for the page: nobody is sent anywhere then. `issuer` is Falconer's own origin.
    pub fn logout_request(&self, query: &str, issuer: &str) -> Result<LogoutRequest, Unanswerable> {
        let parameters = Parameters::read(query)?;
        let one = |name| parameters.one(name).map_err(Unanswerable::from);
        let id = match (one("client_id")?, self.hinted_application(one("id_token_hint")?, issuer)) {
            (Some(id), Ok(Some(hinted))) if id != hinted => {
                return Err(Unanswerable::wrong("The `id_token_hint` was made for another application."));
            }
            // A hint that can't be read says nothing beside it: its key may be gone.
            (Some(id), _) => Some(id.to_owned()),
            (None, hinted) => hinted?,
        };
        let application = match &id {
            None => None,
            Some(id) => Some(self.known_application(id).ok_or_else(|| Unanswerable::unregistered(NOT_REGISTERED))?),
        };
        let (uri, state) = (one("post_logout_redirect_uri")?, one("state")?);
        let location = match (uri, &application) {
            (None, _) => None,
            (Some(_), None) => {
                return Err(Unanswerable::wrong("A `post_logout_redirect_uri` needs a `client_id` or an `id_token_hint`."));
            }
            (Some(uri), Some(application)) => {
                let target = application.redirect(uri).filter(|target| !self.is_own(target)).ok_or_else(|| {
                    Unanswerable::wrong(
                        "The `post_logout_redirect_uri` is not one of the redirect URIs of the application, letter by letter.",
                    )
                })?;
                let state = state.map(|state| format!("state={}", encode_component(state)));
                Some(state.map_or_else(|| target.href().to_owned(), |state| target.with_parameters(ResponseMode::Query, &state)))
            }
        };
        let said = [("client_id", id.as_deref()), ("post_logout_redirect_uri", uri), ("state", state)];
        let said = said.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", encode_component(value?))));
        let is_trusted = application.as_ref().is_none_or(|application| application.is_registered());
        Ok(LogoutRequest { application, location, is_trusted, canonical: said.collect::<Vec<_>>().join("&") })
    }

    /// For which application an ID token was made. Errors: it can't be read.
    fn hinted_application(&self, hint: Option<&str>, issuer: &str) -> Result<Option<String>, Unanswerable> {
        let Some(hint) = hint else { return Ok(None) };
        let audience = self.own_claims(hint, issuer).and_then(|claims| claims.get("aud")?.as_str().map(str::to_owned));
        let unread = "The `id_token_hint` is no ID token of this server, or one whose key has long been replaced.";
        audience.map(Some).ok_or_else(|| Unanswerable::wrong(unread))
    }
}
