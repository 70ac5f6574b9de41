//! The gateway's own addresses on the protected host.

use super::answer::Answer;
use super::ending::{self, SIGN_OUT};
use super::gateway::Gateway;
use super::refused::Refused;
use super::request_head::RequestHead;
use super::site::{Site, SiteSession};
use crate::metrics::Event;
use crate::page::Page;
use crate::rules::Target;
use crate::session::{CallbackOutcome, begin, came_back, is_own, sign_in_path};

/// Answers what is below `/.falconer/`.
pub(super) async fn answer(
    gateway: &Gateway,
    request: &RequestHead<'_>,
    target: &Target,
    site: &Site,
    session: &SiteSession,
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
            gateway.metrics().session(Event::Begun);
            Answer::to(&url, [cookie]).ok_or(too_long)
        }
        ("GET", "/.falconer/back") => match came_back(query, request.headers, cookies, now_ms) {
            // At once to an address without credentials in it.
            CallbackOutcome::Credentials(set, to, client_id) => {
                gateway.metrics().session(Event::SignedIn);
                let before = cookies.session(request.headers, now_ms);
                if let Some(replaced) = before.filter(|before| before.credentials.client_id() != client_id) {
                    ending::end_replaced(gateway, request, session, replaced).await;
                }
                Answer::to(&format!("{}{to}", site.origin), set).ok_or(too_long)
            }
            CallbackOutcome::NotAskedFor => Err(Refused::NotAskedFor),
            CallbackOutcome::Unusable => Err(Refused::UnusableCredentials),
        },
        ("POST", SIGN_OUT) if !is_own("POST", request.headers, &site.origin) => Err(Refused::OtherSite),
        ("POST", SIGN_OUT) => ending::sign_out(gateway, request, site, session).await,
        ("GET", SIGN_OUT) if cookies.session(request.headers, now_ms).is_some() => {
            let page = Page { title: "Sign out", text: "You are signed in here.", link: Some(("/", "Back")), sign_out: true, report: None };
            Ok(Answer::page(403, &page))
        }
        ("GET", SIGN_OUT) => {
            let text = "You are signed out here. Signing out here ends what you granted to this host, too.";
            let again = sign_in_path("/");
            let page = Page { title: "Signed out", text, link: Some((&again, "Sign in")), ..Page::default() };
            Ok(Answer::page(403, &page))
        }
        _ => Err(Refused::NoRule),
    }
}
