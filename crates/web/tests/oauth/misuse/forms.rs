//! Forms that somebody else has a browser send (CSRF, login CSRF), sessions that somebody else has chosen (fixation), and pages in a frame of somebody else.

use crate::site::applications::{DECISION, Fields, authorization_fields, authorize, fields};
use crate::site::{Browser, PASSWORD, Site, encode, site, with};
use crate::widening::{PAGE as MORE, request_for_more};
use http::{Method, StatusCode};

/// Forms that do something for whoever is signed in: what it is, the page that has it, and its action. `{request}` is the page of an application, `{more}` the one of somebody who has a grant and asks for more.
pub const FORMS: [(&str, &str, &str); 10] = [
    ("sign in", "/login", "/login"),
    ("Grant", "{request}", DECISION),
    ("a device's code", "/device", "/device"),
    ("Grant for a device", "{device}", "/device/decision"),
    ("Grant for who asks for more", "{more}", MORE),
    ("Refuse for who asks for more", "{more}", MORE),
    ("revoke a grant", "/me/grants", "/me/grants/revoke"),
    ("sign out for an application", "/login/oauth/logout", "/login/oauth/logout/decision"),
    ("sign out", "/", "/logout"),
    ("sign out everywhere", "/", "/me/signout-everywhere"),
];

/// How somebody else has it sent. Each is 403, and nothing is done.
pub const SENT: [(&str, &str, &str); 8] = [
    ("without its token", "", ""),
    ("with a token that somebody made up", "0123456789012345678901", ""),
    ("with the token of somebody else's session", "{theirs}", ""),
    ("from another site", "{own}", "https://evil.example"),
    ("from a page without an origin", "{own}", "null"),
    ("from a site whose name begins alike", "{own}", "https://auth.example.com.evil.example"),
    ("from a host below it", "{own}", "https://x.auth.example.com"),
    ("from the same host in the clear", "{own}", "http://auth.example.com"),
];

/// The form as the page of this browser has it.
async fn form(site: &Site, browser: &mut Browser<'_>, what: &str, page: &str, action: &str) -> Fields {
    let page = match page {
        "{request}" => browser.get(&authorize(&authorization_fields())).await,
        "{device}" => {
            let asked = site.application("/login/oauth/device_authorization", &fields(&[("client_id", "tv")]), None).await.json();
            let typed = browser.get("/device").await.form("/device");
            browser.post("/device", &with(typed, &[("user_code", asked["user_code"].as_str().unwrap())])).await
        }
        "{more}" => {
            let waiting = request_for_more(site, browser).await;
            browser.get(&waiting).await
        }
        path => browser.get(path).await,
    };
    let more: &[(&str, &str)] = match action {
        "/login" => &[("name", "ann"), ("password", PASSWORD)],
        MORE if what.starts_with("Refuse") => &[("cancel", "yes")],
        _ => &[("visible_ms", "2000")],
    };
    with(page.form(action), more)
}

#[tokio::test]
async fn no_form_counts_that_somebody_else_has_sent() {
    let site = site().await;
    let mut bob = site.somebody("bob", &["notes:*"]).await;
    bob.code(&authorization_fields()).await;
    let mut ann = site.ann().await;
    ann.code(&authorization_fields()).await;
    for (what, page, action) in FORMS {
        let (mut victim, mut attacker) = if action == "/login" { (site.browser(), site.browser()) } else { (ann.clone(), bob.clone()) };
        let own = form(&site, &mut victim, what, page, action).await;
        let theirs = form(&site, &mut attacker, what, page, action).await;
        let token = if action == "/login" { "form" } else { "csrf" };
        let of = |form: &Fields| form.iter().find(|(name, _)| name == token).unwrap_or_else(|| panic!("{what}: {form:?}")).1.clone();
        for (how, value, origin) in SENT {
            let value = value.replace("{own}", &of(&own)).replace("{theirs}", &of(&theirs));
            let sent = with(own.clone(), &[(token, value.as_str())]);
            let (origin, kind) = if origin.is_empty() { (site.origin.as_str(), "same-origin") } else { (origin, "cross-site") };
            let headers = [("origin", origin), ("sec-fetch-site", kind)];
            let signed_in = victim.is_signed_in();
            let answer = victim.send(Method::POST, action, &headers, Some(encode(&sent))).await;
            assert_eq!((answer.status, answer.header("location")), (StatusCode::FORBIDDEN, ""), "{what} {how}: {}", answer.text);
            assert_eq!(victim.is_signed_in(), signed_in, "{what} {how}");
        }
    }
    // One, and one of each of the two who ask for more.
    assert!(ann.get("/").await.text.contains("3 active grants<"), "nothing was granted, revoked or ended");
    assert!(bob.get("/").await.text.contains("3 active grants<"));
    assert!(ann.get("/").await.text.contains("Asks for more (2)"), "nothing was refused");
}

/// Values that somebody has put into a browser as its session before a person signs in there.
pub const FIXED: [&str; 4] =
    ["a value that nobody gave out", "the session of somebody else", "a session that was signed out", "an empty value"];

#[tokio::test]
async fn nobody_chooses_the_session_of_somebody_else() {
    let site = site().await;
    let cookie = |browser: &Browser<'_>| browser.cookies.iter().find(|(name, _)| name == "__Host-falconer").map(|(_, value)| value.clone());
    for what in FIXED {
        let mut attacker = site.ann().await;
        let known = cookie(&attacker).unwrap();
        let planted = match what {
            "a value that nobody gave out" => "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            "an empty value" => String::new(),
            "a session that was signed out" => {
                let form = attacker.get("/").await.form("/logout");
                attacker.post("/logout", &form).await;
                known
            }
            _ => known,
        };
        let mut victim = site.browser();
        let form = with(victim.get("/login").await.form("/login"), &[("name", "ann"), ("password", PASSWORD)]);
        victim.cookies.push(("__Host-falconer".to_owned(), planted.clone()));
        let answer = victim.post("/login", &form).await;
        let given = cookie(&victim).unwrap();
        let attributes: Vec<&str> = answer.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok()).collect();
        let own = attributes.iter().find(|cookie| cookie.starts_with("__Host-falconer="));
        if what == "the session of somebody else" && own.is_none() {
            // Whoever is signed in there has to sign out first: the form signs nobody in.
            assert_eq!(given, planted);
            continue;
        }
        let own = own.unwrap_or_else(|| panic!("{what}: {} {attributes:?}", answer.status));
        assert!(own.contains("; HttpOnly") && own.contains("; Secure") && own.contains("; Path=/") && !own.contains("Domain"), "{own}");
        assert_ne!(given, planted, "{what}: the value is the server's own");
        let mut with_planted = site.browser();
        with_planted.cookies.push(("__Host-falconer".to_owned(), planted));
        let page = with_planted.get("/me/grants").await;
        assert!(what == "the session of somebody else" || page.header("location").starts_with("/login"), "{what}: {}", page.status);
    }
}

/// Pages that nobody may show in a frame. `{request}` and `{device}` as above; `{wrong}` is one that says what is wrong.
pub const PAGES: [&str; 10] =
    ["/login", "{request}", "{device}", "{more}", "{wrong}", "/device", "/login/oauth/logout", "/", "/me/grants", "/login/recovery"];

#[tokio::test]
async fn no_page_stands_in_a_frame_of_somebody_else() {
    let site = site().await;
    let mut ann = site.ann().await;
    for path in PAGES {
        let mut browser = if path.starts_with("/login") && path != "/login/oauth/logout" { site.browser() } else { ann.clone() };
        let page = match path {
            "{request}" => browser.get(&authorize(&authorization_fields())).await,
            "{wrong}" => browser.get("/login/oauth/authorize?client_id=nobody").await,
            "{device}" => {
                let asked = site.application("/login/oauth/device_authorization", &fields(&[("client_id", "tv")]), None).await.json();
                let typed = ann.get("/device").await.form("/device");
                ann.post("/device", &with(typed, &[("user_code", asked["user_code"].as_str().unwrap())])).await
            }
            "{more}" => {
                let waiting = request_for_more(&site, &mut ann).await;
                ann.get(&waiting).await
            }
            path => browser.get(path).await,
        };
        assert!(page.text.contains("<html"), "{path}: {} {}", page.status, page.text);
        let policy = page.header("content-security-policy");
        assert!(policy.split("; ").any(|part| part == "frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin", "{path}");
    }
}
