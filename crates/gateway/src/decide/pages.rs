//! The gateway's own addresses on the protected host.

use falconer_middleware::Refusal;
use falconer_scopes::Expression;

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

/// Where it is said that credentials came that this browser did not ask for.
const NOT_ASKED_FOR: &str = "/.falconer/not-asked-for";
/// Where it is said that credentials came that can't be kept.
const UNUSABLE: &str = "/.falconer/unusable-credentials";

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
            let begun = begin(&session.asks, cookies, request.headers, to.as_deref().unwrap_or("/"), now_ms);
            let (url, set) = begun.ok_or(Refused::Misconfigured("a sign-in can't begin"))?;
            gateway.metrics().session(Event::Begun);
            Answer::to(&url, set).ok_or(too_long)
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
            // These too: the refusal stands at an address without a query.
            CallbackOutcome::NotAskedFor => Answer::to(&format!("{}{NOT_ASKED_FOR}", site.origin), None).ok_or(too_long),
            CallbackOutcome::Unusable(set) => Answer::to(&format!("{}{UNUSABLE}", site.origin), set).ok_or(too_long),
        },
        ("GET", NOT_ASKED_FOR) => Err(Refused::NotAskedFor),
        ("GET", UNUSABLE) => Err(Refused::UnusableCredentials),
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

/// What somebody is told who is signed in and may not: the protocol's own text names the client, and is marked up for programs.
pub(super) fn not_granted(refusal: &Refusal) -> String {
    const NEXT: &str = "Sign in again and grant it, or sign in as somebody else.";
    match refusal {
        Refusal::InsufficientScopes { missing, .. } => {
            format!("This takes {}, which you have not granted here. {NEXT}", in_words(missing, false))
        }
        other => format!("{other} {NEXT}"),
    }
}

/// Scopes in backticks, inner lists in brackets.
fn in_words(expression: &Expression, inner: bool) -> String {
    let (members, between) = match expression {
        Expression::Scope(scope) => return format!("`{scope}`"),
        Expression::AllOf(members) => (members, " and "),
        Expression::AnyOf(members) => (members, " or "),
    };
    let text = members.iter().map(|member| in_words(member, true)).collect::<Vec<_>>().join(between);
    if inner && members.len() > 1 { format!("({text})") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_in_words() {
        let scope = |scope: &str| Expression::Scope(scope.to_owned());
        let missing = Expression::AllOf(vec![scope("notes:use"), Expression::AnyOf(vec![scope("notes:read:red"), scope("notes:admin")])]);
        let refusal = |missing: Expression| Refusal::InsufficientScopes {
            client_id: Some("local/ann/notes".to_owned()),
            required: Box::new(missing.clone()),
            missing: Box::new(missing),
            id: None,
        };
        let text = not_granted(&refusal(missing));
        assert!(
            text.starts_with("This takes `notes:use` and (`notes:read:red` or `notes:admin`), which you have not granted here."),
            "{text}"
        );
        assert!(!not_granted(&refusal(scope("notes:admin"))).contains("local/ann"));
    }
}
