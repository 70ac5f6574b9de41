//! `/me/grants/request?id=`: a person looks at what is asked for beyond a grant of theirs, and gives it or refuses.

use axum::response::Response;
use falconer_grants::{GRANT_REQUEST_PAGE, GrantRequest, Widening, encode_component};
use falconer_login::LoginError;

use crate::http::problem::Problem;
use crate::pages::granting::grant;
use crate::pages::visit::{Posted, Visit, go};
use crate::views::{AboveGrant, WidenedGrant, words};

/// `GET /me/grants/request?id=`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let id = visit.parameter("id").unwrap_or_default();
    let Some(session) = &visit.session else { return Ok(sign_in_first(&id)) };
    let request = visit.web.grants.widening_request(session, &id).await.map_err(refused)?;
    if request.widening().is_some_and(|widening| widening.answered) {
        return Err(refused(LoginError::NotFound("This request was answered already.".to_owned())));
    }
    grant::show(&visit, session, &request).await
}

/// `POST /me/grants/request`: what was pressed there. The id comes from the form, and is looked up once more.
pub(crate) async fn decide(form: Posted) -> Result<Response, Problem> {
    let request = url::form_urlencoded::parse(form.field("request").as_bytes());
    let id = request.into_iter().find(|(name, _)| name == "id").map(|(_, id)| id.into_owned()).unwrap_or_default();
    if form.visit.session.is_none() {
        // The session ended while the page was open.
        return Ok(sign_in_first(&id));
    }
    let session = form.session()?;
    let grants = &form.visit.web.grants;
    if form.ticked("cancel") {
        grants.refuse_widening(session, &id).await.map_err(refused)?;
        return Ok(go("/me/grants?done=refused"));
    }
    let request = grants.widening_request(session, &id).await.map_err(refused)?;
    grant::press(&form, &request).await
}

/// What the page says of the grant beyond which more is asked for.
pub(crate) fn widened(visit: &Visit, grant_request: &GrantRequest, widening: &Widening) -> WidenedGrant {
    let now_ms = visit.web.clock.now_ms();
    let grant = &widening.grant;
    WidenedGrant {
        reason: widening.reason.clone(),
        since: words::since(widening.requested_ms, now_ms),
        asked_at: words::date_time(widening.requested_ms),
        granted: words::since(grant.created_ms, now_ms),
        ends: words::until(grant.expires_ms, now_ms),
        called: grant.name.clone(),
        purpose: grant.purpose.clone(),
        chain: widening
            .above
            .iter()
            .map(|above| AboveGrant {
                granted: words::since(above.created_ms, now_ms),
                called: above.name.clone(),
                purpose: above.purpose.clone(),
            })
            .collect(),
        gives: widening.gives.clone(),
        only_time: grant_request.scopes.is_empty(),
    }
}

fn sign_in_first(id: &str) -> Response {
    let page = format!("{GRANT_REQUEST_PAGE}?id={}", encode_component(id));
    // What is longer is no id, and need not come back.
    let next = if id.len() > 100 { GRANT_REQUEST_PAGE } else { &page };
    go(&format!("/login?next={}", encode_component(next)))
}

fn refused(error: LoginError) -> Problem {
    Problem::from(error).with_link("/me/grants", "Go to your grants")
}
