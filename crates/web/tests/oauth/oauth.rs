//! OAuth 2 in process: a registered application gets credentials, and they end.

use std::sync::atomic::Ordering;

use crate::site::applications::{CALLBACK, DECISION, SECRET, VERIFIER, authorization_fields, authorize, exchange, fields, parameter};
use crate::site::headers::assert_page_headers;
use crate::site::{PASSWORD, site, with};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

#[tokio::test]
async fn an_application_gets_credentials_that_end_with_the_grant() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&authorization_fields())).await;
    assert_page_headers(&page, "'self' https:");
    assert!(page.text.contains("The &#60;page&#62; application") && page.text.contains("registered by the administrator"), "{}", page.text);
    assert!(!page.text.contains("typed_host"));
    let location = ann.grant(&authorization_fields()).await;
    assert!(location.starts_with(&format!("{CALLBACK}?code=")), "{location}");
    assert_eq!(parameter(&location, "state").as_deref(), Some("st&1"));
    assert_eq!(parameter(&location, "iss").as_deref(), Some(site.origin.as_str()));
    assert!(!location.contains("accessToken"));

    let code = parameter(&location, "code").unwrap();
    let answer = site.token(&exchange(&code)).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"), "{}", answer.text);
    let token = answer.json();
    assert_eq!((token["token_type"].as_str(), token["expires_in"].as_i64()), (Some("Bearer"), Some(600)));
    assert_eq!(token["scope"], "notes:read:* notes:write:mine");
    let token = token["access_token"].as_str().unwrap();
    let answer = site.credentials(token).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let credentials = answer.json();
    assert!(credentials["credentials"]["clientId"].as_str().unwrap().starts_with("local/ann/app.example/"));
    assert!(credentials["credentials"]["certificate"].as_str().unwrap().starts_with('{'));
    assert_eq!(site.credentials(token).await.json(), credentials, "the same each time");

    // It is in the person's list by its name, and ends from there.
    let me = ann.get("/").await;
    assert!(me.text.contains("1 active grant<") && me.text.contains("The &#60;page&#62; application"), "{}", me.text);
    ann.post("/me/revoke", &me.form("/me/revoke")).await;
    let ended = site.credentials(token).await;
    assert_eq!(ended.oauth_error(), (401, "invalid_token".to_owned()));
    assert_eq!(ended.header("www-authenticate"), "Bearer realm=\"falconer\", error=\"invalid_token\"");
}

#[tokio::test]
async fn a_code_that_is_used_twice_ends_what_it_gave() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authorization_fields()).await;
    let token = site.token(&exchange(&code)).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(site.credentials(&token).await.status, StatusCode::OK);
    // Long after the code has ended: the grant is there, and so is what is known of its code.
    site.clock.0.fetch_add(120_000, Ordering::SeqCst);
    assert_eq!(site.token(&exchange(&code)).await.oauth_error(), (400, "invalid_grant".to_owned()));
    assert_eq!(site.credentials(&token).await.status, StatusCode::UNAUTHORIZED);
    assert!(!ann.get("/").await.text.contains("1 active grant<"));
}

#[tokio::test]
async fn of_64_exchanges_of_one_code_at_once_one_succeeds() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authorization_fields()).await;
    let form = exchange(&code);
    let answers = futures_util::future::join_all((0..64).map(|_| site.token(&form))).await;
    let given: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(given.len(), 1);
    assert!(answers.iter().filter(|answer| answer.status != StatusCode::OK).all(|answer| answer.oauth_error().1 == "invalid_grant"));
    let token = given[0].json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(site.credentials(&token).await.status, StatusCode::UNAUTHORIZED, "the others were uses too");
}

#[tokio::test]
async fn cancel_is_told_and_nothing_is_granted() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&authorization_fields())).await;
    let answer = ann.post(DECISION, &with(page.form(DECISION), &[("cancel", "yes")])).await;
    let location = answer.location();
    assert!(location.starts_with(&format!("{CALLBACK}?error=access_denied&state=st%261&iss=")), "{location}");
    assert!(!ann.get("/").await.text.contains("1 active grant<"));
}

#[tokio::test]
async fn sign_in_leads_back_to_the_request() {
    let site = site().await;
    let mut browser = site.browser();
    let first = browser.get(&authorize(&authorization_fields())).await;
    let login = first.location().to_owned();
    assert!(login.starts_with("/login?next=%2Flogin%2Foauth%2Fauthorize%3F"), "{login}");
    let page = browser.get(&login).await;
    assert!(page.text.contains("app.example"), "it says where the person goes on to: {}", page.text);
    let back = browser.sign_in(&login).await;
    let page = browser.get(&back.leads_on_to()).await;
    assert!(page.text.contains("The &#60;page&#62; application"), "{}", page.text);
    // The session ends while the page is open: the same way once more.
    browser.cookies.clear();
    let repeated = browser.post(DECISION, &page.form(DECISION)).await;
    assert_eq!(repeated.location(), login);
}

/// Where no script runs, and where something needs a fresh sign-in, the form goes on to the same place.
#[tokio::test]
async fn what_comes_between_leads_back_to_the_application() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&authorization_fields())).await;
    let news = ann.post(DECISION, &page.form(DECISION)).await;
    assert!(news.status == StatusCode::OK && news.text.contains("New since last time"), "{}", news.text);
    assert!(news.header("content-security-policy").contains("form-action 'self' https:"));
    assert!(ann.post(DECISION, &news.form(DECISION)).await.location().starts_with(&format!("{CALLBACK}?code=")));
    let cancelled = ann.post(DECISION, &with(news.form(DECISION), &[("cancel", "yes")])).await;
    assert!(cancelled.location().starts_with(&format!("{CALLBACK}?error=access_denied")));

    site.clock.0.fetch_add(20 * 60_000, Ordering::SeqCst);
    let page = ann.get(&authorize(&with(authorization_fields(), &[("scope", "auth:create-role:*")]))).await;
    let kept = ann.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000")])).await;
    assert_eq!(kept.status, StatusCode::FORBIDDEN, "{}", kept.text);
    let form = with(kept.form("/me/again"), &[("password", PASSWORD)]);
    let go_on = ann.post("/me/again", &form).await;
    assert!(go_on.header("content-security-policy").contains("form-action 'self' https:"), "it leads to the application");
    let given = ann.post(DECISION, &go_on.form(DECISION)).await;
    assert!(given.location().starts_with(&format!("{CALLBACK}?code=")), "{}", given.text);
}

#[tokio::test]
async fn a_confidential_application_proves_itself_in_the_header_or_in_the_form() {
    let site = site().await;
    let mut ann = site.ann().await;
    let request = with(authorization_fields(), &[("client_id", "server"), ("redirect_uri", "https://server.example/cb")]);
    let form = |code: &str, more: &[(&str, &str)]| {
        with(with(exchange(code), &[("redirect_uri", "https://server.example/cb"), ("client_id", "")]), more)
    };
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = |secret: &str| format!("Basic {}", STANDARD.encode(format!("server:{secret}")));

    let code = ann.code(&request).await;
    let refused = site.application("/login/oauth/token", &form(&code, &[]), Some(&basic("guess"))).await;
    assert_eq!(refused.oauth_error(), (401, "invalid_client".to_owned()));
    assert_eq!(refused.header("www-authenticate"), "Basic realm=\"falconer\"");
    // A wrong secret costs nothing but the answer: the code is not used by it.
    let answer = site.application("/login/oauth/token", &form(&code, &[]), Some(&basic(&encoded))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);

    let code = ann.code(&request).await;
    let answer = site.token(&form(&code, &[("client_id", "server"), ("client_secret", SECRET)])).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let both = form(&code, &[("client_secret", SECRET)]);
    let answer = site.application("/login/oauth/token", &both, Some(&basic(&encoded))).await;
    assert_eq!(answer.oauth_error(), (400, "invalid_request".to_owned()));
    let answer = site.token(&form(&code, &[("client_id", "server")])).await;
    assert_eq!(answer.oauth_error(), (401, "invalid_client".to_owned()), "without its secret it is nobody");
}

#[tokio::test]
async fn an_application_ends_its_own_grant() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authorization_fields()).await;
    let token = site.token(&exchange(&code)).await.json()["access_token"].as_str().unwrap().to_owned();
    let revoke = |client: &str, token: &str| fields(&[("token", token), ("client_id", client), ("token_type_hint", "access_token")]);
    let other = site.application("/login/oauth/revoke", &revoke("other", &token), None).await;
    assert_eq!(other.oauth_error(), (400, "invalid_grant".to_owned()));
    let unknown = site.application("/login/oauth/revoke", &revoke("page", "falconer_at_nothing"), None).await;
    assert_eq!(unknown.status, StatusCode::OK, "a token that is none has ended");
    assert_eq!(site.credentials(&token).await.status, StatusCode::OK);
    assert_eq!(site.application("/login/oauth/revoke", &revoke("page", &token), None).await.status, StatusCode::OK);
    assert_eq!(site.credentials(&token).await.status, StatusCode::UNAUTHORIZED);
    assert!(!ann.get("/").await.text.contains("1 active grant<"));
}

#[tokio::test]
async fn third_parties_of_the_reference_go_on() {
    let site = site().await;
    let mut ann = site.ann().await;
    // No PKCE, no client_id with the code, and JSON.
    let bare = |id: &str, response: &str| {
        with(
            authorization_fields(),
            &[("client_id", id), ("response_type", response), ("code_challenge", ""), ("code_challenge_method", "")],
        )
    };
    let code = ann.code(&bare("old-code", "code")).await;
    let body = serde_json::json!({"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}).to_string();
    let request = http::Request::post("/login/oauth/token").header("content-type", "application/json").body(body.into()).unwrap();
    let answer = site.send(request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(site.credentials(answer.json()["access_token"].as_str().unwrap()).await.status, StatusCode::OK);
    // One that sends PKCE is held to it.
    let code = ann.code(&with(authorization_fields(), &[("client_id", "old-code")])).await;
    let form = with(exchange(&code), &[("client_id", "old-code"), ("code_verifier", "")]);
    assert_eq!(site.token(&form).await.oauth_error(), (400, "invalid_grant".to_owned()));
    // Implicit.
    let location = ann.grant(&bare("old-token", "token")).await;
    assert!(location.starts_with(&format!("{CALLBACK}#access_token=falconer_at_")), "{location}");
    assert_eq!(parameter(&location, "token_type").as_deref(), Some("Bearer"));
    assert_eq!(site.credentials(&parameter(&location, "access_token").unwrap()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_program_on_this_machine_listens_where_it_can() {
    let site = site().await;
    let mut ann = site.ann().await;
    for uri in ["http://127.0.0.1:4000/cb", "http://127.0.0.1:59999/cb", "http://127.0.0.1/cb"] {
        let parameters = with(authorization_fields(), &[("redirect_uri", uri)]);
        let page = ann.get(&authorize(&parameters)).await;
        assert_page_headers(&page, "'self' https: http:");
        let code = ann.code(&parameters).await;
        let elsewhere = with(exchange(&code), &[("redirect_uri", "http://127.0.0.1:1/cb")]);
        assert_eq!(site.token(&elsewhere).await.oauth_error().1, "invalid_grant", "the port is that of the request");
        let code = ann.code(&parameters).await;
        assert_eq!(site.token(&with(exchange(&code), &[("redirect_uri", uri)])).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn scopes_with_characters_that_oauth_has_not_are_written_in_one_way() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&with(authorization_fields(), &[("scope", "notes:a%20b")])).await;
    let answer = site.token(&exchange(&code)).await;
    assert_eq!(answer.json()["scope"], "notes:a%20b");
}

#[tokio::test]
async fn the_metadata_says_what_is_there() {
    let site = site().await;
    let page = site.browser().get("/.well-known/oauth-authorization-server").await;
    let outcome = page.json();
    assert_eq!(outcome["issuer"], site.origin);
    for name in ["token_endpoint", "revocation_endpoint", "authorization_endpoint"] {
        let path = outcome[name].as_str().unwrap().strip_prefix(site.origin.as_str()).unwrap();
        let method = if name == "authorization_endpoint" { http::Method::GET } else { http::Method::POST };
        let answer = site.browser().send(method, path, &[], None).await;
        assert!(![404, 405].contains(&answer.status.as_u16()), "{path}");
    }
    assert_eq!(outcome["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(outcome["response_types_supported"], serde_json::json!(["code", "token"]));
}

#[tokio::test]
async fn pages_of_applications_may_read_the_answers_and_no_others() {
    let site = site().await;
    let mut browser = site.browser();
    for (origin, allowed) in [
        ("https://app.example", true),
        ("https://server.example", true),
        ("http://127.0.0.1:4000", true),
        ("http://127.0.0.1:1234", true),
        ("http://localhost:4000", true),
        ("http://localhost:4001", false),
        ("https://evil.example", false),
        ("https://auth.example.com", false),
        ("null", false),
    ] {
        for (method, path) in [
            (http::Method::OPTIONS, "/login/oauth/token"),
            (http::Method::OPTIONS, "/login/oauth/credentials"),
            (http::Method::GET, "/login/oauth/credentials"),
        ] {
            let answer = browser.send(method, path, &[("origin", origin), ("access-control-request-method", "POST")], None).await;
            assert_eq!(answer.header("access-control-allow-origin"), if allowed { origin } else { "" }, "{path}");
            assert_eq!((answer.header("vary"), answer.header("access-control-allow-credentials")), ("Origin", ""));
        }
    }
}

#[tokio::test]
async fn a_verifier_is_none_of_what_is_kept() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authorization_fields()).await;
    let token = site.token(&exchange(&code)).await.json()["access_token"].as_str().unwrap().to_owned();
    for secret in [code.as_str(), token.as_str(), VERIFIER] {
        assert_eq!(falconer_store::Store::grant_secret(&*site.store, secret).await, Ok(None), "kept by its hash only");
    }
}
