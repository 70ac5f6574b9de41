//! Signing out where an application asks for it (OpenID Connect RP-Initiated Logout 1.0).

use crate::grants::Grants;
use crate::oauth::request::parameters::Parameters;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    /// What the page calls the application that asks, if it is known.
    pub application: Option<String>,
    /// Where the browser goes afterwards.
    pub location: Option<String>,
    /// Whether an administrator has registered the application: nobody is sent on to another one who is not signed in (RFC 9700 section 4.11.2).
    pub is_trusted: bool,
}

impl Grants {
    /// Reads the query (without `?`), or a form. Errors are sentences for the page: nobody is sent anywhere then. `issuer` is Falconer's own origin.
    pub fn logout_request(&self, query: &str, issuer: &str) -> Result<LogoutRequest, String> {
        let parameters = Parameters::read(query).map_err(|error| error.to_string())?;
        let one = |name| parameters.one(name).map_err(|error| error.to_string());
        let hinted = match one("id_token_hint")? {
            None => None,
            Some(hint) => {
                let audience = self.own_claims(hint, issuer).and_then(|claims| claims.get("aud")?.as_str().map(str::to_owned));
                Some(audience.ok_or("The `id_token_hint` is no ID token of this server.")?)
            }
        };
        let id = match (one("client_id")?, hinted) {
            (Some(id), Some(hinted)) if id != hinted => return Err("The `id_token_hint` was made for another application.".to_owned()),
            (Some(id), _) => Some(id.to_owned()),
            (None, hinted) => hinted,
        };
        let application = match &id {
            None => None,
            Some(id) => Some(self.known_application(id).ok_or("No application of this `client_id` is registered.")?),
        };
        let location = match (one("post_logout_redirect_uri")?, &application) {
            (None, _) => None,
            (Some(_), None) => return Err("A `post_logout_redirect_uri` needs a `client_id` or an `id_token_hint`.".to_owned()),
            (Some(uri), Some(application)) => {
                let target = application.redirect(uri).filter(|target| !self.is_own(target));
                let target =
                    target.ok_or("The `post_logout_redirect_uri` is not one of the redirect URIs of the application, letter by letter.")?;
                let state = one("state")?.map(|state| format!("state={}", crate::delivery::redirect::encode_component(state)));
                let mode = crate::delivery::redirect::ResponseMode::Query;
                Some(state.map_or_else(|| target.href().to_owned(), |state| target.with_parameters(mode, &state)))
            }
        };
        let is_trusted = application.as_ref().is_none_or(|application| application.is_registered());
        Ok(LogoutRequest { is_trusted, application: application.map(|application| application.name().to_owned()), location })
    }
}
