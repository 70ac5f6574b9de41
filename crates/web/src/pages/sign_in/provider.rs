//! To an identity provider, and back.
//!
//! The way out is a link and changes nothing here, so it needs no token: whoever makes a browser follow it has that browser's own person sign in. The
//! way back counts only in the browser that left, once, and never with what somebody else brought along: that is what keeps people from being signed
//! in as a stranger.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use falconer_grants::encode_component;
use falconer_login::github::GithubError;
use falconer_login::{Aim, Begun, Callback, Fault, Login, LoginError, ProviderError, ProviderSignInError, SignInResult, Way};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::Web;
use crate::http::cookie::{self, Kind, Slot};
use crate::http::problem::{Problem, sentence};
use crate::metrics::SignIn;
use crate::pages::granting::grant;
use crate::pages::sign_in::{begun, directory, email_code, login, reauthentication};
use crate::pages::visit::{PathText, Visit, go, own_path, signed_out};
use crate::views::ProviderButton;

const SLOTS: [Slot; 2] = [Slot::First, Slot::Second];

/// What the browser keeps of sign-ins that are under way.
pub(crate) struct PendingSignIns([Option<String>; 2]);

impl FromRequestParts<Arc<Web>> for PendingSignIns {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Infallible> {
        let read = |slot| cookie::read(&parts.headers, &web.settings.public_origin, Kind::PendingSignIn(slot)).map(str::to_owned);
        Ok(PendingSignIns(SLOTS.map(read)))
    }
}

impl PendingSignIns {
    /// All that is kept.
    pub(crate) fn kept(&self) -> Vec<&str> {
        self.0.iter().flatten().map(String::as_str).collect()
    }

    /// Has the browser forget all of it.
    pub(crate) fn forget(&self, visit: &Visit, response: &mut Response) -> Result<(), Problem> {
        for (slot, _) in SLOTS.into_iter().zip(&self.0).filter(|(_, kept)| kept.is_some()) {
            response.headers_mut().append(SET_COOKIE, set(visit, slot, "", 0)?);
        }
        Ok(())
    }

    /// The slot for another sign-in: a free one, else that of the older.
    pub(crate) fn next_slot(&self) -> Slot {
        let begun_ms = |at: usize| self.0.get(at).and_then(Option::as_deref).and_then(Login::flow_begun_ms);
        match (begun_ms(0), begun_ms(1)) {
            (None, _) => Slot::First,
            (Some(_), None) => Slot::Second,
            (Some(first), Some(second)) => {
                if first <= second {
                    Slot::First
                } else {
                    Slot::Second
                }
            }
        }
    }
}

/// What a sign-in is for, as links and forms say it: nothing, `again` or `link`; the last two need a session. Whoever has none any more goes on to `next` after a
/// sign-in, or links from the page of their identities.
pub(crate) fn way<'v>(visit: &'v Visit, purpose: &str, next: &str) -> Result<Way<'v>, Problem> {
    let session = |next| visit.session.as_ref().ok_or_else(|| signed_out(next));
    match purpose {
        "again" => session(next).map(Way::Reauthenticate),
        "link" => session("/auth/identities").map(Way::Link),
        _ => Ok(Way::SignIn),
    }
}

/// Where somebody goes who has just been proved.
pub(crate) async fn arrived(visit: &Visit, arrival: SignInResult) -> Result<Response, Problem> {
    match arrival {
        SignInResult::SignedIn(inbound) => login::begin(visit, &inbound.signed_in, &inbound.next).await,
        SignInResult::ToConfirm => Ok(go("/me/link")),
    }
}

/// Where a sign-in with this provider begins.
pub(crate) fn path(name: &str, next: &str) -> String {
    format!("/login/{name}?next={}", encode_component(next))
}

/// One for each provider.
pub(crate) fn buttons(visit: &Visit, next: &str) -> Vec<ProviderButton> {
    let providers = visit.web.login.providers().iter();
    providers.map(|provider| ProviderButton { label: provider.label.clone(), href: path(&provider.name, next) }).collect()
}

/// `GET /login/<provider>?next=`: away, or to a page that asks for name and password
pub(crate) async fn leave(visit: Visit, away: PendingSignIns, PathText(name): PathText, headers: HeaderMap) -> Result<Response, Problem> {
    // A picture of another site's page would take the place of a sign-in that is under way.
    if headers.get("sec-fetch-dest").is_some_and(|destination| destination != "document") {
        return Err(Problem::new(StatusCode::FORBIDDEN, "This address is a page", "Open it as one."));
    }
    let purpose = visit.parameter("for").unwrap_or_default();
    let next = visit.parameter("next").unwrap_or_default();
    let next = own_path(&next);
    let way = way(&visit, &purpose, next)?;
    match visit.web.login.check_way(way) {
        Err(LoginError::SignInAgain) => return Ok(reauthentication::first(&format!("/login/{name}?for=link"))),
        may_begin => may_begin?,
    }
    if visit.web.login.password_provider(&name).is_ok() {
        return directory::show(&visit, &name, &purpose);
    }
    if visit.web.login.address_provider(&name).is_ok() {
        return email_code::show_address(&visit, &name, &purpose);
    }
    let outbound = visit.web.login.leave_for_provider(&name, next, &redirect_uri(&visit, &name), way).await;
    let outbound = outbound.map_err(|error| problem(&visit, &name, &begun::of(&purpose, next), error))?;
    let mut response = grant::deliver(outbound.url.as_str())?;
    let kept = set(&visit, away.next_slot(), &outbound.cookie_value, outbound.seconds)?;
    response.headers_mut().append(SET_COOKIE, kept);
    Ok(response)
}

/// `GET /login/<provider>/callback`
pub(crate) async fn back(visit: Visit, away: PendingSignIns, PathText(name): PathText) -> Result<Response, Problem> {
    let login = &visit.web.login;
    let callback = read_callback(&visit.query).map_err(|error| problem(&visit, &name, &begun::unknown(), error.into()))?;
    let (kept, redirect_uri, visitor) = (away.kept(), redirect_uri(&visit, &name), visit.visitor());
    let begun = login.begun_with_provider(&name, &kept, &callback).unwrap_or_else(begun::unknown);
    let arrival = login.return_from_provider(&name, &kept, &callback, &redirect_uri, visit.session.as_ref(), &visitor).await;
    count(&visit, &name, &arrival);
    let arrival = arrival.map_err(|error| problem(&visit, &name, &begun, error))?;
    let mut response = arrived(&visit, arrival).await?;
    away.forget(&visit, &mut response)?;
    Ok(response)
}

pub(crate) fn set(visit: &Visit, slot: Slot, value: &str, seconds: i64) -> Result<HeaderValue, Problem> {
    cookie::set(&visit.web.settings.public_origin, Kind::PendingSignIn(slot), value, Some(seconds)).map_err(|_| Problem::internal())
}

fn redirect_uri(visit: &Visit, name: &str) -> String {
    format!("{}/login/{name}/callback", visit.web.settings.public_origin.as_str())
}

/// Counts what came of a sign-in with a provider, where it is one.
pub(crate) fn count(visit: &Visit, name: &str, outcome: &Result<SignInResult, ProviderSignInError>) {
    if let Ok(provider) = visit.web.login.provider(name) {
        let outcome = outcome.as_ref().map_or_else(SignIn::of_provider, |_| SignIn::Success);
        visit.web.metrics.people.signed_in(&provider.name, outcome);
    }
}

/// The parameters that mean something, each at most once.
fn read_callback(query: &str) -> Result<Callback, ProviderError> {
    let mut callback = Callback::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let (name, place) = match name.as_ref() {
            "state" => ("state", &mut callback.state),
            "code" => ("code", &mut callback.code),
            "iss" => ("iss", &mut callback.issuer),
            "error" => ("error", &mut callback.error),
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(ProviderError::Repeated(name));
        }
    }
    Ok(callback)
}

/// What somebody can do who was not signed in on purpose.
fn what_to_do(error: &ProviderError) -> &'static str {
    match error {
        ProviderError::Github(GithubError::NoMember { hidden: false }) => {
            "You are in none of the organisations whose members sign in here, or they have not let this site see their members. Ask your \
             administrator."
        }
        ProviderError::Github(GithubError::NoMember { hidden: true }) => {
            "Your organisation hides its members until you have signed in there with its single sign-on. Do so, then try again."
        }
        ProviderError::Github(GithubError::Suspended) => "Your account there is suspended.",
        ProviderError::OtherIdentity => "You came back as somebody else. Sign out there, and sign in again as whom you are signed in here.",
        ProviderError::NotAskedAgain => {
            "It knew your browser and did not ask again who you are, so that nobody knows that it is you. Sign out there and try again; if that does not \
             help, tell your administrator that `auth_time` is missing."
        }
        ProviderError::CallbackSaid { of: Fault::Away, .. } => {
            "By what your browser brought back, it can't sign anybody in at the moment. You can try again in a moment, or another way."
        }
        ProviderError::CallbackSaid { .. } => {
            "By what your browser brought back, this server is not set up there as it should be. You can try again, or another way; if it is the same \
             again, tell your administrator."
        }
        _ => "You can try again, or another way.",
    }
}

/// What a person is told, and the way back to where this was begun. The reason itself goes to the log where the operator has to look.
pub(crate) fn problem(visit: &Visit, name: &str, begun: &Begun, error: ProviderSignInError) -> Problem {
    let error = match error {
        ProviderSignInError::Provider(ProviderError::UnknownProvider) => return Problem::not_found(),
        ProviderSignInError::Provider(error) => error,
        ProviderSignInError::Login(LoginError::SignedOut) => {
            let next = "Your account here is not active. Ask your administrator.";
            return Problem::new(StatusCode::FORBIDDEN, "You may not sign in here", next).with_link("/login", "Sign in as somebody else");
        }
        ProviderSignInError::Login(error) => return error.into(),
    };
    if let ProviderError::NotToBeLinked(text) = &error {
        return Problem::new(StatusCode::CONFLICT, "This identity can't be linked", format!("{} Nothing was linked.", sentence(text)))
            .with_link("/auth/identities", "Go to your identities");
    }
    let label = visit.web.login.provider(name).map_or(name, |provider| provider.label.as_str());
    let with_other_ways = |problem: Problem| problem.with_link(begun::others(begun), begun::others_text(begun));
    let nothing = match begun.aim {
        Aim::SignIn => "Nobody was signed in.",
        Aim::Reauthenticate => "You were not signed in again.",
        Aim::Link => "Nothing was linked.",
    };
    match error.fault() {
        Fault::Browser => {
            let title = if begun.aim == Aim::Link { "This link can't be finished" } else { "This sign-in can't be finished" };
            let next = match error {
                ProviderError::Used if begun.aim == Aim::SignIn => {
                    "It was finished before: perhaps you are signed in already. If not, begin it anew."
                }
                ProviderError::Used => "It was finished before. If it came to nothing, begin it anew.",
                ProviderError::OtherSession => {
                    "It was begun by somebody who is not signed in here any more, or before you signed in again. Nothing was changed. Begin it anew."
                }
                ProviderError::Over => "It took longer than a quarter of an hour. Begin it anew.",
                ProviderError::NextTooLong => {
                    "What the site asks for is too long to be kept while you are away. Sign in first, then go back to the site and try again."
                }
                ProviderError::ForeignCallback(_) | ProviderError::AnonymousCallback => {
                    // As likely made up by whoever sent it as an attack on them, or a set-up that is wrong.
                    tracing::info!(provider = name, %error, "an answer is not the provider's");
                    "The answer that your browser brought back is another provider's, or does not say whose it is. Begin it anew."
                }
                _ => "It was not begun in this browser, or your browser takes no cookies. Begin it anew, and stay in one browser.",
            };
            with_other_ways(Problem::new(StatusCode::BAD_REQUEST, title, next))
        }
        Fault::Person => {
            tracing::info!(provider = name, %error, "a provider signed nobody in");
            with_other_ways(Problem::new(
                StatusCode::FORBIDDEN,
                format!("{label} did not sign you in"),
                format!("{nothing} {}", what_to_do(&error)),
            ))
        }
        Fault::Provider => {
            tracing::warn!(provider = name, %error, "the answer of a provider was refused");
            let next = format!("{nothing} The reason is in the log: tell your administrator the id below. Other ways to sign in work.");
            with_other_ways(Problem::new(StatusCode::BAD_GATEWAY, format!("What {label} answered can't be accepted"), next))
        }
        Fault::Away => {
            tracing::warn!(provider = name, %error, "a provider does not answer");
            let next = format!("{nothing} Try again in a moment; other ways to sign in work.");
            let mut problem = with_other_ways(Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("{label} does not answer"), next));
            problem.retry_after_seconds = Some(10);
            problem
        }
        Fault::Busy => {
            let next = format!("{nothing} Try again in a moment.");
            let mut problem = with_other_ways(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("Too many people sign in with {label} at the moment"),
                next,
            ));
            problem.retry_after_seconds = Some(1);
            problem
        }
    }
}
