//! The grant page: a site asks, the person looks, chooses, and grants or cancels.

use axum::body::Body;
use axum::response::Response;
use falconer_grants::{Choices, Delivery, GrantError, GrantRequest, News, Offer, Target, request};
use falconer_login::{LoginError, Session};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::granting::{Places, sign_in_first};
use crate::pages::home::malformed;
use crate::pages::sign_in::reauthentication;
use crate::pages::visit::{Posted, Visit, person_line};
use crate::views::markdown;
use crate::views::words;
use crate::views::{
    Bundle, Confirm, DeviceAsked, GrantPage, Group, IdentityLine, Lifetime, Line, NewsPage, NothingGrantedPage, Site, Words, html,
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
        everything: form.ticked("everything"),
        broad: form.ticked("broad"),
        identity: form.ticked("identity"),
        lifetime_ms: form.field("lifetime").parse().unwrap_or_default(),
        form_time: form.field("form_time").to_owned(),
        visible_ms: form.field("visible_ms").parse().ok(),
        news: form.field("news").to_owned(),
        typed_host: Some(form.field("typed_host").trim().to_owned()).filter(|typed| !typed.is_empty()),
    };
    let mut retry =
        Retry { error: None, typed: choices.typed_host.clone().unwrap_or_default(), wrong: false, nonce: Some(choices.nonce.clone()) };
    let (status, offer) = match visit.web.grants.grant(session, grant_request, &choices).await {
        Ok(granted) => return deliver(&granted.location),
        Err(GrantError::Review { offer, reason }) => {
            retry.error = Some(reason.to_owned());
            (StatusCode::CONFLICT, offer)
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
            retry.wrong = choices.typed_host.is_some();
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
    let page = NothingGrantedPage {
        layout: form.visit.layout(),
        host: grant_request.target.host_and_port(),
        origin: grant_request.target.origin(),
    };
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
        error @ (GrantError::Revoked | GrantError::Ended | GrantError::DeviceGone) => {
            problem(StatusCode::GONE, "This grant is over", error.to_string())
        }
        // Both callers show these again themselves.
        GrantError::News(_) | GrantError::Review { .. } | GrantError::TooSoon(_) | GrantError::HostNotTyped(_) | GrantError::Nothing(_) => {
            problem(StatusCode::CONFLICT, "Nothing was granted", error.to_string())
        }
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
        ("news", news.shown),
    ];
    let ticks = choices.ticked.iter().map(|key| ("tick", key.clone()));
    let flags = [flag("everything", choices.everything), flag("broad", choices.broad), flag("identity", choices.identity)];
    let page = NewsPage {
        layout: visit.layout(),
        host: grant_request.target.host_and_port(),
        places: Places::of(grant_request),
        gives: news.gives,
        identity_for: news.identity_for,
        fields: fixed.into_iter().chain(ticks).chain(flags.into_iter().flatten()).collect(),
    };
    html(StatusCode::OK, Row::Grant { loopback: grant_request.target.scheme() == "http" }, &page)
}

/// What is different when the page is shown once more.
#[derive(Default)]
struct Retry {
    error: Option<String>,
    typed: String,
    wrong: bool,
    nonce: Option<String>,
}

fn page(visit: &Visit, session: &Session, grant_request: &GrantRequest, offer: Offer, retry: Retry) -> Response {
    let target = &grant_request.target;
    let person = person_line(session);
    let known = [Some(person.name.clone()), Some(person.identity.clone()), session.person.email.clone()];
    let mut known: Vec<String> = known.into_iter().flatten().collect();
    known.dedup();
    let page = GrantPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        nonce: retry.nonce.unwrap_or_else(|| visit.web.grants.new_nonce()),
        form_time: visit.web.login.form_time(session),
        shown: offer.shown,
        request: grant_request.canonical_query().to_owned(),
        places: Places::of(grant_request),
        site: site(target, offer.registered_name),
        description: markdown::render(&grant_request.description),
        bundles: bundles(offer.everything, offer.broad),
        groups: groups(offer.lines),
        identity: offer.identity_line.map(|line| IdentityLine { person: known.join(", "), origins: line.origins, ticked: line.ticked }),
        lifetimes: offer
            .lifetimes
            .into_iter()
            .map(|lifetime| Lifetime { checked: lifetime.ms == offer.default_lifetime_ms, value: lifetime.ms, label: lifetime.label })
            .collect(),
        person,
        confirm: offer.needs_host_typed.then(|| Confirm { host: target.host().to_owned(), typed: retry.typed, wrong: retry.wrong }),
        delivers_to: without_query(target.href()).to_owned(),
        device: device_asked(visit, grant_request),
        error: retry.error,
    };
    html(StatusCode::OK, Row::Grant { loopback: target.scheme() == "http" }, &page)
}

/// What the page repeats of a device, so that the person can compare.
fn device_asked(visit: &Visit, grant_request: &GrantRequest) -> Option<DeviceAsked> {
    let Delivery::Device(device) = &grant_request.delivery else { return None };
    Some(DeviceAsked {
        code: device.shown_code(),
        address: device.address.clone(),
        since: words::since(device.asked_ms, visit.web.clock.now_ms()),
        asked: words::date_time(device.asked_ms),
    })
}

/// The target's host in the pieces that the title shows.
fn site(target: &Target, registered: Option<String>) -> Site {
    let host = target.host();
    let registrable = target.registrable_domain().unwrap_or(host);
    let before = host.strip_suffix(registrable).unwrap_or_default();
    Site {
        scheme: if target.scheme() == "https" { String::new() } else { format!("{}://", target.scheme()) },
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
        loopback: target.is_loopback(),
    }
}

fn without_query(href: &str) -> &str {
    href.split(['?', '#']).next().unwrap_or(href)
}

pub(crate) fn bundles(everything: Option<falconer_grants::Bundle>, broad: Option<falconer_grants::Bundle>) -> Vec<Bundle> {
    let alone = everything.is_none();
    let everything = everything.map(|bundle| Bundle {
        field: "everything",
        label: if broad.is_some() { "Everything that you may do, except what is broad" } else { "Everything that you may do" }.to_owned(),
        detail: words::count(bundle.count, "scope"),
        ticked: bundle.ticked,
        broad: false,
        taken_away: bundle.taken_away,
        scopes: bundle.scopes,
    });
    let broad = broad.map(|bundle| Bundle {
        field: "broad",
        label: if alone { "What you may do" } else { "And the rest" }.to_owned(),
        detail: format!("{} that let it see or change who may do what", words::count(bundle.count, "scope")),
        ticked: bundle.ticked,
        broad: true,
        taken_away: bundle.taken_away,
        scopes: bundle.scopes,
    });
    everything.into_iter().chain(broad).collect()
}

/// Lines by service, in the order in which the site named the services first.
pub(crate) fn groups(lines: Vec<falconer_grants::Line>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for line in lines {
        let service = line.group.clone();
        let line = view(line);
        match groups.iter_mut().find(|group| group.service == service) {
            Some(group) => group.lines.push(line),
            None => groups.push(Group { service, lines: vec![line] }),
        }
    }
    groups
}

fn view(line: falconer_grants::Line) -> Line {
    let mut details = Vec::new();
    if line.narrowed {
        details.push("Only what this gives that is not broad.".to_owned());
    }
    if line.partial {
        details.push("You have only a part of this, and pass on that part.".to_owned());
    }
    let is_itself = line.gives.len() == 1 && line.gives.first() == Some(&line.scope);
    if !is_itself && !line.lacking {
        details.push(format!("Gives {}.", words::count(line.gives.len(), "scope")));
    }
    Line {
        key: line.key,
        label: line.label.into_iter().map(|part| Words { text: part.text, strong: part.strong }).collect(),
        scope: line.scope,
        details,
        taken_away: line.taken_away,
        gives: if is_itself { vec![] } else { line.gives },
        ticked: line.ticked,
        broad: line.broad,
        lacking: line.lacking,
    }
}
