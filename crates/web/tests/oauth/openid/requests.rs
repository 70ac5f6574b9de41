//! What an application asks for, and what is refused.

use std::sync::atomic::Ordering;

use super::{Changes, authentication_request, changed, redeem, verified};
use crate::site::applications::{CALLBACK, DECISION, Fields, authorize, parameter};
use crate::site::{PASSWORD, Page, Site, encode, site, with};
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};

/// Requests that are refused at the redirect URI.
pub const REFUSED: [(&str, &str, Changes, &str); 34] = [
    ("Core 3.1.2.6", "none and nothing remembered", &[("prompt", "none")], "consent_required"),
    ("Core 3.1.2.1", "none with another", &[("prompt", "none login")], "invalid_request"),
    ("Core 3.1.2.1", "none with another, the other way round", &[("prompt", "consent none")], "invalid_request"),
    ("Core 3.1.2.1", "a prompt that there is none", &[("prompt", "select_account")], "invalid_request"),
    ("Core 3.1.2.1", "a prompt in capitals", &[("prompt", "NONE")], "invalid_request"),
    ("Core 3.1.2.1", "an age below nothing", &[("max_age", "-1")], "invalid_request"),
    ("Core 3.1.2.1", "an age that is no number", &[("max_age", "soon")], "invalid_request"),
    ("Core 3.1.2.1", "an age with a fraction", &[("max_age", "1.5")], "invalid_request"),
    ("Core 3.1.2.1", "an age beyond what a number holds", &[("max_age", "99999999999999999999")], "invalid_request"),
    ("Core 3.1.2.1", "an age beyond a year", &[("max_age", "999999999")], "invalid_request"),
    ("Core 3.1.2.1", "a nonce with a line end", &[("nonce", "a\nb")], "invalid_request"),
    ("Core 3.1.2.1", "a nonce of other letters", &[("nonce", "ä")], "invalid_request"),
    ("Core 3.1.2.1", "the implicit flow", &[("response_type", "id_token")], "unsupported_response_type"),
    ("Core 3.2.2.1", "the implicit flow with a token", &[("response_type", "id_token token")], "unsupported_response_type"),
    ("Core 3.3.2.1", "the hybrid flow", &[("response_type", "code id_token")], "unsupported_response_type"),
    ("Core 3.3.2.1", "the hybrid flow with a token", &[("response_type", "code token")], "unsupported_response_type"),
    ("Core 6.1", "a request object", &[("request", "eyJhbGciOiJub25lIn0.e30.")], "request_not_supported"),
    ("Core 6.2", "the address of one", &[("request_uri", "https://evil.example/r")], "request_uri_not_supported"),
    ("Core 3.1.2.1", "a scope that it may not ask for", &[("scope", "openid notes:write:mine")], "invalid_scope"),
    ("Core 3.1.2.1", "one of the specification without openid", &[("scope", "notes:read:* address")], "invalid_scope"),
    ("RFC 6749 3.3", "a scope that is none", &[("scope", "openid \u{7}")], "invalid_scope"),
    ("Core 3.1.2.1", "no response type", &[("response_type", "")], "invalid_request"),
    ("Core 3.1.2.1", "one that there is none", &[("response_type", "zzz")], "unsupported_response_type"),
    ("RFC 6749 3.1.1", "the code in capitals", &[("response_type", "CODE")], "unsupported_response_type"),
    ("Core 3.2.2.1", "an answer behind the fragment", &[("response_mode", "fragment")], "invalid_request"),
    ("Form Post 2", "an answer in a form", &[("response_mode", "form_post")], "invalid_request"),
    ("RFC 7636 4.3", "the method plain", &[("code_challenge_method", "plain")], "invalid_request"),
    ("RFC 7636 4.3", "no method, which is plain", &[("code_challenge_method", "")], "invalid_request"),
    ("RFC 7636 4.3", "a method that there is none", &[("code_challenge_method", "S512")], "invalid_request"),
    ("RFC 7636 4.2", "a challenge that is too short", &[("code_challenge", "abc")], "invalid_request"),
    ("RFC 7636 4.2", "a challenge with padding", &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=")], "invalid_request"),
    ("RFC 8707 2", "a resource", &[("resource", "https://notes.example.com/#x")], "invalid_target"),
    ("Core 5.4", "an application that may not ask who it is", &[("client_id", "page"), ("scope", "openid")], "invalid_scope"),
    ("RFC 7636 4.4.1", "no PKCE", &[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
];

/// Parameters that are passed over (Core 3.1.2.1: they need not be understood).
pub const IGNORED: [(&str, Changes); 19] = [
    ("Core 3.1.2.1", &[("display", "popup")]),
    ("Core 3.1.2.1", &[("ui_locales", "de fr")]),
    ("Core 5.2", &[("claims_locales", "de")]),
    ("Core 3.1.2.1", &[("login_hint", "bob")]),
    ("Core 5.5.1.1", &[("acr_values", "2")]),
    ("Core 3.1.2.1", &[("prompt", "consent")]),
    ("Core 3.1.2.1", &[("max_age", "3600")]),
    ("Core 3.1.2.1", &[("unknown", "x")]),
    ("Core 3.1.2.1", &[("display", "page")]),
    ("Core 3.1.2.1", &[("display", "touch")]),
    ("Core 3.1.2.1", &[("nonce", "")]),
    ("Core 3.1.2.1", &[("state", "")]),
    ("Core 3.1.2.1", &[("max_age", "10000")]),
    ("Core 3.1.2.1", &[("scope", "openid address")]),
    ("Core 3.1.2.1", &[("scope", "phone openid address email")]),
    ("Core 11", &[("scope", "openid offline_access")]),
    ("Core 5.5", &[("claims", r#"{"userinfo":{"name":{"essential":true}}}"#)]),
    ("Core 7.2.1", &[("registration", r#"{"logo_uri":"https://evil.example"}"#)]),
    ("Core 3.1.2.1", &[("id_token_hint", "eyJhbGciOiJub25lIn0.e30.")]),
];

#[tokio::test]
async fn requests_are_refused_or_understood_as_the_tables_have_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    for (section, name, changes, error) in REFUSED {
        let page = ann.get(&authorize(&changed(authentication_request(), changes))).await;
        let location = page.location();
        assert!(location.starts_with(&format!("{CALLBACK}?error={error}")), "{section}: {name}: {location}");
        assert_eq!(parameter(location, "state").as_deref(), Some("st&1"), "{section}: {name}");
        assert!(parameter(location, "code").is_none(), "{section}: {name}");
    }
    for (section, changes) in IGNORED {
        let page = ann.get(&authorize(&changed(authentication_request(), changes))).await;
        assert_eq!(page.status, StatusCode::OK, "{section}: {changes:?}: {}", page.text);
    }
    let nobody = site.browser().get(&authorize(&with(authentication_request(), &[("prompt", "none")]))).await;
    assert!(nobody.location().starts_with(&format!("{CALLBACK}?error=login_required")), "Core 3.1.2.6: {}", nobody.location());
}

/// Requests that are answered with a page, because nobody is sent where it is not known to whom the answer belongs.
pub const SHOWN: [(&str, &str, Changes); 10] = [
    ("Core 3.1.2.2", "no application", &[("client_id", "")]),
    ("Core 3.1.2.2", "one that there is none", &[("client_id", "zzz")]),
    ("Core 3.1.2.1", "no redirect URI", &[("redirect_uri", "")]),
    ("Core 3.1.2.1", "a redirect URI of somebody else", &[("redirect_uri", "https://evil.example/cb")]),
    ("Core 3.1.2.1", "that of another application", &[("redirect_uri", "https://other.example/cb")]),
    ("Core 3.1.2.1", "more at its end", &[("redirect_uri", "https://app.example/cb/x")]),
    ("Core 3.1.2.1", "a query more", &[("redirect_uri", "https://app.example/cb?foo=bar")]),
    ("Core 3.1.2.1", "another scheme", &[("redirect_uri", "http://app.example/cb")]),
    ("RFC 6749 3.1.2", "a fragment", &[("redirect_uri", "https://app.example/cb#x")]),
    ("RFC 9700 4.1.3", "a host that only begins alike", &[("redirect_uri", "https://app.example.evil.example/cb")]),
];

/// Parameters that may be there once (RFC 6749 section 3.1).
pub const ONCE: [(&str, &str); 9] = [
    ("Core 3.1.2.1", "scope"),
    ("Core 3.1.2.1", "response_type"),
    ("Core 3.1.2.1", "nonce"),
    ("Core 3.1.2.1", "prompt"),
    ("Core 3.1.2.1", "max_age"),
    ("Core 3.1.2.1", "id_token_hint"),
    ("RFC 7636 4.3", "code_challenge"),
    ("RFC 7636 4.3", "code_challenge_method"),
    ("RFC 6749 4.1.1", "state"),
];

#[tokio::test]
async fn nobody_is_sent_where_it_is_not_known_to_whom_the_answer_belongs() {
    let site = site().await;
    let mut ann = site.ann().await;
    for (section, name, changes) in SHOWN {
        for path in [
            authorize(&changed(authentication_request(), changes)),
            authorize(&changed(with(authentication_request(), &[("prompt", "none")]), changes)),
        ] {
            let page = ann.get(&path).await;
            assert_eq!((page.status, page.header("location")), (StatusCode::BAD_REQUEST, ""), "{section}: {name}");
        }
    }
    for (section, name) in ONCE {
        let twice = format!("{}&{name}=1&{name}=1", authorize(&with(authentication_request(), &[(name, "")])));
        let page = ann.get(&twice).await;
        assert!(page.location().starts_with(&format!("{CALLBACK}?error=invalid_request")), "{section}: {name}: {}", page.location());
    }
}

/// The same request in a form, as a page of the application sends it.
async fn by_form(site: &Site, fields: &Fields) -> Page {
    let request = Request::post("/login/oauth/authorize").header("origin", "https://app.example").header("sec-fetch-site", "cross-site");
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    site.send(request.body(encode(fields).into()).unwrap()).await
}

#[tokio::test]
async fn a_request_may_come_in_a_form() {
    let site = site().await;
    let mut ann = site.ann().await;
    let to = by_form(&site, &authentication_request()).await;
    assert_eq!((to.status, to.header("set-cookie")), (StatusCode::SEE_OTHER, ""), "Core 3.1.2.1");
    assert_eq!(to.location(), authorize(&authentication_request()), "Core 3.1.2.1: the browser comes with it by itself");
    assert_eq!(ann.get(to.location()).await.status, StatusCode::OK);
    for (section, name, changes, error) in REFUSED {
        let fields = changed(authentication_request(), changes);
        let location = by_form(&site, &fields).await.location().to_owned();
        // What depends on who is signed in is found out when the browser comes.
        if changes == [("prompt", "none")] {
            assert_eq!(location, authorize(&fields));
        } else {
            assert!(location.starts_with(&format!("{CALLBACK}?error={error}")), "{section}: {name}: {location}");
        }
    }
    for (section, name, changes) in SHOWN {
        let page = by_form(&site, &changed(authentication_request(), changes)).await;
        assert_eq!((page.status, page.header("location")), (StatusCode::BAD_REQUEST, ""), "{section}: {name}");
    }
    let long = "x".repeat(40_000);
    assert_eq!(by_form(&site, &with(authentication_request(), &[("unknown", &long)])).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    // Story: the last bytes of the bound were answered with a redirect, and that with 414.
    let base = authorize(&with(authentication_request(), &[("unknown", "x")])).len() - 1;
    for (length, status) in [(16 * 1024, StatusCode::SEE_OTHER), (16 * 1024 + 1, StatusCode::PAYLOAD_TOO_LARGE)] {
        let posted = by_form(&site, &with(authentication_request(), &[("unknown", &"x".repeat(length - base))])).await;
        assert_eq!(posted.status, status, "{length}");
        if status == StatusCode::SEE_OTHER {
            assert_eq!(ann.get(posted.location()).await.status, StatusCode::OK);
        }
    }
    let json = Request::post("/login/oauth/authorize").header(CONTENT_TYPE, "application/json");
    let json = site.send(json.body(r#"{"client_id":"who"}"#.into()).unwrap()).await;
    assert_eq!(json.oauth_error(), (400, "invalid_request".to_owned()));
    assert!(json.text.contains("x-www-form-urlencoded"), "it is not read as a form: {}", json.text);
    let longer = "x".repeat(200_000);
    assert_eq!(by_form(&site, &with(authentication_request(), &[("unknown", &longer)])).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn whoever_is_not_whom_the_application_thinks_is_not_asked() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authentication_request()).await;
    let hint = site.token(&redeem(&code)).await.json()["id_token"].as_str().unwrap().to_owned();
    let asks = authorize(&with(authentication_request(), &[("id_token_hint", &hint)]));
    assert_eq!(ann.get(&asks).await.status, StatusCode::OK, "Core 3.1.2.1");
    let mut bob = site.somebody("bob", &["notes:*"]).await;
    let location = bob.get(&asks).await.location().to_owned();
    assert!(location.starts_with(&format!("{CALLBACK}?error=login_required")), "Core 3.1.2.1: {location}");
    // What nobody has signed says nothing.
    let forged = format!("{}x", hint.rsplit_once('.').unwrap().0);
    assert_eq!(bob.get(&authorize(&with(authentication_request(), &[("id_token_hint", &forged)]))).await.status, StatusCode::OK);
}

/// Story: the hint was looked at once, as the request came. Whoever signed in after that, or by "Not you?", granted what was asked of somebody else.
#[tokio::test]
async fn a_request_for_one_person_is_answered_for_nobody_else() {
    let site = site().await;
    let mut ann = site.ann().await;
    let mut bob = site.somebody("bob", &["notes:*"]).await;
    let code = ann.code(&authentication_request()).await;
    let hint = site.token(&redeem(&code)).await.json()["id_token"].as_str().unwrap().to_owned();
    let asked = with(authentication_request(), &[("id_token_hint", &hint)]);
    let refused = |page: &Page, door: &str| {
        let location = page.location();
        assert!(location.starts_with(&format!("{CALLBACK}?error=login_required")), "{door}: {location}");
    };
    let pushed = site.application("/login/oauth/par", &asked, None).await.json();
    let reference = pushed["request_uri"].as_str().unwrap_or_else(|| panic!("{pushed}")).to_owned();
    let pushed = vec![("client_id".to_owned(), "who".to_owned()), ("request_uri".to_owned(), reference)];
    for (way, first) in [("in the address", authorize(&asked)), ("pushed", authorize(&pushed))] {
        let mut stranger = site.browser();
        let login = stranger.bring(&first).await.location().to_owned();
        assert!(login.starts_with("/login?next=") && !login.contains(&hint), "{way}: {login}");
        let form = with(stranger.get(&login).await.form("/login"), &[("name", "bob"), ("password", PASSWORD)]);
        let next = stranger.post("/login", &form).await.leads_on_to();
        refused(&stranger.get(&next).await, &format!("{way}, after a sign-in"));
        // Whoever it is for grants it there; nobody else does with their page.
        let page = ann.get(&next).await;
        assert_eq!(page.status, StatusCode::OK, "{way}: {}", page.text);
        let form = page.form(DECISION);
        let request = form.iter().find(|(name, _)| name == "request").unwrap().1.clone();
        refused(&bob.get(&format!("/login/oauth/authorize?{request}")).await, &format!("{way}, after \"Not you?\""));
        let own = bob.get(&authorize(&authentication_request())).await.form(DECISION);
        let swapped = with(own, &[("request", &request), ("visible_ms", "2000")]);
        refused(&bob.post(DECISION, &swapped).await, &format!("{way}, by the form"));
        let granted = ann.post(DECISION, &with(form, &[("visible_ms", "2000")])).await;
        assert!(parameter(granted.location(), "code").is_some(), "{way}: {}", granted.location());
    }
    // An application that makes one up learns nothing of who sits there.
    let made_up = with(authentication_request(), &[("for_subject", "somebody.bWFj"), ("prompt", "none")]);
    refused(&ann.get(&authorize(&made_up)).await, "made up");
    // What was read and can't be verified any more, as after a restart, was forgotten: then the request was for whoever signed in.
    let next = site.browser().get(&authorize(&asked)).await.location().to_owned();
    let next = url::Url::parse("https://auth.example.com").unwrap().join(&next).unwrap();
    let next = next.query_pairs().find(|(name, _)| name == "next").unwrap().1.into_owned();
    for other in [next.replace("for_subject=", "for_subject=x"), format!("{next}&for_subject=x")] {
        assert_ne!(other, next);
        refused(&bob.get(&other).await, "not verified");
    }
}

#[tokio::test]
async fn who_has_to_sign_in_anew_does_so_once() {
    let site = site().await;
    for (section, name, changes, wait_ms) in [
        ("Core 3.1.2.1", "login", &[("prompt", "login")][..], 0),
        ("Core 3.1.2.1", "an age of nothing", &[("max_age", "0")], 0),
        ("Core 3.1.2.1", "an age that is over", &[("max_age", "30")], 31_000),
        ("Core 3.1.2.1", "login and consent", &[("prompt", "login consent")], 0),
    ] {
        let mut ann = site.ann().await;
        let before = site.clock.0.fetch_add(wait_ms, Ordering::SeqCst) / 1000;
        let requested = with(authentication_request(), changes);
        let repeated = ann.get(&authorize(&requested)).await.location().to_owned();
        assert!(repeated.starts_with("/me/again?anew=yes&next=%2Flogin%2Foauth%2Fauthorize%3F"), "{section}: {name}: {repeated}");
        site.clock.0.fetch_add(1_000, Ordering::SeqCst);
        let page = ann.get(&repeated).await;
        assert_eq!(page.status, StatusCode::OK, "{section}: {name}: although the sign-in is fresh");
        let back = ann.post("/me/again", &with(page.form("/me/again"), &[("password", PASSWORD)])).await;
        let page = ann.get(&back.leads_on_to()).await;
        assert_eq!(page.status, StatusCode::OK, "{section}: {name}: {}", page.text);
        site.clock.0.fetch_add(2_000, Ordering::SeqCst);
        let location = ann.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000")])).await.location().to_owned();
        let answer = site.token(&redeem(&parameter(&location, "code").unwrap())).await.json();
        let (_, told) = verified(answer["id_token"].as_str().unwrap(), &site.plain("/login/oauth/jwks").await);
        assert!(told["auth_time"].as_i64().unwrap() > before + wait_ms / 1000 - 1, "{section}: {name}: {told}");
        let none = ann.get(&authorize(&with(requested.clone(), &[("prompt", "none"), ("max_age", "0")]))).await;
        assert!(none.location().contains("error=login_required"), "Core 3.1.2.6: {}", none.location());
    }
    // Whoever is not signed in does it once too.
    let mut nobody = site.browser();
    let login = nobody.get(&authorize(&with(authentication_request(), &[("prompt", "login")]))).await.location().to_owned();
    let back = nobody.sign_in(&login).await;
    assert_eq!(nobody.get(&back.leads_on_to()).await.status, StatusCode::OK);
}
