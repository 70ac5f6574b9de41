//! Who visits a page, and what a form brought: what handlers take as arguments.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::RequestExt;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::response::Response;
use falconer_grants::encode_component;
use falconer_login::{Session, Visitor};
use http::header::{LOCATION, USER_AGENT};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use zeroize::{Zeroize as _, Zeroizing};

use crate::http::cookie::{self, Kind};
use crate::http::headers::Row;
use crate::http::only::is_of_kind;
use crate::http::problem::Problem;
use crate::http::same_origin;
use crate::pages::form_page::FormPage;
use crate::views::{LONGEST_SEARCH, Layout, OnwardPage, PersonLine, html};
use crate::{Peer, Web, client_address};

/// How long a browser keeps the cookie of forms. After a sign-in it is also what the browser is known by, so that somebody else's wrong passwords
/// do not count there.
pub(crate) const BROWSER_SECONDS: i64 = 60 * 24 * 3600;

/// The boxes of a list: a form has as many fields of this name as were ticked. It has each other field once, because a proxy could take another one of two
/// than Falconer does (docs/adr/0284).
const TICK: &str = "tick";
/// In front of the names of the fields of a form that goes round with a sign-in.
pub(crate) const KEPT: &str = "kept-";

/// As long as an address may be, in bytes.
const LONGEST_PATH: usize = 16 * 1024;
/// What people type into one line is no longer, in characters: no field of a form before a sign-in lets more through.
const LONGEST_LINE: usize = 300;

/// A form may have this many fields: as many scopes as any list may hold.
const MOST_FIELDS: usize = 10_000;

/// A request for a page, with whoever is signed in.
pub(crate) struct Visit {
    pub web: Arc<Web>,
    pub session: Option<Session>,
    /// Raw, without `?`.
    pub query: String,
    /// The cookie of forms before there is a session.
    pub form_cookie: Option<String>,
    pub address: IpAddr,
    pub user_agent: String,
    /// Whether the browser goes to this page now, as far as it says: not as a picture of another page, nor before anybody wants to see it.
    pub is_navigation: bool,
    /// Whether what asks says that nobody looks at the page now: HEAD, or a browser that fetches it before somebody wants it.
    pub looks_ahead: bool,
}

impl FromRequestParts<Arc<Web>> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Problem> {
        let origin = &web.settings.public_origin;
        let session = match cookie::read(&parts.headers, origin, Kind::Session) {
            Some(value) => web.login.session(value).await?,
            None => None,
        };
        let peer = parts.extensions.get::<Peer>();
        let agent = parts.headers.get(USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
        let header = |name| parts.headers.get(name).map(HeaderValue::as_bytes);
        let looks_ahead = parts.method == Method::HEAD || header("sec-purpose").or_else(|| header("purpose")).is_some();
        let may_navigate = parts.method == Method::GET && header("sec-fetch-mode").is_none_or(|mode| mode == b"navigate");
        Ok(Visit {
            is_navigation: may_navigate && !looks_ahead,
            looks_ahead,
            session,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            form_cookie: cookie::read(&parts.headers, origin, Kind::Form).map(str::to_owned),
            address: client_address(peer, &parts.headers, &web.settings.trusted_proxies),
            user_agent: String::from_utf8_lossy(agent).into_owned(),
            web: Arc::clone(web),
        })
    }
}

impl Visit {
    /// The frame of the page.
    pub(crate) fn layout(&self) -> Layout {
        let origin = &self.web.settings.public_origin;
        match &self.session {
            Some(session) => Layout::signed_in(origin, display_name(session)),
            None => Layout::anonymous(origin),
        }
    }

    /// A parameter of the query, decoded; the first of several.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// What is searched for by a parameter of the query.
    pub(crate) fn searched(&self, name: &str) -> String {
        searched(&self.parameter(name).unwrap_or_default())
    }

    /// Where somebody signs in from.
    pub(crate) fn visitor(&self) -> Visitor<'_> {
        Visitor { address: self.address, user_agent: &self.user_agent, browser: self.form_cookie.as_deref() }
    }

    /// The hidden field that goes with the cookie of forms before there is a session, and the cookie, if the browser has none yet.
    pub(crate) fn form_token(&self) -> (String, Option<HeaderValue>) {
        let (token, cookie, _) = self.form_token_and_browser();
        (token, cookie)
    }

    /// The same, and the value of the cookie.
    pub(crate) fn form_token_and_browser(&self) -> (String, Option<HeaderValue>, String) {
        let form = self.web.login.anonymous_form(self.form_cookie.as_deref());
        let has_it = self.form_cookie.as_deref() == Some(form.cookie_value.as_str());
        let cookie = || cookie::set(&self.web.settings.public_origin, Kind::Form, &form.cookie_value, Some(BROWSER_SECONDS)).ok();
        let cookie = if has_it { None } else { cookie() };
        (form.token, cookie, form.cookie_value)
    }
}

/// The one parameter of a path. Bytes that are no text name nothing.
pub(crate) struct PathText(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        Ok(PathText(text))
    }
}

/// What is searched for, as far as the field for it takes it.
pub(crate) fn searched(text: &str) -> String {
    text.trim().chars().take(LONGEST_SEARCH).collect()
}

/// Who is signed in, as pages say it.
pub(crate) fn person_line(session: &Session) -> PersonLine {
    PersonLine { name: display_name(session).to_owned(), identity: session.person.identity.clone() }
}

fn display_name(session: &Session) -> &str {
    let person = &session.person;
    if person.display_name.trim().is_empty() { &person.identity } else { &person.display_name }
}

/// A form that one of our own pages sent, with whoever sent it. Taking it as an argument is what checks its origin.
pub(crate) struct Posted {
    pub visit: Visit,
    page: FormPage,
    /// Some hold passwords: they are wiped when the form is done with.
    fields: Vec<(String, Zeroizing<String>)>,
}

impl FromRequest<Arc<Web>> for Posted {
    type Rejection = Problem;

    async fn from_request(mut request: Request, web: &Arc<Web>) -> Result<Self, Problem> {
        if !same_origin::is_own_page(request.headers(), &web.settings.public_origin) {
            return Err(Problem::foreign_form(&web.settings.public_origin));
        }
        let visit = request.extract_parts_with_state::<Visit, _>(web).await?;
        if !is_of_kind(request.headers(), b"application/x-www-form-urlencoded") {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "That is no form", "Use the form on the page."));
        }
        let (parts, body) = request.into_parts();
        let page = FormPage::read(&parts, &web.settings.public_origin);
        let limited = Limited::new(body, web.settings.limits.form_body_bytes);
        let body = match limited.collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Problem::too_large()),
            Err(_) => return Err(Problem::too_slow()),
        };
        if body.split(|byte| *byte == b'&').count() > MOST_FIELDS {
            return Err(Problem::too_large());
        }
        let fields: Vec<(String, Zeroizing<String>)> =
            url::form_urlencoded::parse(&body).map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned()))).collect();
        // As far as it is ours alone.
        if let Ok(mut body) = body.try_into_mut() {
            body.as_mut().zeroize();
        }
        let mut names = HashSet::new();
        if fields.iter().any(|(name, _)| !is_of_a_list(name) && !names.insert(name.as_str())) {
            return Err(Problem::field_twice());
        }
        Ok(Posted { visit, page, fields })
    }
}

/// Whether a form may have several fields of this name: the boxes of a list, also where the form goes round with a sign-in.
fn is_of_a_list(name: &str) -> bool {
    name.strip_prefix(KEPT).unwrap_or(name) == TICK
}

impl Posted {
    /// A field; empty when the form has none of this name.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// What was typed into one line, to be shown again; empty where it is longer than anything that can be typed. Forms of strangers may have much more.
    pub(crate) fn typed(&self, name: &str) -> String {
        let text = self.field(name);
        if text.chars().nth(LONGEST_LINE).is_none() { text.to_owned() } else { String::new() }
    }

    /// All fields, in their order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The boxes of a list that were ticked.
    pub(crate) fn ticks(&self) -> Vec<String> {
        self.fields.iter().filter(|(key, _)| key == TICK).map(|(_, value)| value.as_str().to_owned()).collect()
    }

    /// Whether the one box of this name was ticked.
    pub(crate) fn ticked(&self, name: &str) -> bool {
        self.field(name) == "yes"
    }

    /// The session that the form belongs to: its token is in the form. Where it has ended, signing in leads back to the page of the form.
    pub(crate) fn session(&self) -> Result<&Session, Problem> {
        let Some(session) = &self.visit.session else { return Err(signed_out(&self.page.of(|name| self.field(name)))) };
        if session.owns_form(self.field("csrf")) { Ok(session) } else { Err(Problem::foreign_form(&self.visit.web.settings.public_origin)) }
    }

    /// Whether a form before there is a session goes with the browser's cookie.
    pub(crate) fn has_form_token(&self) -> bool {
        let cookie = self.visit.form_cookie.as_deref().unwrap_or_default();
        self.visit.web.login.anonymous_form_is_ours(cookie, self.field("form"))
    }
}

/// The session has ended in which something was to be done: signing in leads on to a path of ours.
pub(crate) fn signed_out(next: &str) -> Problem {
    Problem::signed_out().with_link(format!("/login?next={}", encode_component(own_path(next))), "Sign in")
}

/// After a form: another page of ours. `path` begins with a single slash.
pub(crate) fn go(path: &str) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, location);
    Row::Page.apply(response.headers_mut());
    response
}

/// After a form, to where the person was on their way. Browsers hold every redirect after a form to the policy of the page with the form, and a page on which
/// somebody says who they are may lead nowhere else. So what may lead to another site is gone to from a page of its own, by which no form is bound (ADR 191).
pub(crate) fn go_after_form(layout: Layout, path: &str) -> Response {
    let path = own_path(path);
    if may_lead_away(path) {
        return html(StatusCode::OK, Row::Page, &OnwardPage { layout, next: path.to_owned() });
    }
    go(path)
}

/// Whether one of our paths may be answered with a redirect to another site: to an application, or to a provider.
fn may_lead_away(path: &str) -> bool {
    // As a browser reads it.
    let Ok(url) = url::Url::parse("http://localhost").and_then(|here| here.join(path)) else { return true };
    match url.path() {
        "/login" => true,
        // Whoever is not signed in is sent to that provider.
        "/" => url.query_pairs().any(|(name, _)| name == "provider"),
        path => path.starts_with("/login/"),
    }
}

/// A path of ours with its query, as a form or a link may bring it back; anything else is `/`, and what is longer than an address may be.
pub(crate) fn own_path(text: &str) -> &str {
    let inside = text.len() <= LONGEST_PATH && text.strip_prefix('/').is_some_and(|rest| !rest.starts_with(['/', '\\']));
    if inside && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') { text } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_PATH, may_lead_away, own_path};

    #[test]
    fn what_may_lead_to_another_site_is_known() {
        for away in [
            "/login/oauth/authorize?client_id=wiki",
            "/login/oauth/logout",
            "/login/github?for=link",
            "/login?provider=github",
            "/auth/../login/oauth/authorize",
            "/?target=https%3A%2F%2Fa.example&provider=github",
        ] {
            assert!(may_lead_away(away), "{away}");
        }
        for here in
            ["/", "/?target=https%3A%2F%2Fa.example&description=", "/me/password", "/auth/people?q=%2Flogin%2F", "/me/again#/login/"]
        {
            assert!(!may_lead_away(here), "{here}");
        }
    }

    #[test]
    fn only_paths_of_ours_are_gone_to() {
        for kept in ["/", "/?target=https%3A%2F%2Fa.example&description=", "/me/password"] {
            assert_eq!(own_path(kept), kept);
        }
        for refused in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "/a b", "javascript:alert(1)", "/a\\b", "\\/a", "/é"]
        {
            assert_eq!(own_path(refused), "/", "{refused}");
        }
        assert_eq!(own_path(&format!("/{}", "a".repeat(LONGEST_PATH))), "/");
    }
}
