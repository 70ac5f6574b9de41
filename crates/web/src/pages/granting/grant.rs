//! The grant page: a site asks, the person looks, chooses, and grants or cancels.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use falconer_grants::{Application, Choices, Delivery, GrantError, GrantRequest, LONGEST_NAME, News, Offer, place, request};
use falconer_login::{GrantedMail, LoginError, Session};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::granting::{Places, asks_for_groups, lines, sign_in_first, whole_place};
use crate::pages::home::malformed;
use crate::pages::sign_in::reauthentication;
use crate::pages::visit::{Posted, Visit, person_line, searched};
use crate::pages::widening;
use crate::views::markdown;
use crate::views::words;
use crate::views::{
    Confirm, DocumentedSite, GrantPage, IdentityLine, Lifetime, NewsPage, NothingGrantedPage, Others, RegisteredItself, Remember,
    RequestingDevice, Search, Site, html,
};

/// The page for a request that parses, and somebody who is signed in.
pub(crate) async fn show(visit: &Visit, session: &Session, grant_request: &GrantRequest) -> Result<Response, Problem> {
    let offer = visit.web.grants.offer(session, grant_request).await.map_err(refused)?;
    Ok(page(visit, session, grant_request, offer, Retry::default()))
}

/// `POST /grant`
pub(crate) async fn grant(form: Posted) -> Result<Response, Problem> {
    press(&form, &request_of(&form)?).await
}

/// Grant was pressed: everything comes from the form and is checked again; the redirect carries the answer.
pub(crate) async fn press(form: &Posted, grant_request: &GrantRequest) -> Result<Response, Problem> {
    let visit = &form.visit;
    if visit.session.is_none() {
        // The session ended while the page was open.
        return Ok(sign_in_first(grant_request));
    }
    let session = form.session()?;
    let choices = Choices {
        nonce: form.field("nonce").to_owned(),
        shown: form.field("shown").to_owned(),
        ticked: form.ticks(),
        narrowed: narrowed(form),
        name: form.field("grant_name").to_owned(),
        everything: form.ticked("everything"),
        broad: form.ticked("broad"),
        identity: form.ticked("identity"),
        lifetime_ms: form.field("lifetime").parse().unwrap_or_default(),
        form_time: form.field("form_time").to_owned(),
        visible_ms: form.field("visible_ms").parse().ok(),
        news: form.field("news").to_owned(),
        remember: form.ticked("remember"),
        typed_host: Some(form.field("typed_host").trim().to_owned()).filter(|typed| !typed.is_empty()),
    };
    let mut retry = Retry {
        error: None,
        typed: choices.typed_host.clone().unwrap_or_default(),
        wrong: None,
        nonce: Some(choices.nonce.clone()),
        name: choices.name.clone(),
        remember: choices.remember,
        find: searched(form.field("find")),
    };
    if form.ticked("search") {
        return search(visit, session, grant_request, &choices, retry).await;
    }
    let (status, offer) = match visit.web.grants.grant(session, grant_request, &choices, mail_about(visit, session, grant_request)).await {
        Ok(granted) => return deliver(&granted.location),
        Err(GrantError::Review { offer, reason }) => {
            retry.error = Some(reason.to_owned());
            (StatusCode::CONFLICT, offer)
        }
        Err(GrantError::Correct { offer, reason }) => {
            retry.error = Some(reason);
            (StatusCode::UNPROCESSABLE_ENTITY, offer)
        }
        Err(error @ GrantError::TooSoon(_)) => {
            retry.error = Some(error.to_string());
            let GrantError::TooSoon(offer) = error else { return Err(Problem::internal()) };
            (StatusCode::CONFLICT, offer)
        }
        Err(GrantError::News(news)) => return Ok(news_page(visit, session, grant_request, &choices, *news)),
        Err(GrantError::Login(LoginError::SignInAgain)) => {
            return reauthentication::keep(form, session, Places::of(grant_request).form).await;
        }
        Err(GrantError::HostNotTyped(offer)) => {
            retry.wrong = Some(match choices.typed_host {
                Some(_) => "That is not the name of this site. Compare it with the one in the title.",
                None => "Type the name of this site here.",
            });
            retry.error = Some("Nothing was granted yet: type the name of the site below to confirm.".to_owned());
            (StatusCode::UNPROCESSABLE_ENTITY, offer)
        }
        Err(GrantError::Nothing(offer)) => {
            retry.error = Some("Nothing was granted yet: tick at least one thing, or cancel.".to_owned());
            (StatusCode::UNPROCESSABLE_ENTITY, offer)
        }
        Err(error) => return Err(refused(error)),
    };
    let mut response = page(visit, session, grant_request, *offer, retry);
    *response.status_mut() = status;
    Ok(response)
}

/// The answer to a request for which nobody is asked; `None`: the person has to be. Only where the browser comes here for it.
pub(crate) async fn unasked(visit: &Visit, session: &Session, grant_request: &GrantRequest) -> Result<Option<Response>, Problem> {
    if !visit.is_navigation {
        return Ok(None);
    }
    let granted = visit.web.grants.grant_unasked(session, grant_request, mail_about(visit, session, grant_request)).await;
    granted.map_err(refused)?.map(|granted| deliver(&granted.location)).transpose()
}

/// Mails the person about the grant, once it is made.
fn mail_about(visit: &Visit, session: &Session, grant_request: &GrantRequest) -> impl FnOnce(i64) + Send + use<> {
    let (web, person) = (Arc::clone(&visit.web), session.person.clone());
    let site = place(&grant_request.site().origin(), grant_request.application().map(Application::name));
    move |ends_ms| {
        if !web.grants.mails_about_grants() {
            return;
        }
        let server = &web.settings.public_origin;
        let (page, ends) = (format!("{}/me/grants", server.as_str()), words::date_time(ends_ms));
        web.login.mail_about_grant(&person, GrantedMail { server: server.authority(), page: &page, site: &site, ends: &ends });
    }
}

/// Search was pressed: the page with what was chosen so far, and first what was searched for.
async fn search(
    visit: &Visit,
    session: &Session,
    grant_request: &GrantRequest,
    choices: &Choices,
    mut retry: Retry,
) -> Result<Response, Problem> {
    let offer = match visit.web.grants.offer_with(session, grant_request, choices).await {
        Ok(offer) => offer,
        Err(GrantError::Review { offer, reason }) => {
            retry.error = Some(reason.to_owned());
            *offer
        }
        Err(error) => return Err(refused(error)),
    };
    Ok(page(visit, session, grant_request, offer, retry))
}

/// What was written in the place of stars.
fn narrowed(form: &Posted) -> Vec<(String, String)> {
    let fields = form.fields().filter_map(|(name, value)| Some((name.strip_prefix("only-")?, value)));
    fields.map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
}

/// `POST /grant/cancel`
pub(crate) async fn cancel(form: Posted) -> Result<Response, Problem> {
    give_up(&form, &request_of(&form)?)
}

/// Cancel was pressed: stays here, and the site is told nothing. An application is told, and a program on the person's machine that asked to be.
pub(crate) fn give_up(form: &Posted, grant_request: &GrantRequest) -> Result<Response, Problem> {
    form.session()?;
    if let Some(location) = grant_request.cancelled() {
        return deliver(&location);
    }
    let page = NothingGrantedPage { layout: form.visit.layout(), host: whole_place(grant_request), origin: grant_request.site().origin() };
    Ok(html(StatusCode::OK, Row::Page, &page))
}

/// The request that the form carries, as strictly as if it had just come.
fn request_of(form: &Posted) -> Result<GrantRequest, Problem> {
    match request::parse(form.field("request"), form.visit.web.clock.now_ms()) {
        Ok(Some(grant_request)) => Ok(grant_request),
        Ok(None) => Err(malformed("The form holds no request.")),
        Err(error) => Err(malformed(&error.to_string())),
    }
}

/// The redirect that delivers. Its address is written nowhere else.
pub(crate) fn deliver(location: &str) -> Result<Response, Problem> {
    let mut location = HeaderValue::try_from(location).map_err(|_| Problem::internal())?;
    location.set_sensitive(true);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, location);
    Row::Deliver.apply(response.headers_mut());
    Ok(response)
}

fn refused(error: GrantError) -> Problem {
    let problem = |status, title: &str, text: String| Problem::new(status, title, text).with_link("/", "Go to your own page");
    match error {
        GrantError::Login(error) => error.into(),
        error @ GrantError::NotRegistered(_) => problem(StatusCode::FORBIDDEN, "This site may not ask", error.to_string()),
        error @ GrantError::OwnAddress(_) => problem(StatusCode::BAD_REQUEST, "This request can't be granted", error.to_string()),
        GrantError::BadForm(text) => problem(StatusCode::BAD_REQUEST, "This form can't be used", sentence(&text)),
        error @ (GrantError::Revoked | GrantError::Ended | GrantError::DeviceGone | GrantError::RequestGone) => {
            problem(StatusCode::GONE, "This grant is over", error.to_string())
        }
        // Both callers show these again themselves.
        GrantError::News(_)
        | GrantError::Review { .. }
        | GrantError::Correct { .. }
        | GrantError::TooSoon(_)
        | GrantError::HostNotTyped(_)
        | GrantError::Nothing(_) => problem(StatusCode::CONFLICT, "Nothing was granted", error.to_string()),
    }
}

/// The same choices once more, with nothing but what is new to look at.
fn news_page(visit: &Visit, session: &Session, grant_request: &GrantRequest, choices: &Choices, news: News) -> Response {
    let flag = |name, on: bool| on.then(|| (name, "yes".to_owned()));
    let fixed = [
        ("csrf", session.csrf.clone()),
        ("form_time", visit.web.login.form_time(session)),
        ("nonce", choices.nonce.clone()),
        ("request", grant_request.canonical_query().to_owned()),
        ("shown", choices.shown.clone()),
        ("lifetime", choices.lifetime_ms.to_string()),
        ("grant_name", choices.name.clone()),
        ("news", news.shown),
    ];
    let ticks = choices.ticked.iter().map(|key| ("tick".to_owned(), key.clone()));
    let narrowed = choices.narrowed.iter().map(|(key, text)| (format!("only-{key}"), text.clone()));
    let flags = [
        flag("everything", choices.everything),
        flag("broad", choices.broad),
        flag("identity", choices.identity),
        flag("remember", choices.remember),
    ];
    let page = NewsPage {
        layout: visit.layout(),
        host: whole_place(grant_request),
        places: Places::of(grant_request),
        gives: news.gives,
        identity_for: news.identity_for,
        tells_groups: asks_for_groups(grant_request),
        fields: fixed
            .into_iter()
            .chain(flags.into_iter().flatten())
            .map(|(name, value)| (name.to_owned(), value))
            .chain(ticks)
            .chain(narrowed)
            .collect(),
    };
    html(StatusCode::OK, Row::Grant { loopback: grant_request.target.scheme() == "http" }, &page)
}

/// What is different when the page is shown once more.
#[derive(Default)]
struct Retry {
    error: Option<String>,
    typed: String,
    /// What is said at the field in which the host is typed.
    wrong: Option<&'static str>,
    nonce: Option<String>,
    name: String,
    remember: bool,
    find: String,
}

fn page(visit: &Visit, session: &Session, grant_request: &GrantRequest, offer: Offer, retry: Retry) -> Response {
    let target = &grant_request.target;
    let person = person_line(session);
    let known = [Some(person.name.clone()), Some(person.identity.clone()), session.person.email.clone()];
    let mut known: Vec<String> = known.into_iter().flatten().collect();
    known.dedup();
    let groups = if asks_for_groups(grant_request) { session.person.groups.clone() } else { Vec::new() };
    if asks_for_groups(grant_request) {
        known.push(match groups.len() {
            0 => "and that you are in no group".to_owned(),
            1 => "and the name of your group".to_owned(),
            many => format!("and the names of your {many} groups"),
        });
    }
    let is_much = lines::is_much(&offer);
    let summary = lines::summary(&offer.lines);
    let total = offer.lines.len();
    let (found, others) = lines::found(offer.lines, if is_much { &retry.find } else { "" });
    let find = if is_much { retry.find } else { String::new() };
    let registered = offer.registered_name.as_deref();
    // What was written instead stays, also where it is nothing.
    let name = if retry.nonce.is_some() { retry.name } else { grant_request.name_wish.clone() };
    let page = GrantPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        // What is to have more has the name that the person gave it.
        proposes_name: !name.is_empty() && name == grant_request.name_wish && grant_request.widening().is_none(),
        name,
        nonce: retry.nonce.unwrap_or_else(|| visit.web.grants.new_nonce()),
        form_time: visit.web.login.form_time(session),
        shown: offer.shown,
        request: grant_request.canonical_query().to_owned(),
        places: Places::of(grant_request),
        site: site(grant_request, offer.registered_name.clone()),
        description: markdown::render(&grant_request.description),
        purpose: grant_request.purpose.clone(),
        bundles: lines::bundles(offer.everything, offer.broad, &find),
        summary,
        search: is_much.then(|| Search { found: (total > 0).then_some((found.len(), total)), find }),
        groups: lines::groups(found, true),
        others: (!others.is_empty()).then(|| Others {
            count: others.len(),
            ticked: others.iter().filter(|line| line.ticked).count(),
            groups: lines::groups(others, true),
        }),
        longest_name: LONGEST_NAME,
        remember: offer.remember.map(|remember| Remember { ticked: retry.remember, label: remember.label }),
        identity: offer.identity_line.map(|line| IdentityLine {
            person: known.join(", "),
            groups,
            origins: line.origins.iter().map(|origin| place(origin, registered)).collect(),
            ticked: line.ticked,
        }),
        lifetimes: offer
            .lifetimes
            .into_iter()
            .map(|lifetime| Lifetime { checked: lifetime.ms == offer.default_lifetime_ms, value: lifetime.ms, label: lifetime.label })
            .collect(),
        person,
        confirm: offer.needs_host_typed.then(|| Confirm {
            host: grant_request.site().host().to_owned(),
            typed: retry.typed,
            wrong: retry.wrong,
        }),
        delivers_to: without_query(target.href()).to_owned(),
        resources: visit.web.grants.counts_at(grant_request),
        device: requesting_device(visit, grant_request),
        more: grant_request.widening().map(|widening| widening::page::widened(visit, grant_request, widening)),
        error: retry.error,
    };
    html(StatusCode::OK, Row::Grant { loopback: target.scheme() == "http" }, &page)
}

/// What the page repeats of a device, so that the person can compare.
fn requesting_device(visit: &Visit, grant_request: &GrantRequest) -> Option<RequestingDevice> {
    let Delivery::Device(device) = &grant_request.delivery else { return None };
    Some(RequestingDevice {
        code: device.shown_code(),
        address: device.address.clone(),
        since: words::since(device.asked_ms, visit.web.clock.now_ms()),
        asked_at: words::date_time(device.asked_ms),
    })
}

/// The host of whoever asks, in the pieces that the title shows.
fn site(grant_request: &GrantRequest, registered: Option<String>) -> Site {
    let target = grant_request.site();
    let is_device = target.scheme() == "device";
    let host = if is_device { place(&target.origin(), registered.as_deref()) } else { target.host().to_owned() };
    let registrable = target.registrable_domain().unwrap_or(&host);
    let before = host.strip_suffix(registrable).unwrap_or_default();
    Site {
        scheme: if is_device || target.scheme() == "https" { String::new() } else { format!("{}://", target.scheme()) },
        before: before.to_owned(),
        registrable: registrable.to_owned(),
        after: target.port().map(|port| format!(":{port}")).unwrap_or_default(),
        unicode: target.unicode_host().map(str::to_owned),
        initial: registered
            .as_deref()
            .and_then(|name| name.chars().next())
            .map(|first| first.to_uppercase().to_string())
            .unwrap_or_default(),
        registered,
        command_line: grant_request.application().is_some_and(Application::is_command_line),
        document: document(grant_request),
        registered_itself: registered_itself(grant_request),
        loopback: grant_request.target.is_loopback(),
    }
}

/// What the page says of an application that nobody has registered.
fn document(grant_request: &GrantRequest) -> Option<DocumentedSite> {
    let unregistered = |application: &&Application| !application.is_registered() && application.registered_itself_ms().is_none();
    let application = grant_request.application().filter(unregistered)?;
    Some(DocumentedSite { address: application.id().to_owned(), name: application.own_name().map(str::to_owned) })
}

/// What the page says of one that has registered itself.
fn registered_itself(grant_request: &GrantRequest) -> Option<RegisteredItself> {
    let application = grant_request.application()?;
    let at = words::date_time(application.registered_itself_ms()?);
    Some(RegisteredItself { id: application.id().to_owned(), name: application.name().to_owned(), at })
}

fn without_query(href: &str) -> &str {
    href.split(['?', '#']).next().unwrap_or(href)
}
