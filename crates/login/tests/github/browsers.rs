//! Browsers that come back with something else than they left with.

use falconer_login::ProviderError as E;

use crate::case::Case;
use crate::{Row, row};

/// The cookie with one of its parts changed.
fn part(case: &mut Case, at: usize, text: &str) {
    let whole = case.cookies[0].clone();
    let mut parts: Vec<&str> = whole.split('.').collect();
    parts[at] = text;
    case.cookies = vec![parts.join(".")];
}

pub const CALLBACKS: &[Row] = &[
    row!("no state", |c| c.callback.state = None, E::NotBegunHere),
    row!("an empty state", |c| c.state(""), E::NotBegunHere),
    row!("a made-up state", |c| c.state(&"A".repeat(43)), E::NotBegunHere),
    row!("a state with more behind it", |c| c.state(&format!("{}A", c.callback.state.clone().unwrap())), E::NotBegunHere),
    row!("the state of another browser", |c| c.state(&c.of_somebody_else.2.clone()), E::NotBegunHere),
    row!("no cookie", |c| c.cookies.clear(), E::NotBegunHere),
    row!("the cookie of another browser", |c| c.cookie(&c.of_somebody_else.0.clone()), E::NotBegunHere),
    row!("another place to go on", |c| part(c, 3, "L2V2aWw"), E::NotBegunHere),
    row!("another time", |c| part(c, 1, "1767225600001"), E::NotBegunHere),
    row!("another provider in the cookie", |c| part(c, 2, "enterprise"), E::NotBegunHere),
    row!("another secret", |c| part(c, 0, &"A".repeat(43)), E::NotBegunHere),
    row!("the code of another browser", |c| c.code(&c.of_somebody_else.1.clone()), E::Said(_)),
    row!(
        "cookie and state of another browser, with this one's code",
        |c| {
            c.cookie(&c.of_somebody_else.0.clone());
            c.state(&c.of_somebody_else.2.clone());
        },
        E::Said(_)
    ),
    row!(
        "code and state of another browser",
        |c| {
            c.code(&c.of_somebody_else.1.clone());
            c.state(&c.of_somebody_else.2.clone());
        },
        E::NotBegunHere
    ),
    row!("a code of the other GitHub", |c| c.code(&c.with_other.1.clone()), E::Said(_)),
    row!(
        "begun with the other GitHub, back at this one",
        |c| {
            c.cookie(&c.with_other.0.clone());
            c.state(&c.with_other.2.clone());
        },
        E::OtherProvider
    ),
    row!(
        "everything of the other GitHub, back at this one",
        |c| {
            c.cookie(&c.with_other.0.clone());
            c.state(&c.with_other.2.clone());
            c.code(&c.with_other.1.clone());
        },
        E::OtherProvider
    ),
    row!("begun with this GitHub, back at the other one", |c| c.back_at = "enterprise".into(), E::OtherProvider),
    row!("back at a provider that there is not", |c| c.back_at = "nobody".into(), E::UnknownProvider),
    row!("back at local accounts", |c| c.back_at = "local".into(), E::UnknownProvider),
    row!("another issuer answers", |c| c.callback.issuer = Some("https://evil.example".into()), E::ForeignCallback(_)),
    row!("the other GitHub answers", |c| c.callback.issuer = Some("https://github.example.com".into()), E::ForeignCallback(_)),
    row!("an issuer with a slash more answers", |c| c.callback.issuer = Some("https://github.com/".into()), E::ForeignCallback(_)),
    row!("an empty issuer answers", |c| c.callback.issuer = Some(String::new()), E::ForeignCallback(_)),
    row!("no", |c| c.callback.error = Some("access_denied".into()), E::Said(_)),
    row!("no, without a code", |c| (c.callback.error, c.callback.code) = (Some("access_denied".into()), None), E::Said(_)),
    row!("the application is suspended", |c| c.callback.error = Some("application_suspended".into()), E::CallbackSaid { .. }),
    row!("an error of a kilobyte", |c| c.callback.error = Some("x".repeat(1000)), E::Said(_)),
    row!("no code", |c| c.callback.code = None, E::NoCode),
    row!("an empty code", |c| c.code(""), E::NoCode),
    row!("a made-up code", |c| c.code("made-up"), E::Said(_)),
    row!("a code with more behind it", |c| c.code(&format!("{}0", c.callback.code.clone().unwrap())), E::Said(_)),
    row!("a code and another parameter", |c| c.code("x&client_secret=y"), E::Said(_)),
    row!("a code of a megabyte", |c| c.code(&"x".repeat(1 << 20)), E::Said(_)),
    row!("a callback that comes twice", |c| c.twice = true, E::Used),
    row!("a code that is over", |c| c.later_ms = 10 * 60_000, E::Said(_)),
    row!("a quarter of an hour later", |c| c.later_ms = 15 * 60_000, E::Over),
    row!("a month later", |c| c.later_ms = 30 * 86_400_000, E::Over),
];
