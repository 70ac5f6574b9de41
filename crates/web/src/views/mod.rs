//! What the templates show: plain values, no use cases. One file a page, each with named samples that tests render.
//!
//! To add a page: a struct here with its template, `samples()` in its tests, a line in the list of `samples`.

mod console;
mod error;
mod granting;
mod identities;
pub mod markdown;
mod me;
#[cfg(test)]
mod samples;
mod sign_in;
pub(crate) mod words;

pub(crate) use console::{
    AffectedKind, Change, ConfirmPage, Draft, HistoryRow, Kind, PlanPage, RecordFormPage, RecordPage, RecordRow, RecordsPage,
};
pub(crate) use error::{ErrorPage, pieces};
pub(crate) use granting::{
    Bundle, Confirm, GrantPage, Group, IdentityLine, Lifetime, Line, NewsPage, NothingGrantedPage, Site, TokenPage, ToolClientPage, Words,
};
pub(crate) use identities::{IdentityRow, LinkConfirmPage, LinkPage, UnlinkPage};
pub(crate) use me::{Family, GrantRow, MePage, OriginRow, SessionRow};
pub(crate) use sign_in::{LoginPage, PasswordPage, ProviderButton, SetupPage};

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use crate::PublicOrigin;
use crate::http::headers::Row;
use crate::pages::assets;

/// What the frame of every page needs.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub authority: String,
    pub style: &'static str,
    pub icon: &'static str,
    /// The name of whoever is signed in.
    pub account: Option<String>,
}

impl Layout {
    pub(crate) fn anonymous(origin: &PublicOrigin) -> Self {
        Layout { authority: origin.authority().to_owned(), style: assets::style(), icon: assets::icon(), account: None }
    }

    pub(crate) fn signed_in(origin: &PublicOrigin, name: &str) -> Self {
        Layout { account: Some(name.to_owned()), ..Layout::anonymous(origin) }
    }
}

/// Who is signed in, as pages say it.
#[derive(Clone, Debug)]
pub(crate) struct PersonLine {
    pub name: String,
    /// `local/ann`
    pub identity: String,
}

/// A page with the headers of its row.
pub(crate) fn html(status: StatusCode, row: Row, page: &impl Template) -> Response {
    let (status, text) = match page.render() {
        Ok(text) => (status, text),
        Err(error) => {
            tracing::error!(%error, "a template failed");
            (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.".to_owned())
        }
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    row.apply(response.headers_mut());
    response
}
