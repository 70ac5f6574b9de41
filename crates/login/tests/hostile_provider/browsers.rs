//! Browsers that come back with something else than they left with.

use falconer_login::ProviderError as E;

use crate::provider::{Case, ISSUER, ISSUER_OF_OTHER};
use crate::{Row, row};

fn state(case: &mut Case, state: &str) {
    case.callback.state = Some(state.to_owned());
}

/// The cookie with one of its parts changed.
fn cookie(case: &mut Case, part: usize, text: &str) {
    let Some(whole) = case.cookies.first() else { return };
    let mut parts: Vec<&str> = whole.split('.').collect();
    parts[part] = text;
    case.cookies = vec![parts.join(".")];
}

pub const CALLBACKS: &[Row] = &[
    row!("no state", |c| c.callback.state = None, E::NotBegunHere),
    row!("an empty state", |c| state(c, ""), E::NotBegunHere),
    row!("a made-up state", |c| state(c, &"A".repeat(43)), E::NotBegunHere),
    row!("a state with more behind it", |c| state(c, &format!("{}A", c.callback.state.clone().unwrap_or_default())), E::NotBegunHere),
    row!("no cookie", |c| c.cookies.clear(), E::NotBegunHere),
    row!("a cookie that is none", |c| c.cookies = vec!["a.b.c.d".into()], E::NotBegunHere),
    row!("the state of another browser", |c| state(c, &c.of_somebody_else.1.clone()), E::NotBegunHere),
    row!("the cookie of another browser", |c| c.cookies = vec![c.of_somebody_else.0.clone()], E::NotBegunHere),
    row!("the code of another browser", |c| c.callback.code = Some("code-of-somebody-else".into()), E::Said(_)),
    row!(
        "cookie and state of another browser, with this one's code",
        |c| {
            c.cookies = vec![c.of_somebody_else.0.clone()];
            state(c, &c.of_somebody_else.1.clone());
        },
        E::Said(_)
    ),
    row!(
        "code and state of another browser",
        |c| {
            c.callback.code = Some("code-of-somebody-else".into());
            state(c, &c.of_somebody_else.1.clone());
        },
        E::NotBegunHere
    ),
    row!("another place to go on", |c| cookie(c, 3, "L2V2aWw"), E::NotBegunHere),
    row!("another time", |c| cookie(c, 1, "1767225600001"), E::NotBegunHere),
    row!("another provider in the cookie", |c| cookie(c, 2, "other"), E::NotBegunHere),
    row!("another secret", |c| cookie(c, 0, &"A".repeat(43)), E::NotBegunHere),
    row!(
        "begun with the other provider, back at this one",
        |c| {
            c.cookies = vec![c.with_other.0.clone()];
            state(c, &c.with_other.1.clone());
        },
        E::OtherProvider
    ),
    row!("begun with this provider, back at the other one", |c| c.back_at = "other".into(), E::OtherProvider),
    row!("back at a provider that there is not", |c| c.back_at = "nobody".into(), E::UnknownProvider),
    row!("back at local accounts", |c| c.back_at = "local".into(), E::UnknownProvider),
    row!("the other provider answers", |c| c.callback.issuer = Some(ISSUER_OF_OTHER.into()), E::ForeignCallback(_)),
    row!("an issuer with a slash more answers", |c| c.callback.issuer = Some(format!("{ISSUER}/")), E::ForeignCallback(_)),
    row!("nobody answers", |c| c.callback.issuer = Some(String::new()), E::ForeignCallback(_)),
    row!(
        "a provider that names itself does not",
        |c| {
            c.discovery["authorization_response_iss_parameter_supported"] = true.into();
            c.callback.issuer = None;
        },
        E::AnonymousCallback
    ),
    row!(
        "an error of the other provider",
        |c| {
            c.callback.issuer = Some(ISSUER_OF_OTHER.into());
            c.callback.error = Some("access_denied".into());
        },
        E::ForeignCallback(_)
    ),
    row!("no", |c| c.callback.error = Some("access_denied".into()), E::Said(_)),
    row!("no, with a code", |c| c.callback.error = Some("login_required".into()), E::Said(_)),
    row!("an error of a kilobyte", |c| c.callback.error = Some("x".repeat(1000)), E::Said(_)),
    row!("no code", |c| c.callback.code = None, E::NoCode),
    row!("an empty code", |c| c.callback.code = Some(String::new()), E::NoCode),
    row!("a made-up code", |c| c.callback.code = Some("made-up".into()), E::Said(_)),
    row!("a callback that comes twice", |c| c.twice = true, E::Used),
    row!("a quarter of an hour later", |c| c.later_ms = 15 * 60_000, E::Over),
    row!("a month later", |c| c.later_ms = 30 * 86_400_000, E::Over),
];
