//! Answers of the token endpoint and of the API that are none.

use falconer_login::ProviderError as E;
use falconer_login::github::GithubError as G;
use falconer_login::http::{HttpError as H, ProviderAnswer};
use serde_json::{Value, json};

use crate::case::Case;
use crate::emulator::{bytes_answer, json_answer, with_header};
use crate::{Row, row};

const TOKEN: &str = "/login/oauth/access_token";

fn token(case: &mut Case, answer: &Value) {
    case.says.answer(TOKEN, json_answer(200, answer));
}

pub const TOKENS: &[Row] = &[
    row!("wrong credentials of ours", |c| token(c, &json!({"error": "incorrect_client_credentials"})), E::Github(G::Client(_))),
    row!("another callback is registered", |c| token(c, &json!({"error": "redirect_uri_mismatch"})), E::Github(G::Client(_))),
    row!("the application is suspended", |c| token(c, &json!({"error": "application_suspended"})), E::Github(G::Client(_))),
    row!("the person's address is not verified", |c| token(c, &json!({"error": "unverified_user_email"})), E::Said(_)),
    row!("an error beside a token", |c| c.says.token = json!({"error": "bad_verification_code"}), E::Said(_)),
    row!("an error of a kilobyte", |c| token(c, &json!({"error": "x".repeat(1000)})), E::Said(_)),
    row!("an error that is a number", |c| token(c, &json!({"error": 1})), E::Malformed { .. }),
    row!("no token", |c| c.says.token = json!({"access_token": null}), E::Malformed { .. }),
    row!("an empty token", |c| c.says.token = json!({"access_token": ""}), E::Malformed { .. }),
    row!("a token that is a number", |c| c.says.token = json!({"access_token": 1}), E::Malformed { .. }),
    row!("a token with a line end", |c| c.says.token = json!({"access_token": "a\r\nX: y"}), E::Malformed { .. }),
    row!("a token with a space", |c| c.says.token = json!({"access_token": "a b"}), E::Malformed { .. }),
    row!("a token beyond ASCII", |c| c.says.token = json!({"access_token": "gho_é"}), E::Malformed { .. }),
    row!("a token of two kilobytes", |c| c.says.token = json!({"access_token": "x".repeat(2048)}), E::Malformed { .. }),
    row!("a refresh token with a line end", |c| c.says.token = json!({"refresh_token": "a\nb"}), E::Malformed { .. }),
    row!("an end that is text", |c| c.says.token = json!({"expires_in": "28800"}), E::Malformed { .. }),
    row!("an end before the beginning", |c| c.says.token = json!({"expires_in": -1}), E::Malformed { .. }),
    row!("an end beyond numbers", |c| c.says.token = json!({"expires_in": 1e30}), E::Malformed { .. }),
    row!("a token of another kind", |c| c.says.token = json!({"token_type": "mac"}), E::TokenType(_)),
    row!("somebody else's token", |c| c.says.token = json!({"access_token": "gho_made_up"}), E::Github(G::TokenRefused)),
    row!("a list", |c| token(c, &json!([])), E::Malformed { .. }),
    row!("text", |c| token(c, &json!("gho_x")), E::Malformed { .. }),
    row!("nothing", |c| c.says.answer(TOKEN, bytes_answer(200, b"")), E::Malformed { .. }),
    row!("a form", |c| c.says.answer(TOKEN, bytes_answer(200, b"access_token=gho_x&token_type=bearer")), E::Malformed { .. }),
    row!("a page", |c| c.says.answer(TOKEN, bytes_answer(200, b"<!doctype html>")), E::Malformed { .. }),
    row!(
        "two tokens",
        |c| c.says.answer(TOKEN, bytes_answer(200, br#"{"access_token":"a","access_token":"b","token_type":"bearer"}"#)),
        E::Malformed { .. }
    ),
    row!("a token, with an error's status", |c| c.says.answer(TOKEN, json_answer(400, &json!({"access_token": "x"}))), E::Status { .. }),
    row!("no client of this name", |c| c.says.answer(TOKEN, json_answer(404, &json!({"error": "Not Found"}))), E::Said(_)),
    row!("an error of the server", |c| c.says.answer(TOKEN, bytes_answer(500, b"{\"error\": \"x\"}")), E::Status { status: 500, .. }),
    row!("a bad gateway", |c| c.says.answer(TOKEN, bytes_answer(502, b"<html>")), E::Status { status: 502, .. }),
    row!("too many at once", |c| c.says.answer(TOKEN, bytes_answer(429, b"")), E::Status { status: 429, .. }),
    row!("a redirect", |c| c.says.answer(TOKEN, Err(H::Redirected)), E::Http { error: H::Redirected, .. }),
    row!("an address inside", |c| c.says.answer(TOKEN, Err(H::Inside("10.0.0.1".into()))), E::Http { error: H::Inside(_), .. }),
    row!("too much", |c| c.says.answer(TOKEN, Err(H::TooLarge)), E::Http { error: H::TooLarge, .. }),
    row!("too slow", |c| c.says.answer(TOKEN, Err(H::TooSlow)), E::Http { error: H::TooSlow, .. }),
    row!("nobody there", |c| c.says.answer(TOKEN, Err(H::Unreachable("x".into()))), E::Http { error: H::Unreachable(_), .. }),
];

fn refused(case: &mut Case, path: &'static str, status: u16, message: &str) {
    case.says.answer(path, json_answer(status, &json!({"message": message})));
}

pub const API: &[Row] = &[
    row!("the token does not count", |c| refused(c, "/user", 401, "Bad credentials"), E::Github(G::TokenRefused)),
    row!("the token counts for half of it", |c| refused(c, "/user/teams", 401, "Bad credentials"), E::Github(G::TokenRefused)),
    row!(
        "the rate is limited",
        |c| {
            let answer = json_answer(403, &json!({"message": "API rate limit exceeded"}));
            c.says.answer("/user", with_header(answer, "x-ratelimit-remaining", "0"));
        },
        E::Github(G::RateLimited)
    ),
    row!(
        "the rate is limited for a minute",
        |c| c.says.answer("/user/orgs", with_header(json_answer(403, &json!({"message": "Wait."})), "retry-after", "60")),
        E::Github(G::RateLimited)
    ),
    row!(
        "the rate is limited in words alone",
        |c| refused(c, "/user/teams", 403, "You have exceeded a secondary rate limit. Please wait."),
        E::Github(G::RateLimited)
    ),
    row!("the rate is limited, as others say it", |c| refused(c, "/user", 429, ""), E::Github(G::RateLimited)),
    row!("the account is suspended", |c| refused(c, "/user", 403, "Sorry. Your account was suspended."), E::Github(G::Suspended)),
    row!("no permission for addresses", |c| refused(c, "/user/emails", 403, "Resource not accessible"), E::Github(G::Denied { .. })),
    row!("no scope for addresses", |c| refused(c, "/user/emails", 404, "Not Found"), E::Github(G::Denied { .. })),
    row!("an address that organisations do not let in", |c| refused(c, "/user/orgs", 403, "IP allow list"), E::Github(G::Denied { .. })),
    row!(
        "the account itself wants a single sign-on",
        |c| {
            let answer = json_answer(403, &json!({"message": "Resource protected by organization SAML enforcement."}));
            c.says.answer("/user", with_header(answer, "x-github-sso", "required; url=https://github.com/orgs/x/sso"));
        },
        E::Github(G::Denied { .. })
    ),
    row!("not found", |c| refused(c, "/user", 404, "Not Found"), E::Github(G::Denied { .. })),
    row!("a refusal of a kilobyte", |c| refused(c, "/user", 403, &"x".repeat(1000)), E::Github(G::Denied { .. })),
    row!("a refusal without words", |c| c.says.answer("/user", bytes_answer(403, b"<html>")), E::Github(G::Denied { .. })),
    row!("an empty answer", |c| c.says.answer("/user", bytes_answer(204, b"")), E::Github(G::Denied { status: 204, .. })),
    row!("not modified", |c| c.says.answer("/user", bytes_answer(304, b"")), E::Github(G::Denied { status: 304, .. })),
    row!("an error of the server", |c| refused(c, "/user", 500, "x"), E::Status { status: 500, .. }),
    row!("an error of the server, of the teams alone", |c| refused(c, "/user/teams", 503, "x"), E::Status { status: 503, .. }),
    row!("no JSON", |c| c.says.answer("/user", bytes_answer(200, b"octocat")), E::Malformed { .. }),
    row!("half of JSON", |c| c.says.answer("/user", bytes_answer(200, b"{\"id\":1,")), E::Malformed { .. }),
    row!("JSON that is deep", |c| c.says.answer("/user", bytes_answer(200, "[".repeat(100_000).as_bytes())), E::Malformed { .. }),
    row!("bytes", |c| c.says.answer("/user", bytes_answer(200, &[0xff; 100])), E::Malformed { .. }),
    row!("a redirect of the account", |c| c.says.answer("/user", Err(H::Redirected)), E::Http { error: H::Redirected, .. }),
    row!("a redirect of the teams", |c| c.says.answer("/user/teams", Err(H::Redirected)), E::Http { error: H::Redirected, .. }),
    row!("the API lies inside", |c| c.says.answer("/user", Err(H::Inside("127.0.0.1".into()))), E::Http { error: H::Inside(_), .. }),
    row!("an account that is too long", |c| c.says.answer("/user", Err(H::TooLarge)), E::Http { error: H::TooLarge, .. }),
    row!("organisations that are too long", |c| c.says.answer("/user/orgs", Err(H::TooLarge)), E::Http { error: H::TooLarge, .. }),
    row!("an account that is slow", |c| c.says.answer("/user", Err(H::TooSlow)), E::Http { error: H::TooSlow, .. }),
    row!("addresses that are slow", |c| c.says.answer("/user/emails", Err(H::TooSlow)), E::Http { error: H::TooSlow, .. }),
    row!("teams that are slow", |c| c.says.answer("/user/teams", Err(H::TooSlow)), E::Http { error: H::TooSlow, .. }),
    row!("nobody there", |c| c.says.answer("/user", Err(H::Unreachable("x".into()))), E::Http { error: H::Unreachable(_), .. }),
];

pub const PAGES: &[Row] = &[
    row!("pages without end", |c| c.says.next = Some("https://api.github.com/user/orgs?per_page=100&page=1"), E::Github(_)),
    row!(
        "organisations without end",
        |c| {
            let page =
                ProviderAnswer { headers: vec![("link", "<https://api.github.com/user/orgs?page=2>; rel=\"next\"".into())], ..list() };
            c.says.answer("/user/orgs", Ok(page));
        },
        E::Github(G::Endless(_))
    ),
    row!(
        "teams without end",
        |c| {
            let page =
                ProviderAnswer { headers: vec![("link", "<https://api.github.com/user/teams?page=2>; rel=\"next\"".into())], ..list() };
            c.says.answer("/user/teams", Ok(page));
        },
        E::Github(G::Endless(_))
    ),
    row!("a page of another host", |c| c.says.next = Some("https://evil.example/user/orgs?page=2"), E::Github(G::PageElsewhere { .. })),
    row!("a page inside", |c| c.says.next = Some("http://169.254.169.254/latest"), E::Github(G::PageElsewhere { .. })),
    row!("a page without TLS", |c| c.says.next = Some("http://api.github.com/user/orgs"), E::Github(G::PageElsewhere { .. })),
    row!("a page of another port", |c| c.says.next = Some("https://api.github.com:8443/user/orgs"), E::Github(G::PageElsewhere { .. })),
    row!("a page with a user", |c| c.says.next = Some("https://x@api.github.com/user/orgs"), E::Github(G::PageElsewhere { .. })),
    row!("a page whose host is a user", |c| c.says.next = Some("https://api.github.com@evil.example/"), E::Github(G::PageElsewhere { .. })),
    row!(
        "a page of the other GitHub",
        |c| c.says.next = Some("https://github.example.com/api/v3/user/orgs"),
        E::Github(G::PageElsewhere { .. })
    ),
    row!("a page of something else", |c| c.says.next = Some("https://api.github.com/user/keys"), E::Github(G::PageElsewhere { .. })),
    row!("a page somewhere below", |c| c.says.next = Some("/user/orgs?page=2"), E::Github(G::PageElsewhere { .. })),
    row!("a page of no URL", |c| c.says.next = Some("next"), E::Github(G::PageElsewhere { .. })),
    row!("a page of a script", |c| c.says.next = Some("javascript:alert(1)"), E::Github(G::PageElsewhere { .. })),
    row!("a page of a file", |c| c.says.next = Some("file:///etc/passwd"), E::Github(G::PageElsewhere { .. })),
    row!(
        "1001 organisations",
        |c| c.says.orgs = (0..1001).map(|n| json!({"id": n + 1, "login": format!("org-{n}")})).collect(),
        E::Github(G::Endless(_))
    ),
];

fn list() -> ProviderAnswer {
    ProviderAnswer { status: 200, content_type: "application/json".into(), body: b"[]".to_vec(), ..ProviderAnswer::default() }
}
