//! `/login/oauth/authorize`: the grant page for an application, and what is pressed there.

use axum::response::Response;
use falconer_grants::{AuthorizationError, GrantRequest};
use http::StatusCode;

use crate::http::problem::{Problem, sentence};
use crate::pages::granting::{grant, sign_in_first};
use crate::pages::visit::{Posted, Visit};

/// `GET /login/oauth/authorize`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let request = match authorization(&visit, &visit.query) {
        Ok(request) => request,
        Err(error) => return refused(error),
    };
    match &visit.session {
        None => Ok(sign_in_first(&request)),
        Some(session) => grant::show(&visit, session, &request).await,
    }
}

/// `POST /login/oauth/authorize/decision`: the request comes from the form, and is checked as if it had just come.
pub(crate) async fn decision(form: Posted) -> Result<Response, Problem> {
    if form.visit.session.is_some() {
        form.session()?;
    }
    let request = match authorization(&form.visit, form.field("request")) {
        Ok(request) => request,
        Err(error) => return refused(error),
    };
    if form.ticked("cancel") { grant::give_up(&form, &request) } else { grant::press(&form, &request).await }
}

/// What an application asks for.
pub(crate) fn authorization(visit: &Visit, query: &str) -> Result<GrantRequest, AuthorizationError> {
    visit.web.grants.authorization(query, visit.web.settings.public_origin.as_str())
}

/// Where it is not known to whom the answer belongs, a page says so, and nobody is sent anywhere.
fn refused(error: AuthorizationError) -> Result<Response, Problem> {
    match error {
        AuthorizationError::Told(location) => grant::deliver(&location),
        AuthorizationError::Unknown(why) => {
            let next =
                format!("The application that sent you here made a mistake. {} Nothing was given to it; tell its author.", sentence(&why));
            Err(Problem::new(StatusCode::BAD_REQUEST, "This request can't be granted", next).with_link("/", "Go to your own page"))
        }
    }
}
