//! The page behind a link for a password. It signs nobody in: whoever has set a password signs in with it.

use axum::response::Response;
use falconer_login::{AccountLinkKind, LoginError};
use http::StatusCode;
use http::header::SET_COOKIE;

use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::visit::{Posted, Visit, go};
use crate::views::people::PasswordLinkPage;
use crate::views::{Layout, html};

/// `GET /password-link?token=`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let token = visit.parameter("token").unwrap_or_default();
    page(&visit, StatusCode::OK, &token, None).await
}

/// `POST /password-link`: sets the password.
pub(crate) async fn set(form: Posted) -> Result<Response, Problem> {
    let (visit, token) = (&form.visit, form.field("token"));
    if !form.has_form_token() {
        let error = "That form was too old, or your browser takes no cookies. Please try once more.";
        return page(visit, StatusCode::FORBIDDEN, token, Some(error.to_owned())).await;
    }
    let password = form.field("password");
    if password != form.field("repeat") {
        return page(visit, StatusCode::BAD_REQUEST, token, Some("The two passwords differ.".to_owned())).await;
    }
    match visit.web.login.use_account_link(token, password).await {
        Ok(()) => Ok(go("/login?done=password-set")),
        Err(LoginError::Invalid(text)) => page(visit, StatusCode::BAD_REQUEST, token, Some(sentence(&text))).await,
        Err(LoginError::Conflict(_)) => Err(over(visit)),
        Err(error) => Err(error.into()),
    }
}

fn over(visit: &Visit) -> Problem {
    let next = "Links for a password work once, and for a while.";
    let over = |next: String| Problem::new(StatusCode::GONE, "This link is used or over", next);
    if visit.web.login.mails_links() {
        return over(format!("{next} Ask for another one here, or whoever gave it to you."))
            .with_link("/login/forgotten", "Ask for another link");
    }
    over(format!("{next} Ask whoever gave it to you for another one.")).with_link("/login", "Sign in")
}

async fn page(visit: &Visit, status: StatusCode, token: &str, error: Option<String>) -> Result<Response, Problem> {
    let Some(offered) = visit.web.login.account_link(token).await? else { return Err(over(visit)) };
    let (form, cookie) = visit.form_token();
    let page = PasswordLinkPage {
        // Somebody else may be signed in: the page is about the link.
        layout: Layout::anonymous(&visit.web.settings.public_origin),
        form,
        token: token.to_owned(),
        name: offered.name,
        display_name: offered.display_name,
        is_invitation: offered.kind == AccountLinkKind::Invitation,
        error,
    };
    let mut response = html(status, Row::Page, &page);
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}
