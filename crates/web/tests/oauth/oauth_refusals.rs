//! What nobody gets by OAuth 2: a table of requests that are wrong in one way each, and what is answered. Nothing is granted or handed out by any of them.

use std::sync::atomic::Ordering;

use crate::site::applications::{CALLBACK, DECISION, SECRET, VERIFIER, authorization_fields, authorize, exchange, parameter};
use crate::site::{encode, site, with};
use http::{Method, StatusCode};

/// Parameters that are another than in a good request; an empty one is left out.
type Changes = &'static [(&'static str, &'static str)];

/// Requests for which it is not known where an answer could go: a page, and no redirect.
const PAGES: [(&str, Changes); 28] = [
    ("no client", &[("client_id", "")]),
    ("a client that nobody registered", &[("client_id", "zzz")]),
    ("a client in other letters", &[("client_id", "Page")]),
    ("a client with a blank behind", &[("client_id", "page ")]),
    ("the clientId of a person", &[("client_id", "local/ann")]),
    ("no redirect URI", &[("redirect_uri", "")]),
    ("a longer path", &[("redirect_uri", "https://app.example/cb/more")]),
    ("a shorter path", &[("redirect_uri", "https://app.example/c")]),
    ("a slash behind", &[("redirect_uri", "https://app.example/cb/")]),
    ("another path", &[("redirect_uri", "https://app.example/")]),
    ("the path in capitals", &[("redirect_uri", "https://app.example/CB")]),
    ("a step up", &[("redirect_uri", "https://app.example/x/../cb")]),
    ("a query that is not registered", &[("redirect_uri", "https://app.example/cb?x=1")]),
    ("a registered query with more", &[("redirect_uri", "https://app.example/cb?tenant=1&x=1")]),
    ("another value of a registered query", &[("redirect_uri", "https://app.example/cb?tenant=2")]),
    ("a fragment", &[("redirect_uri", "https://app.example/cb#x")]),
    ("an empty fragment", &[("redirect_uri", "https://app.example/cb#")]),
    ("plain http", &[("redirect_uri", "http://app.example/cb")]),
    ("another port", &[("redirect_uri", "https://app.example:8443/cb")]),
    ("the scheme's own port, written", &[("redirect_uri", "https://app.example:443/cb")]),
    ("a user in front of the host", &[("redirect_uri", "https://app.example@evil.example/cb")]),
    ("a host that begins alike", &[("redirect_uri", "https://app.example.evil.example/cb")]),
    ("a host that ends alike", &[("redirect_uri", "https://evil-app.example/cb")]),
    ("the redirect URI of another application", &[("redirect_uri", "https://server.example/cb")]),
    ("a backslash", &[("redirect_uri", "https://app.example\\cb")]),
    ("another scheme", &[("redirect_uri", "javascript:alert(1)")]),
    ("another name of this machine", &[("redirect_uri", "http://localhost:4000/cb")]),
    ("another path on this machine", &[("redirect_uri", "http://127.0.0.1:4000/cb2")]),
];

/// Requests of which the application is told what is wrong.
const TOLD: [(&str, Changes, &str); 29] = [
    ("no response type", &[("response_type", "")], "invalid_request"),
    ("the implicit flow", &[("response_type", "token")], "unsupported_response_type"),
    ("both flows", &[("response_type", "code token")], "unsupported_response_type"),
    ("an identity token", &[("response_type", "id_token")], "unsupported_response_type"),
    ("a type in capitals", &[("response_type", "CODE")], "unsupported_response_type"),
    ("no PKCE", &[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
    ("a method without a challenge", &[("code_challenge", "")], "invalid_request"),
    ("a challenge without a method, which means plain", &[("code_challenge_method", "")], "invalid_request"),
    ("plain PKCE", &[("code_challenge_method", "plain")], "invalid_request"),
    ("a method in small letters", &[("code_challenge_method", "s256")], "invalid_request"),
    ("a challenge that is too short", &[("code_challenge", "short")], "invalid_request"),
    ("a challenge that is too long", &[("code_challenge", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeee")], "invalid_request"),
    ("a challenge of other characters", &[("code_challenge", "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd+/=")], "invalid_request"),
    ("the answer in the fragment", &[("response_mode", "fragment")], "invalid_request"),
    ("the answer in a form", &[("response_mode", "form_post")], "invalid_request"),
    ("a request object", &[("request", "eyJhbGciOiJub25lIn0.e30.")], "request_not_supported"),
    ("the address of a request object", &[("request_uri", "https://evil.example/r")], "request_uri_not_supported"),
    ("a scope beyond", &[("scope", "queue:ping")], "invalid_scope"),
    ("a scope beyond among others", &[("scope", "notes:read:* queue:ping")], "invalid_scope"),
    ("a wider star", &[("scope", "notes:read*")], "invalid_scope"),
    ("everything", &[("scope", "*")], "invalid_scope"),
    ("a scope that nothing is behind", &[("scope", "openid")], "invalid_scope"),
    ("a grant of somebody else", &[("scope", "assume:grant:x")], "invalid_scope"),
    ("a broken escape in a scope", &[("scope", "notes:read:%zz")], "invalid_scope"),
    ("an escape of what needs none", &[("scope", "notes:read:%61")], "invalid_scope"),
    ("a quotation mark in a scope", &[("scope", "notes:read:\"")], "invalid_scope"),
    ("a life that is no time", &[("expires", "soon")], "invalid_request"),
    ("a life that is over", &[("expires", "-1 day")], "invalid_request"),
    ("a life of nothing", &[("expires", "0 days")], "invalid_request"),
];

/// Exchanges of a good code that are refused: what is changed, status, error.
const EXCHANGES: [(&str, Changes, u16, &str); 22] = [
    ("no verifier", &[("code_verifier", "")], 400, "invalid_grant"),
    ("a wrong verifier", &[("code_verifier", "another-verifier-of-43-characters-or-more-here")], 400, "invalid_grant"),
    ("the challenge as the verifier", &[("code_verifier", "challenge")], 400, "invalid_grant"),
    (
        "a verifier with one letter more",
        &[("code_verifier", "a-verifier-of-at-least-43-characters-as-RFC-7636-says.")],
        400,
        "invalid_grant",
    ),
    ("a verifier in other letters", &[("code_verifier", "A-verifier-of-at-least-43-characters-as-RFC-7636-says")], 400, "invalid_grant"),
    ("no redirect URI", &[("redirect_uri", "")], 400, "invalid_request"),
    ("another registered redirect URI", &[("redirect_uri", "http://127.0.0.1:4000/cb")], 400, "invalid_grant"),
    ("a longer redirect URI", &[("redirect_uri", "https://app.example/cb/")], 400, "invalid_grant"),
    ("somebody else's redirect URI", &[("redirect_uri", "https://evil.example/cb")], 400, "invalid_grant"),
    ("nobody's code", &[("code", "AAAAAAAAAAAAAAAAAAAAAA")], 400, "invalid_grant"),
    ("no code", &[("code", "")], 400, "invalid_request"),
    ("a token as the code", &[("code", "falconer_at_AAAAAAAAAAAAAAAAAAAAAA")], 400, "invalid_grant"),
    ("another application that has the same redirect URI", &[("client_id", "other")], 400, "invalid_grant"),
    ("an application of the reference", &[("client_id", "old-code")], 400, "invalid_grant"),
    ("no application", &[("client_id", "")], 400, "invalid_grant"),
    ("an unknown application", &[("client_id", "zzz")], 401, "invalid_client"),
    ("a confidential application without its secret", &[("client_id", "server")], 401, "invalid_client"),
    ("a public application with a secret", &[("client_secret", "x")], 401, "invalid_client"),
    ("no grant type", &[("grant_type", "")], 400, "unsupported_grant_type"),
    ("an application's own token", &[("grant_type", "client_credentials")], 400, "unsupported_grant_type"),
    ("a password", &[("grant_type", "password")], 400, "unsupported_grant_type"),
    ("a refresh token", &[("grant_type", "refresh_token")], 400, "invalid_request"),
];

#[tokio::test]
async fn nobody_is_sent_to_where_it_is_not_known() {
    for is_signed_in in [true, false] {
        let site = site().await;
        let mut browser = if is_signed_in { site.ann().await } else { site.browser() };
        for (what, changes) in PAGES {
            let page = browser.get(&authorize(&with(authorization_fields(), changes))).await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{what}");
            assert_eq!(page.header("location"), "", "{what}");
            let is_unknown = changes.iter().any(|(name, value)| *name == "client_id" && !value.is_empty());
            let title = if is_unknown { "not known here" } else { "can&#39;t be granted" };
            assert!(page.text.contains(title), "{what}: {}", page.text);
        }
        for (what, query) in [
            ("the client twice", format!("{}&client_id=page", encode(&authorization_fields()))),
            ("the redirect URI twice", format!("{}&redirect_uri=https%3A%2F%2Fevil.example", encode(&authorization_fields()))),
            ("a broken escape", format!("{}&x=%", encode(&authorization_fields()))),
            ("bytes that are no text", format!("{}&x=%ff", encode(&authorization_fields()))),
            ("nothing", String::new()),
        ] {
            let page = browser.get(&format!("/login/oauth/authorize?{query}")).await;
            assert_eq!((page.status, page.header("location")), (StatusCode::BAD_REQUEST, ""), "{what}");
        }
    }
}

#[tokio::test]
async fn an_application_is_told_what_is_wrong_with_its_request() {
    let site = site().await;
    let mut ann = site.ann().await;
    for (what, changes, error) in TOLD {
        let page = ann.get(&authorize(&with(authorization_fields(), changes))).await;
        let location = page.location();
        let (to, _) = location.split_once(['?', '#']).unwrap();
        assert_eq!((to, parameter(location, "error").as_deref()), (CALLBACK, Some(error)), "{what}: {location}");
        assert_eq!(parameter(location, "state").as_deref(), Some("st&1"), "{what}");
        assert_eq!(parameter(location, "iss").as_deref(), Some(site.origin.as_str()), "{what}");
        assert_eq!(parameter(location, "code"), None, "{what}");
        let described = parameter(location, "error_description").unwrap();
        assert!(described.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\')), "{what}: {described}");
    }
    for (what, state) in [("a state that is too long", "s".repeat(2049)), ("a state with a line end", "a\nb".to_owned())] {
        let page = ann.get(&authorize(&with(authorization_fields(), &[("state", &state)]))).await;
        let location = page.location();
        assert_eq!((parameter(location, "error").as_deref(), parameter(location, "state")), (Some("invalid_request"), None), "{what}");
    }
    for twice in ["scope=notes:read:x", "state=x", "code_challenge=x", "response_type=code", "expires=1+day", "request=x"] {
        let page = ann.get(&format!("{}&{twice}&{twice}", authorize(&authorization_fields()))).await;
        assert_eq!(parameter(page.location(), "error").as_deref(), Some("invalid_request"), "{twice}");
    }
    assert!(!ann.get("/").await.text.contains("1 active grant<"));
}

#[tokio::test]
async fn an_exchange_that_is_wrong_in_one_way_gives_nothing() {
    let site = site().await;
    let mut ann = site.ann().await;
    let challenge = falconer_login::pkce_challenge(VERIFIER);
    for (what, changes, status, error) in EXCHANGES {
        let code = ann.code(&authorization_fields()).await;
        let changes: Vec<_> =
            changes.iter().map(|(name, value)| (*name, if *value == "challenge" { challenge.as_str() } else { value })).collect();
        let answer = site.token(&with(exchange(&code), &changes)).await;
        assert_eq!(answer.oauth_error(), (status, error.to_owned()), "{what}");
    }
    // Whoever has a code and not what goes with it has one guess, and the grant goes with it.
    let code = ann.code(&authorization_fields()).await;
    site.token(&with(exchange(&code), &[("code_verifier", "")])).await;
    assert_eq!(site.token(&exchange(&code)).await.oauth_error(), (400, "invalid_grant".to_owned()));
    // A verifier where there was no challenge: somebody has taken it out of the request.
    let bare = with(authorization_fields(), &[("client_id", "old-code"), ("code_challenge", ""), ("code_challenge_method", "")]);
    let code = ann.code(&bare).await;
    let answer = site.token(&with(exchange(&code), &[("client_id", "old-code")])).await;
    assert_eq!(answer.oauth_error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn codes_and_tokens_end() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authorization_fields()).await;
    site.clock.0.fetch_add(59_999, Ordering::SeqCst);
    let token = site.token(&exchange(&code)).await.json()["access_token"].as_str().unwrap().to_owned();
    site.clock.0.fetch_add(599_999, Ordering::SeqCst);
    assert_eq!(site.credentials(&token).await.status, StatusCode::OK);
    site.clock.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!(site.credentials(&token).await.oauth_error(), (401, "invalid_token".to_owned()));
    let code = ann.code(&authorization_fields()).await;
    site.clock.0.fetch_add(60_000, Ordering::SeqCst);
    assert_eq!(site.token(&exchange(&code)).await.oauth_error(), (400, "invalid_grant".to_owned()));
    // A code of a grant that the person took back in between.
    let code = ann.code(&authorization_fields()).await;
    let me = ann.get("/").await;
    ann.post("/me/revoke", &me.form("/me/revoke")).await;
    assert_eq!(site.token(&exchange(&code)).await.oauth_error(), (400, "invalid_grant".to_owned()));
}

/// What the form of a grant page is sent with that its page did not show: what is another in it (a request with these changes in `request`), and the status. Nobody is sent anywhere.
pub const FORMS: [(&str, Changes, StatusCode); 14] = [
    ("more than was shown", &[("request", "{scope=notes:read:* notes:write:mine auth:create-role:*}")], StatusCode::CONFLICT),
    ("everything", &[("request", "{scope=}")], StatusCode::CONFLICT),
    ("another star", &[("request", "{scope=notes:write:mine auth:create-role:*}")], StatusCode::CONFLICT),
    ("to where nobody registered", &[("request", "{redirect_uri=https://evil.example/cb}")], StatusCode::BAD_REQUEST),
    ("of another application than the page named", &[("request", "{client_id=other}")], StatusCode::CONFLICT),
    ("of an unknown application", &[("request", "{client_id=zzz}")], StatusCode::BAD_REQUEST),
    ("no request", &[("request", "")], StatusCode::BAD_REQUEST),
    ("a tick that was not there", &[("tick", "x")], StatusCode::BAD_REQUEST),
    ("a longer life", &[("lifetime", "999999999999")], StatusCode::UNPROCESSABLE_ENTITY),
    ("longer than the application may have it", &[("lifetime", "604800000")], StatusCode::UNPROCESSABLE_ENTITY),
    ("no nonce", &[("nonce", "")], StatusCode::BAD_REQUEST),
    ("no token of the session", &[("csrf", "")], StatusCode::FORBIDDEN),
    ("another token", &[("csrf", "x")], StatusCode::FORBIDDEN),
    ("cancel without the token", &[("csrf", ""), ("cancel", "yes")], StatusCode::FORBIDDEN),
];

#[tokio::test]
async fn the_form_gives_no_more_than_its_page_showed() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&authorization_fields())).await;
    let form = with(page.form(DECISION), &[("visible_ms", "2000")]);
    for (what, changes, status) in FORMS {
        let changed: Vec<(&str, String)> = changes
            .iter()
            .map(|(name, value)| match value.strip_prefix('{').and_then(|value| value.strip_suffix('}')?.split_once('=')) {
                Some(change) => (*name, encode(&with(authorization_fields(), &[change]))),
                None => (*name, (*value).to_owned()),
            })
            .collect();
        let changes: Vec<(&str, &str)> = changed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = ann.post(DECISION, &with(form.clone(), &changes)).await;
        assert_eq!((answer.status, answer.header("location")), (status, ""), "{what}: {}", answer.text);
    }
    // A page elsewhere sends it, and somebody else does.
    let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(ann.send(Method::POST, DECISION, &foreign, Some(encode(&form))).await.status, StatusCode::FORBIDDEN);
    let mut bob = site.somebody("bob", &["notes:*"]).await;
    assert_eq!(bob.post(DECISION, &form).await.status, StatusCode::FORBIDDEN);
    assert!(!ann.get("/").await.text.contains("1 active grant<"));
    // Pressed twice: one grant.
    for _ in 0..2 {
        assert!(parameter(ann.post(DECISION, &form).await.location(), "code").is_some());
    }
    assert!(ann.get("/").await.text.contains("1 active grant<"));
}

#[tokio::test]
async fn credentials_need_an_access_token() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authorization_fields()).await;
    for (what, authorization) in [
        ("nothing", None),
        ("another scheme", Some("Hawk id=\"x\"".to_owned())),
        ("a scheme without a token", Some("Bearer".to_owned())),
        ("a blank", Some("Bearer  ".to_owned())),
        ("an unknown token", Some("Bearer falconer_at_nope".to_owned())),
        ("a code", Some(format!("Bearer {code}"))),
        ("a code with the look of a token", Some(format!("Bearer falconer_at_{code}"))),
        ("a secret", Some(format!("Bearer {SECRET}").replace('"', ""))),
    ] {
        let headers: Vec<_> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = site.browser().send(Method::GET, "/login/oauth/credentials", &headers, None).await;
        assert_eq!(answer.oauth_error().0, 401, "{what}");
        assert!(answer.header("www-authenticate").starts_with("Bearer realm=\"falconer\""), "{what}");
    }
    // The session of a browser counts for nothing there.
    assert_eq!(ann.get("/login/oauth/credentials").await.oauth_error().0, 401);
}

#[tokio::test]
async fn bodies_that_are_none_are_told_so() {
    let site = site().await;
    let send = async |kind: &str, body: Vec<u8>| {
        let request = http::Request::post("/login/oauth/token").header("content-type", kind).body(body.into()).unwrap();
        site.send(request).await.oauth_error()
    };
    let form = "application/x-www-form-urlencoded";
    let invalid = (400, "invalid_request".to_owned());
    assert_eq!(send("application/json", b"{".to_vec()).await, invalid);
    assert_eq!(send("application/json", b"[]".to_vec()).await, invalid);
    assert_eq!(send("text/plain", b"grant_type=authorization_code".to_vec()).await, invalid);
    assert_eq!(send(form, b"grant_type=%".to_vec()).await, invalid);
    assert_eq!(send(form, vec![0xff]).await, invalid);
    assert_eq!(send(form, b"grant_type=authorization_code&grant_type=authorization_code".to_vec()).await, invalid);
    assert_eq!(send(form, b"grant_type=authorization_code&code=a&code=b&redirect_uri=x".to_vec()).await, invalid);
    assert_eq!(send(form, b"client_id=page&client_id=other&grant_type=authorization_code&code=a&redirect_uri=x".to_vec()).await, invalid);
    assert_eq!(send(form, b"client_secret=x&grant_type=authorization_code&code=a&redirect_uri=x".to_vec()).await, invalid);
    assert_eq!(send(form, vec![b'a'; 200_002]).await, (413, "invalid_request".to_owned()));
    assert_eq!(send(form, b"a=b&".repeat(1000)).await, (413, "invalid_request".to_owned()));
    for authorization in ["Basic", "Basic %%%", "Basic cGFnZQ==", "Bearer x", "Hawk id=\"x\""] {
        let answer = site.application("/login/oauth/token", &exchange("x"), Some(authorization)).await;
        assert_eq!(answer.oauth_error(), invalid, "{authorization}");
    }
}

/// A redirect URI of this machine stands for every port, and Falconer may be on one of them: the code would go to its own page.
#[tokio::test]
async fn no_port_of_this_machine_stands_for_falconer_itself() {
    let site = crate::site::site_at("http://127.0.0.1:9000", falconer_web::RequestLimits::default()).await;
    let ask = async |uri: &str| site.browser().get(&authorize(&with(authorization_fields(), &[("redirect_uri", uri)]))).await;
    assert_eq!(ask("http://127.0.0.1:9001/cb").await.status, StatusCode::SEE_OTHER);
    let page = ask("http://127.0.0.1:9000/cb").await;
    assert_eq!((page.status, page.header("location")), (StatusCode::BAD_REQUEST, ""));
    assert!(page.text.contains("Falconer itself"), "{}", page.text);
}

/// Two readers could disagree about which of two was meant.
#[tokio::test]
async fn what_is_there_twice_is_refused_however_it_is_sent() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authorization_fields()).await;
    let twice = serde_json::json!({"grant_type": "authorization_code", "client_id": "page", "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "code": code})
        .to_string()
        .replacen('{', "{\"code\":\"another\",", 1);
    let send = async |body: String| {
        let request = http::Request::post("/login/oauth/token").header("content-type", "application/json").body(body.into()).unwrap();
        site.send(request).await.oauth_error()
    };
    assert_eq!(send(twice).await, (400, "invalid_request".to_owned()));
    // Nor is a tree made of what holds no parameters.
    assert_eq!(send(format!("{{\"x\":[{}0]}}", "0,".repeat(20_000))).await, (413, "invalid_request".to_owned()));
    let token = site.token(&exchange(&code)).await.json()["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("authorization", "Bearer falconer_at_another")];
    let answer = site.browser().send(Method::GET, "/login/oauth/credentials", &headers, None).await;
    assert_eq!(answer.oauth_error(), (401, "invalid_request".to_owned()));
    let request =
        http::Request::post("/login/oauth/token").header("authorization", "Basic cGFnZTo=").header("authorization", "Basic b3RoZXI6");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body("grant_type=authorization_code".into()).unwrap();
    assert_eq!(site.send(request).await.oauth_error(), (400, "invalid_request".to_owned()));
}

/// Story: in JSON what was no text was passed over, so that a token for all of the grant came where less was asked for in a list.
#[tokio::test]
async fn a_parameter_that_is_no_text_is_refused() {
    use serde_json::{Value, json};
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.token(&exchange(&ann.code(&authorization_fields()).await)).await.json()["access_token"].as_str().unwrap().to_owned();
    let send = async |path: &str, name: &str, value: Value| {
        let mut body = json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token": token,
            "client_id": "page",
        });
        body[name] = value;
        let request = http::Request::post(path).header("content-type", "application/json").body(body.to_string().into()).unwrap();
        site.send(request).await
    };
    for value in [json!(["notes:read:red"]), json!([]), json!(600), json!(false), json!({"scope": "notes:read:red"})] {
        for name in ["scope", "resource", "expires", "client_id", "anything else"] {
            for path in ["/login/oauth/token", "/login/oauth/par", "/login/oauth/revoke", "/login/oauth/introspect"] {
                let answer = send(path, name, value.clone()).await;
                assert_eq!(answer.oauth_error(), (400, "invalid_request".to_owned()), "{path} {name} {value}");
            }
        }
    }
    let answer = send("/login/oauth/token", "scope", Value::Null).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answer = send("/login/oauth/token", "scope", json!("notes:read:red")).await;
    assert_eq!(answer.json()["scope"], "notes:read:red");
}
