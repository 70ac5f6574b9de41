//! `/`: the grant page when a site asks, else the person's own page, or sign-in before either.

use axum::response::Response;
use falconer_grants::{encode_component, request};
use http::StatusCode;

use super::visit::{Visit, go};
use super::{grant, me};
use crate::http::problem::{Problem, sentence};

/// `GET /`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    match request::parse(&visit.query, visit.web.clock.now_ms()) {
        Err(error) => Err(malformed(&error.to_string())),
        Ok(Some(grant_request)) => match &visit.session {
            // The query comes along, so that sign-in leads back here.
            None => {
                let hint = visit.parameter("provider").map(|name| format!("&provider={}", encode_component(&name))).unwrap_or_default();
                Ok(go(&format!("/login?{}{hint}", grant_request.canonical_query())))
            }
            Some(session) => grant::show(&visit, session, &grant_request).await,
        },
        Ok(None) => match &visit.session {
            None => Ok(go("/login")),
            Some(session) => me::page(&visit, session).await,
        },
    }
}

/// A request that is malformed gets this page, and no redirect anywhere.
pub(super) fn malformed(why: &str) -> Problem {
    let next = format!("The site that sent you here made a mistake. {} Nothing was given to it; tell its author.", sentence(why));
    Problem::new(StatusCode::BAD_REQUEST, "This request can't be granted", next).with_link("/", "Go to your own page")
}
