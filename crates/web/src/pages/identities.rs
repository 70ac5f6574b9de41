//! A person's identities: linking another account, unlinking one, and which of them names what is new.

use axum::response::Response;
use falconer_login::{LinkError, LinkOffer, LoginError, OwnProof, Session};
use http::StatusCode;

use super::visit::{Posted, Visit, go};
use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::console::records::sign_in;
use crate::pages::me;
use crate::pages::refusal::ForNow;
use crate::pages::sign_in::login;
use crate::pages::sign_in::reauthentication::{self, KeptForm};
use crate::views::{Family, IdentitiesPage, LinkConfirmPage, LinkPage, ProviderButton, UnlinkPage, html};

/// `GET /auth/identities`: what is linked, and what could be.
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(go("/login?next=/auth/identities")) };
    let providers = visit.web.login.providers().iter();
    let page = IdentitiesPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        form_time: visit.web.login.form_time(session),
        identities: me::identities(session),
        providers: providers
            .map(|provider| ProviderButton { label: provider.label.clone(), href: format!("/login/{}?for=link", provider.name) })
            .collect(),
        is_pending: visit.web.login.link_offer(session).await?.is_some(),
    };
    Ok(html(StatusCode::OK, Row::Page, &page))
}

/// `GET /me/link`: what was proven is to be confirmed, or else both accounts prove who they are.
pub(crate) async fn show_link(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(go("/login?next=/me/link")) };
    Ok(match visit.web.login.link_offer(session).await? {
        Some(offer) => confirm_page(&visit, session, offer, StatusCode::OK, None),
        None => match visit.web.login.own_proof(session) {
            Err(LoginError::SignInAgain) => reauthentication::first("/me/link"),
            proof => link_page(&visit, session, StatusCode::OK, proof?, String::new(), None),
        },
    })
}

/// `POST /me/link`
pub(crate) async fn begin_link(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let name = form.field("name");
    let proof = match visit.web.login.own_proof(session) {
        Err(LoginError::SignInAgain) => return Ok(reauthentication::first("/me/link")),
        proof => proof?,
    };
    let show_again = |status, error: String| Ok(link_page(visit, session, status, proof, name.to_owned(), Some(error)));
    let own = if let OwnProof::Password(_) = proof { form.field("own_password") } else { "not asked for" };
    if [own, name, form.field("password")].iter().any(|field| field.is_empty()) {
        return show_again(StatusCode::BAD_REQUEST, "Enter your password, and name and password of the other account.".to_owned());
    }
    let visitor = visit.visitor();
    let begun = visit.web.login.begin_link(session, own, name, form.field("password"), &visitor);
    match begun.await {
        Ok(()) => Ok(go("/me/link")),
        Err(LinkError::OwnPassword) => show_again(StatusCode::FORBIDDEN, format!("Your password as {} is wrong.", session.identity)),
        Err(LinkError::Other(LoginError::WrongPassword)) => {
            show_again(StatusCode::FORBIDDEN, "The name or the password of the other account is wrong.".to_owned())
        }
        Err(LinkError::Other(LoginError::Conflict(text))) => show_again(StatusCode::CONFLICT, sentence(&text)),
        Err(LinkError::Other(LoginError::SignInAgain)) => Ok(reauthentication::first("/me/link")),
        Err(LinkError::Other(error)) => {
            let for_now = ForNow::of(error)?;
            Ok(for_now.on(link_page(visit, session, for_now.status, proof, name.to_owned(), Some(for_now.text.clone()))))
        }
    }
}

/// `POST /me/link/confirm`: the browser goes on with another session.
pub(crate) async fn confirm_link(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let (visit, identity) = (&form.visit, form.field("identity"));
    let login = &visit.web.login;
    match login.confirm_link(session, identity, form.field("form_time"), &visit.visitor()).await {
        Ok(signed_in) => login::begin(visit, &signed_in, "/?done=linked").await,
        Err(error @ LoginError::TooSoon) => match login.link_offer(session).await? {
            Some(offer) => Ok(confirm_page(visit, session, offer, StatusCode::BAD_REQUEST, Some(error.to_string()))),
            None => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// `POST /me/link/cancel`
pub(crate) async fn cancel_link(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    form.visit.web.login.cancel_link(session).await?;
    Ok(go("/?done=not-linked#identities"))
}

/// `GET /me/unlink?identity=`
pub(crate) async fn show_unlink(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, "/me/unlink")) };
    unlink_page(&visit, session, &visit.parameter("identity").unwrap_or_default(), StatusCode::OK, None)
}

/// `POST /me/unlink`
pub(crate) async fn unlink(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let (visit, identity) = (&form.visit, form.field("identity"));
    match visit.web.login.unlink(session, identity, form.field("form_time")).await {
        Ok(()) if identity == session.identity => Ok(login::forget(&visit.web.settings.public_origin, "/login?done=signed-out")),
        Ok(()) => Ok(go("/?done=unlinked#identities")),
        Err(LoginError::SignInAgain) => reauthentication::keep(&form, session, KeptForm::Unlink).await,
        Err(error @ LoginError::TooSoon) => unlink_page(visit, session, identity, StatusCode::BAD_REQUEST, Some(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// `POST /me/name`
pub(crate) async fn choose_name(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    match form.visit.web.login.choose_name(session, form.field("identity"), form.field("form_time")).await {
        Err(LoginError::SignInAgain) => reauthentication::keep(&form, session, KeptForm::Name).await,
        chosen => chosen.map(|()| go("/?done=named#identities")).map_err(Into::into),
    }
}

fn link_page(visit: &Visit, session: &Session, status: StatusCode, proof: OwnProof<'_>, name: String, error: Option<String>) -> Response {
    let page = LinkPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        own: matches!(proof, OwnProof::Password(_)).then(|| session.identity.clone()),
        name,
        error,
    };
    html(status, Row::Page, &page)
}

fn confirm_page(visit: &Visit, session: &Session, offer: LinkOffer, status: StatusCode, error: Option<String>) -> Response {
    let page = LinkConfirmPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        form_time: visit.web.login.form_time(session),
        own: session.person.identities(),
        other: offer.other.identity,
        other_name: offer.other.display_name,
        gained: Family::sort(offer.gained.iter(), ""),
        given: Family::sort(offer.given.iter(), ""),
        error,
    };
    html(status, Row::Page, &page)
}

fn unlink_page(visit: &Visit, session: &Session, identity: &str, status: StatusCode, error: Option<String>) -> Result<Response, Problem> {
    let person = &session.person;
    let others: Vec<String> = person.identities().into_iter().filter(|other| other != identity).collect();
    if !person.has(identity) || others.is_empty() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "That is not linked", "You have no such identity, or no other one.")
            .with_link("/", "Go to your own page"));
    }
    let page = UnlinkPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        form_time: visit.web.login.form_time(session),
        identity: identity.to_owned(),
        others,
        signs_out: identity == session.identity,
        error,
    };
    Ok(html(status, Row::Page, &page))
}
