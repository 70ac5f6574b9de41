//! What the templates show: plain values, no use cases. One file a page, each with named samples that tests render.
//!
//! To add a page: a struct here with its template, `samples()` in its tests, a line in the list of `samples`.

mod applications;
mod console;
mod error;
mod granting;
mod grants;
mod identities;
mod initial_tokens;
pub mod markdown;
mod me;
pub(crate) mod people;
#[cfg(test)]
mod samples;
mod sign_in;
pub(crate) mod words;

pub(crate) use applications::{ApplicationDraft, ApplicationFormPage, ApplicationPage, ApplicationSecretPage};
pub(crate) use console::{
    AffectedKind, AuditPage, AuditRow, Change, ConfirmField, ConfirmPage, Draft, EvaluatedScopeRow, ExplainedView, HistoryRow, HolderRow,
    Holders, Kind, PlanPage, RecordFormPage, RecordHistory, RecordPage, RecordRow, RecordsPage, RefusalRow, RefusalsPage, RegistriesPage,
    RegistryRow, ScopeEvaluationView, ScopesPage,
};
pub(crate) use error::{ErrorPage, pieces};
pub(crate) use granting::{
    AboveGrant, Bundle, Confirm, DeviceDonePage, DevicePage, DocumentedSite, GrantPage, Group, IdentityLine, Lifetime, Line, LogoutAsker,
    LogoutPage, NewsPage, NothingGrantedPage, Others, RegisteredItself, Remember, RequestingDevice, Search, Site, StarField, TokenPage,
    ToolClientPage, WidenedGrant, Words,
};
pub(crate) use grants::{DerivedRow, GrantsPage, GrantsRow, SiteRows, UnaskedRow, WaitingRow};
pub(crate) use identities::{IdentitiesPage, IdentityRow, LinkConfirmPage, LinkPage, UnlinkPage};
pub(crate) use initial_tokens::{InitialTokenDraft, InitialTokenPage, InitialTokenRow, InitialTokensPage};
pub(crate) use me::{Family, GrantRow, MePage, OriginRow, SessionRow};
#[cfg(test)]
pub(crate) use sign_in::PasskeyOffer;
pub(crate) use sign_in::{
    ContinuePage, DirectoryPage, EmailAddressPage, EmailCodePage, ForgottenPage, LoginPage, OnwardPage, PasskeyForm, PasskeyRow,
    PasskeysPage, PasswordPage, ProviderButton, ReauthenticationDonePage, ReauthenticationPage, RecoveryCodesPage, RecoveryPage, SetupPage,
};

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use zeroize::Zeroizing;

use crate::PublicOrigin;
use crate::http::headers::Row;
use crate::length::Length;
use crate::pages::assets;

/// What is searched for may be this long, in characters.
pub(crate) const LONGEST_SEARCH: usize = 200;

/// What the frame of every page needs.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub authority: String,
    pub style: &'static str,
    pub icon: &'static str,
    /// What asks for a passkey, where a page does.
    pub passkey_script: &'static str,
    /// The name of whoever is signed in.
    pub account: Option<String>,
}

impl Layout {
    pub(crate) fn anonymous(origin: &PublicOrigin) -> Self {
        Layout {
            authority: origin.authority().to_owned(),
            style: assets::style(),
            icon: assets::icon(),
            passkey_script: assets::passkey(),
            account: None,
        }
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
    match page.render() {
        Ok(text) => with_headers(status, row, Body::from(text)),
        Err(error) => failed(row, &error),
    }
}

/// The same for a page that shows a secret: written into one piece of memory, which is wiped once it was sent.
pub(crate) fn secret_html(row: Row, page: &impl Template) -> Response {
    let mut length = Length::default();
    let mut text = Zeroizing::new(String::new());
    let written = page.render_into(&mut length).and_then(|()| {
        text.reserve_exact(length.0);
        page.render_into(&mut *text)
    });
    match written {
        Ok(()) => with_headers(StatusCode::OK, row, Body::from(Bytes::from_owner(text))),
        Err(error) => failed(row, &error),
    }
}

fn failed(row: Row, error: &askama::Error) -> Response {
    tracing::error!(%error, "a template failed");
    with_headers(StatusCode::INTERNAL_SERVER_ERROR, row, Body::from("Something went wrong on our side."))
}

fn with_headers(status: StatusCode, row: Row, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    row.apply(response.headers_mut());
    response
}
