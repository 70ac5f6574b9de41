//! The gateway's own addresses on the protected host.

use super::answer::Answer;
use super::refused::Refused;
use super::request_head::RequestHead;
use super::site::{Site, SiteSession};
use crate::metrics::{Event, Metrics};
use crate::rules::Target;
use crate::session::{CallbackOutcome, begin, came_back, is_own, sign_in_path};

/// Answers what is below `/.falconer/`.
pub(super) fn answer(
    request: &RequestHead<'_>,
    target: &Target,
    site: &Site,
    session: &SiteSession,
    metrics: &Metrics,
) -> Result<Answer, Refused> {
    let now_ms = falconer_client::system::now_ms();
    let cookies = &session.cookies;
    let query = target.raw().split_once('?').map_or("", |(_, query)| query);
    let too_long = Refused::Misconfigured("an address to go to is no header");
    match (request.method, target.path()) {
        ("GET", "/.falconer/sign-in") => {
            let to = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "to").map(|(_, to)| to.into_owned());
            let begun = begin(&session.asks, cookies, to.as_deref().unwrap_or("/"), now_ms);
            let (url, cookie) = begun.ok_or(Refused::Misconfigured("a sign-in can't begin"))?;
            metrics.session(Event::Begun);
            Answer::to(&url, [cookie]).ok_or(too_long)
        }
        ("GET", "/.falconer/back") => match came_back(query, request.headers, cookies, now_ms) {
            // At once to an address without credentials in it.
            CallbackOutcome::Credentials(set, to) => {
                metrics.session(Event::SignedIn);
                Answer::to(&format!("{}{to}", site.origin), set).ok_or(too_long)
            }
            CallbackOutcome::NotAskedFor => Err(Refused::NotAskedFor),
            CallbackOutcome::Unusable => Err(Refused::UnusableCredentials),
        },
        ("POST", "/.falconer/sign-out") if !is_own("POST", request.headers, &site.origin) => Err(Refused::OtherSite),
        ("POST", "/.falconer/sign-out") => {
            metrics.session(Event::SignedOut);
            Answer::to(&format!("{}/.falconer/sign-out", site.origin), cookies.clear_session()).ok_or(too_long)
        }
        ("GET", "/.falconer/sign-out") if cookies.session(request.headers, now_ms).is_some() => {
            Ok(Answer::page(403, "Sign out", "You are signed in here.", ("/", "Back"), true))
        }
        ("GET", "/.falconer/sign-out") => {
            let text = "You are signed out here. What you granted ends by itself, or when you revoke it at Falconer.";
            Ok(Answer::page(403, "Signed out", text, (&sign_in_path("/"), "Sign in"), false))
        }
        _ => Err(Refused::NoRule),
    }
}
