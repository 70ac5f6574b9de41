//! The plans of the OpenID conformance suite (config, basic, PKCE, refresh, DPoP) as tables: each row is a check of its own that a test runs, with the section that it comes
//! from. `docs/reference/openid-conformance.md` is written from the same rows, so that a row that is lost is seen there, and a plan that shrinks fails.
//!
//! To add a check: a row in the table that it belongs to, here or in the file beside this one that sends such requests; then `UPDATE_VERDICTS=1 cargo test -p
//! falconer-web --test oauth conformance`.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use super::{
    Changes, authentication_request, backchannel, changed, discovery, exchanges, id_tokens, logout, redeem, refreshed, refreshes, requests,
};
use super::{user_info, verified};
use crate::site::applications::{CALLBACK, DECISION, SECRET, authorize, parameter};
use crate::site::{Page, Site, site, with};
use http::{Request, StatusCode};
use serde_json::Value;

/// What the server says of itself, as a program reads it that knows the issuer and nothing else.
struct Published {
    openid: Page,
    oauth: Page,
    keys: Page,
}

impl Published {
    async fn read(site: &Site) -> Published {
        let get = async |path: &str| site.send(Request::get(path).body(axum::body::Body::empty()).unwrap()).await;
        let openid = get("/.well-known/openid-configuration").await;
        let keys = openid.json()["jwks_uri"].as_str().unwrap().strip_prefix(&site.origin).unwrap().to_owned();
        Published { openid, oauth: get("/.well-known/oauth-authorization-server").await, keys: get(&keys).await }
    }

    fn says(&self, member: &str) -> Value {
        self.openid.json()[member].clone()
    }

    fn lists(&self, member: &str, value: &str) -> bool {
        self.says(member).as_array().is_some_and(|listed| listed.iter().any(|one| one == value))
    }

    fn each_key(&self, holds: impl Fn(&Value) -> bool) -> bool {
        self.keys.json()["keys"].as_array().is_some_and(|keys| !keys.is_empty() && keys.iter().all(holds))
    }
}

/// What holds of all that is published.
type Holds = fn(&Published) -> bool;

/// Checks of the plan `config` that no single member shows.
const PUBLISHED: [(&str, &str, Holds); 16] = [
    ("Discovery 4.1", "the document is at the issuer and `/.well-known/openid-configuration`", |p| p.openid.status == StatusCode::OK),
    ("Discovery 4.2", "it is `application/json`", |p| p.openid.header("content-type") == "application/json"),
    ("Discovery 4.3", "its `issuer` is where it was read, letter by letter", |p| p.says("issuer") == "https://auth.example.com"),
    ("Discovery 3", "every address is below the issuer, over `https`", |p| {
        let document = p.openid.json();
        let addresses = document.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_uri"));
        addresses.map(|(_, address)| address).all(|address| address.as_str().unwrap().starts_with("https://auth.example.com/"))
    }),
    ("Discovery 3", "the flow of codes is there", |p| p.lists("response_types_supported", "code")),
    ("Discovery 3", "and the grant for it", |p| p.lists("grant_types_supported", "authorization_code")),
    ("Discovery 3", "and that of refresh tokens", |p| p.lists("grant_types_supported", "refresh_token")),
    ("Discovery 3", "nothing signs with `none`", |p| !p.lists("id_token_signing_alg_values_supported", "none")),
    ("RFC 8414 2, RFC 7636 6.2", "PKCE is `S256`, and `plain` is not there", |p| {
        p.lists("code_challenge_methods_supported", "S256") && !p.lists("code_challenge_methods_supported", "plain")
    }),
    ("RFC 8414 3", "what stands in both documents is the same", |p| {
        let (openid, oauth) = (p.openid.json(), p.oauth.json());
        ["issuer", "authorization_endpoint", "token_endpoint"].iter().all(|name| openid[name] == oauth[name] && !oauth[name].is_null())
    }),
    ("RFC 7517 5", "`jwks_uri` has a list of keys", |p| p.each_key(Value::is_object)),
    ("RFC 7517 4.5", "each key has an id, and no two the same", |p| {
        let keys = p.keys.json();
        let ids: std::collections::BTreeSet<&str> = keys["keys"].as_array().unwrap().iter().filter_map(|key| key["kid"].as_str()).collect();
        ids.len() == keys["keys"].as_array().unwrap().len()
    }),
    ("RFC 7517 4.2", "each key is for signatures", |p| p.each_key(|key| key["use"] == "sig")),
    ("RFC 7517 4.4", "each key says its algorithm, and the document names that", |p| {
        p.each_key(|key| p.lists("id_token_signing_alg_values_supported", key["alg"].as_str().unwrap()))
    }),
    ("RFC 7518 6.2.2, 6.3.2", "no private part is published", |p| {
        p.each_key(|key| ["d", "p", "q", "dp", "dq", "qi", "k"].iter().all(|part| key[part].is_null()))
    }),
    ("RFC 7517 5", "it is `application/json`, for everybody", |p| {
        p.keys.status == StatusCode::OK && p.keys.header("content-type") == "application/json"
    }),
];

#[tokio::test]
async fn what_is_published_is_as_the_table_has_it() {
    let site = site().await;
    let published = Published::read(&site).await;
    for (section, what, holds) in PUBLISHED {
        assert!(holds(&published), "{section}: {what}");
    }
}

/// Requests that a plan makes with something else than usual, and that lead to an ID token: the section, what it is, what is another, the claim that is looked at and
/// its value; empty: it is not there.
const ACCEPTED: [(&str, &str, Changes, &str, &str); 14] = [
    ("Core 3.1.2.1", "no `nonce`", &[("nonce", "")], "nonce", ""),
    ("Core 3.1.2.1", "a `nonce`, which comes back", &[("nonce", "n-0S6_WzA2Mj")], "nonce", "n-0S6_WzA2Mj"),
    ("Core 3.1.2.1", "no `state`", &[("state", "")], "nonce", "n&0"),
    ("Core 3.1.2.1", "`display=page`", &[("display", "page")], "nonce", "n&0"),
    ("Core 3.1.2.1", "`display=popup`", &[("display", "popup")], "nonce", "n&0"),
    ("Core 3.1.2.1", "`max_age=10000` soon after the sign-in", &[("max_age", "10000")], "acr", "1"),
    ("Core 3.1.2.1", "`prompt=consent`", &[("prompt", "consent")], "nonce", "n&0"),
    ("Core 3.1.2.1", "`login_hint`", &[("login_hint", "bob@example.com")], "email", "ann@example.com"),
    ("Core 3.1.2.1", "`ui_locales`", &[("ui_locales", "se")], "nonce", "n&0"),
    ("Core 5.2", "`claims_locales`", &[("claims_locales", "se")], "nonce", "n&0"),
    ("Core 3.1.2.1", "`acr_values`", &[("acr_values", "1 2")], "acr", "1"),
    ("Core 3.1.2.1", "a parameter that there is none", &[("extra", "foobar")], "nonce", "n&0"),
    ("Core 3.1.2.1", "scopes in another order", &[("scope", "email openid profile")], "email", "ann@example.com"),
    ("Core 5.5", "`claims`, which are passed over", &[("claims", r#"{"id_token":{"email":null}}"#), ("scope", "openid")], "email", ""),
];

#[tokio::test]
async fn requests_that_are_good_lead_to_an_id_token() {
    let site = site().await;
    let mut ann = site.ann().await;
    for (section, what, changes, claim, value) in ACCEPTED {
        let (_, claims) = site.signs_in(&mut ann, &changed(authentication_request(), changes)).await;
        assert_eq!(claims[claim].as_str().unwrap_or_default(), value, "{section}: {what}");
    }
}

/// What somebody has to do, or need not do, before an application has its answer.
const SIGN_INS: [(&str, &str); 6] = [
    ("Core 3.1.2.6", "`prompt=none`, nobody is signed in: `login_required`"),
    ("Core 3.1.2.6", "`prompt=none`, somebody has let the application go unasked: a code"),
    ("Core 3.1.2.3", "`prompt=login`: a sign-in, although somebody is signed in"),
    ("Core 3.1.2.3", "`max_age=1`, two seconds later: a sign-in"),
    ("Core 3.1.2.1", "the request as a form: the same page"),
    ("Core 3.1.2.6", "Cancel: `access_denied`"),
];

#[tokio::test]
async fn who_signs_in_is_as_the_table_has_it() {
    let site = site().await;
    for (number, (section, what)) in SIGN_INS.iter().enumerate() {
        let mut ann = site.ann().await;
        let request = |changes: &[(&str, &str)]| authorize(&with(authentication_request(), changes));
        let holds = match number {
            0 => site.browser().get(&request(&[("prompt", "none")])).await.location().contains("?error=login_required&"),
            1 => {
                let of_ours = [("client_id", "ours"), ("scope", "openid notes:read:*"), ("prompt", "none")];
                parameter(ann.get(&request(&of_ours)).await.location(), "code").is_some()
            }
            2 => ann.get(&request(&[("prompt", "login")])).await.location().starts_with("/me/again?anew=yes&"),
            3 => {
                site.clock.0.fetch_add(2_000, Ordering::SeqCst);
                ann.get(&request(&[("max_age", "1")])).await.location().starts_with("/me/again?anew=yes&")
            }
            4 => {
                let form = crate::site::encode(&authentication_request());
                let to = ann.send(http::Method::POST, "/login/oauth/authorize", &[], Some(form)).await;
                ann.get(to.location()).await.text.contains(DECISION)
            }
            _ => {
                let page = ann.get(&request(&[])).await;
                let cancelled = ann.post(DECISION, &with(page.form(DECISION), &[("cancel", "yes")])).await;
                cancelled.location().starts_with(&format!("{CALLBACK}?error=access_denied&"))
            }
        };
        assert!(holds, "{section}: {what}");
    }
}

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

/// Verifiers and what comes of them: the section, what it is, the letters, how many of them, and whether it is taken.
const VERIFIERS: [(&str, &str, &str, usize, bool); 8] = [
    ("RFC 7636 4.1", "43 characters, the fewest", LETTERS, 43, true),
    ("RFC 7636 4.1", "128 characters, the most", LETTERS, 128, true),
    ("RFC 7636 4.1", "each character that there may be", LETTERS, 66, true),
    ("RFC 7636 4.1", "42 characters", LETTERS, 42, false),
    ("RFC 7636 4.1", "129 characters", LETTERS, 129, false),
    ("RFC 7636 4.1", "a `+`", "abc+", 64, false),
    ("RFC 7636 4.1", "a blank", "abc ", 64, false),
    ("RFC 7636 4.1", "letters that are no ASCII", "é", 64, false),
];

#[tokio::test]
async fn verifiers_are_taken_as_the_table_has_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    for (section, what, letters, length, is_taken) in VERIFIERS {
        let verifier: String = letters.chars().cycle().take(length).collect();
        let challenge = falconer_login::pkce_challenge(&verifier);
        let code = ann.code(&with(authentication_request(), &[("code_challenge", &challenge)])).await;
        let answer = site.token(&with(redeem(&code), &[("code_verifier", &verifier)])).await;
        if is_taken {
            assert_eq!(answer.status, StatusCode::OK, "{section}: {what}: {}", answer.text);
        } else {
            assert_eq!(answer.oauth_error(), (400, "invalid_grant".to_owned()), "{section}: {what}");
        }
    }
}

/// Refresh tokens from one use to the next.
const ROTATION: [(&str, &str); 7] = [
    ("Core 12.2", "the answer has an access token, an ID token and how long the first one counts"),
    ("RFC 9700 4.14.2", "each use gives another refresh token"),
    ("RFC 6749 6", "the access token before it goes on until its end"),
    ("RFC 9700 4.14.2", "a second use of one: `invalid_grant`"),
    ("RFC 9700 4.14.2", "and then the newest one, and the access tokens, count no more"),
    ("RFC 6749 6", "an application with a secret refreshes with it"),
    ("RFC 6749 10.4", "one of an application with a secret, without it: `invalid_client`, and nothing ends"),
];

#[tokio::test]
async fn refresh_tokens_rotate_as_the_table_has_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    let of_server = [("client_id", "who-server"), ("client_secret", SECRET)];
    let mut ran = 0;
    let mut check = |number: usize, holds: bool| {
        ran += 1;
        let (section, what) = ROTATION[number];
        assert!(holds, "{section}: {what}");
    };
    let (first, _) = site.signs_in(&mut ann, &authentication_request()).await;
    let second = site.token(&refreshes(&first)).await.json();
    check(0, second["access_token"].is_string() && second["id_token"].is_string() && second["expires_in"] == 600);
    check(1, second["refresh_token"].is_string() && second["refresh_token"] != first["refresh_token"]);
    let counts = async |answer: &Value| site.user_info(answer["access_token"].as_str().unwrap()).await.status == StatusCode::OK;
    check(2, counts(&first).await && counts(&second).await);
    check(3, site.token(&refreshes(&first)).await.oauth_error() == (400, "invalid_grant".to_owned()));
    let newest = site.token(&refreshes(&second)).await;
    check(4, newest.status == StatusCode::BAD_REQUEST && !counts(&first).await && !counts(&second).await);
    let code = ann.code(&with(authentication_request(), &[("client_id", "who-server")])).await;
    let first = site.token(&with(redeem(&code), &of_server)).await.json();
    let without = site.token(&with(refreshes(&first), &[("client_id", "who-server")])).await;
    let second = site.token(&with(refreshes(&first), &of_server)).await;
    verified(second.json()["id_token"].as_str().unwrap(), &site.plain("/login/oauth/jwks").await);
    check(5, second.status == StatusCode::OK);
    check(6, without.oauth_error() == (401, "invalid_client".to_owned()));
    assert_eq!(ran, ROTATION.len());
}

/// One row: the section, what is tried, and what comes of it.
type Check = (String, String, String);

fn check(section: &str, what: impl Into<String>, comes: impl Into<String>) -> Check {
    (section.to_owned(), what.into(), comes.into())
}

fn config() -> Vec<Check> {
    let published = PUBLISHED.iter().map(|(section, what, _)| check(section, *what, "holds"));
    let members =
        discovery::members().into_iter().map(|(section, member, value)| check(section, format!("`{member}`"), format!("`{value}`")));
    published.chain(members).collect()
}

/// Rows of the requests and exchanges that are refused: those about PKCE, or the others.
fn refused(about_pkce: bool) -> impl Iterator<Item = Check> {
    let requested = requests::REFUSED.iter().map(|(section, what, _, error)| check(section, *what, format!("`{error}`")));
    let exchanged = exchanges::REFUSED
        .iter()
        .map(|(section, what, _, (status, error))| check(section, format!("exchange: {what}"), format!("{status} `{error}`")));
    requested.chain(exchanged).filter(move |(section, ..)| section.starts_with("RFC 7636") == about_pkce)
}

fn basic() -> Vec<Check> {
    let accepted = ACCEPTED.iter().map(|(section, what, ..)| check(section, *what, "an ID token"));
    let sign_ins = SIGN_INS.iter().map(|(section, what)| check(section, *what, "holds"));
    let is_accepted = |changes: Changes| ACCEPTED.iter().any(|(_, _, accepted, ..)| *accepted == changes);
    let ignored = requests::IGNORED.iter().filter(|(_, changes)| !is_accepted(changes)).map(|(section, changes)| {
        let [(name, value), ..] = *changes else { panic!("a row without a parameter") };
        check(section, format!("`{name}={value}`"), "the page, as without it")
    });
    let shown = requests::SHOWN.iter().map(|(section, what, _)| check(section, *what, "a page; the browser is sent nowhere"));
    let once = requests::ONCE.iter().map(|(section, name)| check(section, format!("`{name}` twice"), "`invalid_request`"));
    let proofs = exchanges::PROOFS.iter().map(|(section, way, _)| check(section, format!("exchange: {way}"), "an ID token"));
    let claims = id_tokens::claims().into_iter().map(|(section, claim, value)| {
        check(section, format!("ID token: `{claim}`"), if value.is_null() { "not there".to_owned() } else { format!("`{value}`") })
    });
    let scopes = id_tokens::SCOPES.iter().map(|(section, scope, there, absent)| {
        let list = |claims: &[&str]| claims.iter().map(|claim| format!("`{claim}`")).collect::<Vec<_>>().join(", ");
        check(section, format!("`scope={scope}`"), format!("{}; not {}", list(there), list(absent)))
    });
    let people =
        user_info::REFUSED.iter().map(|(section, sent, error)| check(section, format!("userinfo: {sent}"), format!("401 `{error}`")));
    let gone = logout::ASKED.iter().map(|(section, sent, leads)| {
        let query: Vec<String> = sent.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let comes = if leads.is_empty() { "a page says what is wrong".to_owned() } else { format!("`{leads}`") };
        check(section, format!("sign-out: `{}`", query.join("&")).replace("``", "nothing"), comes)
    });
    let all = accepted.chain(sign_ins).chain(ignored).chain(refused(false)).chain(shown).chain(once).chain(proofs);
    all.chain(claims).chain(scopes).chain(people).chain(gone).collect()
}

fn pkce() -> Vec<Check> {
    let verifiers = VERIFIERS.iter().map(|(section, what, _, _, is_taken)| {
        check(section, format!("verifier: {what}"), if *is_taken { "tokens" } else { "400 `invalid_grant`" })
    });
    let by_table = crate::refused::rows(|to, rfc| matches!(to, "authorize" | "token") && (rfc.starts_with("7636") || rfc == "9700 2.1.1"));
    verifiers.chain(refused(true)).chain(by_table).collect()
}

fn refresh() -> Vec<Check> {
    let rotation = ROTATION.iter().map(|(section, what)| check(section, *what, "holds"));
    let claims = refreshed::CLAIMS.iter().map(|(section, claim, now)| {
        let comes = match now {
            refreshed::Now::Same => "as in the first",
            refreshed::Now::Later => "later by as much",
            refreshed::Now::Absent => "not there",
        };
        check(section, format!("the second ID token: `{claim}`"), comes)
    });
    let scopes = refreshed::SCOPES.iter().map(|(section, scope, error)| {
        check(section, format!("`scope={scope}`"), error.map_or("tokens".to_owned(), |error| format!("400 `{error}`")))
    });
    rotation.chain(claims).chain(scopes).chain(crate::refused::rows(|to, _| to == "refresh")).collect()
}

fn backchannel() -> Vec<Check> {
    let claims = backchannel::CLAIMS.iter().map(|(section, claim, comes)| check(section, format!("logout token: `{claim}`"), *comes));
    let ways = backchannel::WAYS.iter().map(|(section, what)| check(section, format!("told when {what}"), "one logout token"));
    let others = backchannel::NOT_TOLD.iter().map(|(section, what)| check(section, *what, "nobody is told"));
    let answers = backchannel::ANSWERS.iter().map(|(section, what, comes, _)| check(section, format!("the application: {what}"), *comes));
    let registered = crate::registration::refused::backchannel();
    claims.chain(ways).chain(others).chain(answers).chain(registered).collect()
}

/// The plans: their names, the fewest checks that each has, and its checks.
fn plans() -> [(&'static str, usize, Vec<Check>); 8] {
    [
        ("Config", 32, config()),
        ("Basic", 120, basic()),
        ("PKCE", 30, pkce()),
        ("Refresh", 50, refresh()),
        ("Back-Channel Logout", 35, backchannel()),
        ("DPoP", 130, crate::dpop::plan::rows()),
        ("Signed access tokens", 39, crate::signed::plan::rows()),
        ("Private Key JWT", 65, crate::keys::rows()),
    ]
}

const HEAD: &str = "# OpenID conformance\n\n\
    The plans of the OpenID conformance suite for providers, made anew: every row is a request, or something in an answer, that a test tries on the server each time that it\n\
    is built. Written by the test `conformance` of `crates/web/tests/oauth`; do not edit.\n\n\
    `Core` is [OpenID Connect Core 1.0](https://openid.net/specs/openid-connect-core-1_0.html), `Discovery` OpenID Connect Discovery 1.0, `Logout` RP-Initiated Logout 1.0,\n\
    `Back-Channel` Back-Channel Logout 1.0,\n\
    `Form Post` OAuth 2.0 Form Post Response Mode. The suite itself was not run. What is not there at all is [here](../openid-connect.md#what-is-not-there).\n";

#[test]
fn the_page_of_the_plans_is_what_is_tried() {
    let plans = plans();
    let total: usize = plans.iter().map(|(_, _, checks)| checks.len()).sum();
    let mut page = format!("{HEAD}\n| plan | checks |\n| --- | --- |\n");
    for (name, fewest, checks) in &plans {
        assert!(checks.len() >= *fewest, "{name} has lost checks: {} of {fewest}", checks.len());
        let mut seen = std::collections::BTreeSet::new();
        assert!(checks.iter().all(|row| !row.0.is_empty() && seen.insert(row)), "a row of {name} is there twice, or has no section");
        _ = writeln!(page, "| [{name}](#{}) | {} |", name.to_lowercase().replace(' ', "-"), checks.len());
    }
    _ = writeln!(page, "| all | {total} |");
    assert!(total >= 400, "{total}");
    for (name, _, checks) in &plans {
        _ = writeln!(page, "\n## {name}\n");
        page.push_str("| section | what is tried | what comes of it |\n| --- | --- | --- |\n");
        for (section, what, comes) in checks {
            _ = writeln!(page, "| {section} | {} | {} |", what.replace('|', "\\|"), comes.replace('|', "\\|"));
        }
    }
    crate::snapshot::is_as_it_was_read("../../../docs/reference/openid-conformance.md", &page);
}
