//! Signing out: the session's grant ends at Falconer, so that whoever has a copy of the cookie is signed out too.

use falconer_client::GrantEnd;
use falconer_client::system::now_ms;
use falconer_wire::date_time;

use super::answer::Answer;
use super::gateway::Gateway;
use super::refused::Refused;
use super::request_head::RequestHead;
use super::site::{Site, SiteSession};
use crate::metrics::Event;
use crate::page::Page;
use crate::session::Opened;

/// Where somebody signs out.
pub(super) const SIGN_OUT: &str = "/.falconer/sign-out";

/// Ends the session that the request has, and says what became of its grant. The browser is signed out in any case.
pub(super) async fn sign_out(gateway: &Gateway, request: &RequestHead<'_>, site: &Site, session: &SiteSession) -> Result<Answer, Refused> {
    let cookies = &session.cookies;
    let signed_out_here = |text: &str| {
        let grants = format!("{}/me/grants", session.asks.falconer);
        let page = Page { title: "Signed out here only", text, link: Some((&grants, "What you granted")), ..Page::default() };
        Answer::page(403, &page).with_cookies(cookies.clear_session())
    };
    let opened = cookies.session(request.headers, now_ms());
    if opened.is_none() && cookies.has_unreadable_session(request.headers) {
        gateway.metrics().session(Event::SignedOut);
        gateway.metrics().session(Event::GrantNotEnded);
        return Ok(signed_out_here("You are signed out in this browser. Its cookie can't be read, so that nothing was ended at Falconer."));
    }
    let ended = match opened {
        Some(opened) => {
            let until = date_time::format_ms(opened.expires_ms);
            let Ok(_slot) = gateway.hold(request) else {
                gateway.metrics().session(Event::SignedOut);
                gateway.metrics().session(Event::GrantNotEnded);
                let text = format!(
                    "You are signed out in this browser. Too much is asked from your address at once, so that nothing was ended at Falconer: what you granted counts until {until}. Revoke it there."
                );
                return Ok(signed_out_here(&text));
            };
            (session.end_grant(opened.credentials).await, until)
        }
        // None, or one that is over: there is nothing that counts.
        None => (GrantEnd::Ended, String::new()),
    };
    gateway.metrics().session(Event::SignedOut);
    let (failed, error, until) = match ended {
        (GrantEnd::Ended, _) => {
            let answer = Answer::to(&format!("{}{SIGN_OUT}", site.origin), cookies.clear_session());
            return answer.ok_or(Refused::Misconfigured("an address to go to is no header"));
        }
        (GrantEnd::Counts(error), until) => ("Falconer did not end what you granted, and it counts until", error, until),
        (GrantEnd::NotKnown(error), until) => {
            ("Nobody knows whether Falconer has ended what you granted. If not, it counts until", error, until)
        }
    };
    tracing::warn!("a browser is signed out, and its grant may count still: {error}");
    gateway.metrics().session(Event::GrantNotEnded);
    let text =
        format!("You are signed out in this browser. {failed} {until}, for whoever has a copy of the cookie. Revoke it at Falconer.");
    Ok(signed_out_here(&text))
}

/// Ends the grant of a session that another one takes the place of. Its cookie is gone from the browser, and a copy of it must not outlive that. At worst
/// it ends at its time, as without this.
pub(super) async fn end_replaced(gateway: &Gateway, request: &RequestHead<'_>, session: &SiteSession, replaced: Opened) {
    // Too many of this address: nobody waits, and nothing is lost but time.
    let Ok(_slot) = gateway.hold(request) else { return };
    if let GrantEnd::Counts(error) | GrantEnd::NotKnown(error) = session.end_grant(replaced.credentials).await {
        gateway.metrics().session(Event::GrantNotEnded);
        tracing::warn!("a session was replaced, and the grant before may count still: {error}");
    }
}
