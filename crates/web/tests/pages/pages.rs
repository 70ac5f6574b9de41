//! What all pages have in common, in process: headers, forms, limits, errors.

use crate::site::headers::{assert_headers, assert_page_headers};
use crate::site::{PASSWORD, TARGET, encode, request_for, site, site_at, with};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use falconer_web::RequestLimits;
use http::{Method, Request, StatusCode};
use sha2::{Digest, Sha384};

#[tokio::test]
async fn every_kind_of_answer_has_its_row_of_headers() {
    let site = site().await;
    let mut stranger = site.browser();
    assert_headers(&stranger.get("/login").await, "'self'", true);
    assert_page_headers(&stranger.get("/nowhere").await, "'self'");
    assert_page_headers(&stranger.get("/").await, "'self'");
    assert_page_headers(&stranger.get("/?target=x").await, "'self'");
    let mut ann = site.ann().await;
    assert_page_headers(&ann.get("/").await, "'self'");
    assert_page_headers(&ann.get("/me/password").await, "'self'");
    assert_headers(&ann.get("/me/passkeys").await, "'self'", true);
    assert_page_headers(&ann.get(&request_for(TARGET, "")).await, "'self' https:");
    assert_page_headers(&ann.get(&request_for("http://localhost:8081/", "")).await, "'self' https: http:");

    let page = ann.get(&request_for(TARGET, "")).await;
    let delivered = ann.post("/grant", &with(page.form("/grant"), &[("typed_host", "notes.example.com")])).await;
    assert_eq!(delivered.status, StatusCode::SEE_OTHER);
    assert_eq!(delivered.header("content-security-policy"), "default-src 'none'");
    assert_eq!(delivered.header("referrer-policy"), "no-referrer");
    assert_eq!(delivered.header("cache-control"), "no-store");
    assert_eq!(delivered.header("x-content-type-options"), "nosniff");

    for (path, cache) in [("/sdk/falconer.js", "public, max-age=300"), (falconer_web::assets::sdk(), "public, max-age=31536000, immutable")]
    {
        let sdk = stranger.get(path).await;
        assert_eq!(sdk.status, StatusCode::OK);
        assert_eq!(sdk.header("access-control-allow-origin"), "*");
        assert_eq!(sdk.header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(sdk.header("cache-control"), cache);
        assert_eq!(sdk.header("content-type"), "text/javascript; charset=utf-8");
        assert!(sdk.text.contains("export"));
    }
}

/// Story: a name in a path that was no UTF-8 was answered with a line of the library: no page, and none of its headers.
#[tokio::test]
async fn what_is_no_text_in_a_path_is_a_page_too() {
    let site = site().await;
    let own = [("origin", site.origin.as_str()), ("sec-fetch-site", "same-origin")];
    for (method, path) in [
        (Method::GET, "/login/%FF"),
        (Method::POST, "/login/%FF"),
        (Method::POST, "/login/%FF/address"),
        (Method::GET, "/login/%FF/callback"),
        (Method::GET, "/login/a%80/code"),
        (Method::POST, "/login/%C3/code"),
    ] {
        let form = (method == Method::POST).then(String::new);
        let page = site.browser().send(method.clone(), path, &own, form).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{method} {path}: {}", page.text);
        assert!(page.text.contains("There is no such page") && page.text.contains("quote <code>"), "{method} {path}: {}", page.text);
        assert_page_headers(&page, "'self'");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = |id: &str| {
            let path = format!("/login/oauth/register/{id}");
            let request = Request::builder().method(method.clone()).uri(path).header("authorization", "Bearer zzz");
            request.header("content-type", "application/json").body(Body::from("{}")).unwrap()
        };
        let (unknown, no_text) = (site.send(answer("zzz")).await, site.send(answer("%FF")).await);
        assert_eq!((no_text.status, &no_text.text), (StatusCode::UNAUTHORIZED, &unknown.text), "{method}");
        for (name, value) in [("access-control-allow-origin", "*"), ("cache-control", "no-store")] {
            assert_eq!((no_text.header(name), unknown.header(name)), (value, value), "{method} {name}");
        }
    }
}

/// Story: browsers keep a permanent redirect, and its name changes with the icon: after an update they found nothing there.
#[tokio::test]
async fn where_the_icon_is_may_change() {
    let site = site().await;
    let mut browser = site.browser();
    let icon = browser.get("/favicon.ico").await;
    assert_eq!(icon.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(browser.get(icon.location()).await.header("content-type"), "image/svg+xml");
}

/// The first of two fields counted, and another reader on the way could take the second.
#[tokio::test]
async fn a_form_has_each_field_once() {
    let site = site().await;
    let mut ann = site.ann().await;
    let form = with(ann.get(&request_for(TARGET, "")).await.form("/grant"), &[("typed_host", "notes.example.com")]);
    for (name, value) in [("decision", "grant"), ("typed_host", "evil.example"), ("csrf", "x"), ("unknown", "1")] {
        let twice = [form.clone(), vec![(name.to_owned(), value.to_owned()); 2]].concat();
        let page = ann.post("/grant", &twice).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{name}: {}", page.text);
        assert!(page.text.contains("The form has a field twice"), "{name}: {}", page.text);
    }
    let ticks = [form.clone(), vec![("tick".to_owned(), "nothing".to_owned()); 2]].concat();
    assert!(!ann.post("/grant", &ticks).await.text.contains("twice"), "of a list there may be several");
    let form = with(ann.get(&request_for(TARGET, "")).await.form("/grant"), &[("typed_host", "notes.example.com")]);
    assert_eq!(ann.post("/grant", &form).await.status, StatusCode::SEE_OTHER);
    let mut stranger = site.browser();
    let form = stranger.get("/login").await.form("/login");
    let twice = [form, vec![("user".to_owned(), "ann".to_owned()); 2], vec![("password".to_owned(), PASSWORD.to_owned())]].concat();
    assert_eq!(stranger.post("/login", &twice).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_module_and_its_types_stand_under_a_version_with_their_hashes() {
    let site = site().await;
    let mut stranger = site.browser();
    let about: serde_json::Value = serde_json::from_str(&stranger.get("/sdk/falconer.json").await.text).unwrap();
    for (name, plain, holds) in
        [("module", "/sdk/falconer.js", "\nexport function connect("), ("types", "/sdk/falconer.d.ts", "export interface Session")]
    {
        let path = about[name]["path"].as_str().unwrap();
        assert!(path.contains(about["version"].as_str().unwrap()), "{path}");
        let versioned = stranger.get(path).await;
        assert_eq!((versioned.status, versioned.header("access-control-allow-origin")), (StatusCode::OK, "*"));
        assert_eq!(versioned.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(versioned.text.contains(holds), "{path}");
        assert_eq!(versioned.text, stranger.get(plain).await.text);
        let expected = format!("sha384-{}", STANDARD.encode(Sha384::digest(versioned.text.as_bytes())));
        assert_eq!(about[name]["integrity"], expected.as_str());
    }
    // One file: nothing else has to be loaded while credentials stand in the address.
    let module = stranger.get("/sdk/falconer.js").await.text;
    assert!(!module.lines().any(|line| line.starts_with("import ") || line.contains(" from './")));
}

#[tokio::test]
async fn every_stylesheet_and_icon_that_a_page_names_is_there() {
    let site = site().await;
    let mut browser = site.browser();
    let page = browser.get("/login").await;
    let links: Vec<&str> = page.text.split("href=\"/assets/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(links.len(), 2);
    for link in links {
        let asset = browser.get(&format!("/assets/{link}")).await;
        assert_eq!(asset.status, StatusCode::OK, "{link}");
        assert!(asset.header("cache-control").contains("immutable"));
    }
}

#[tokio::test]
async fn cookies_are_as_strict_as_the_origin_allows() {
    let site = site().await;
    let mut browser = site.browser();
    let signed_in = browser.sign_in("/login").await;
    let cookie = signed_in.header("set-cookie");
    assert!(cookie.starts_with("__Host-falconer="), "{cookie}");
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age="] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Domain"));

    let local = site_at("http://localhost:8080", RequestLimits::default()).await;
    let mut browser = local.browser();
    let signed_in = browser.sign_in("/login").await;
    let cookie = signed_in.header("set-cookie");
    assert!(cookie.starts_with("falconer=") && !cookie.contains("Secure"), "{cookie}");
    assert_eq!(signed_in.header("strict-transport-security"), "");
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn forms_of_other_sites_do_nothing() {
    let site = site().await;
    let mut ann = site.ann().await;
    let me = ann.get("/").await;
    let page = ann.get(&request_for(TARGET, "")).await;
    let forms = [
        ("/grant", with(page.form("/grant"), &[("typed_host", "notes.example.com")])),
        ("/grant/cancel", page.form("/grant")),
        ("/logout", me.form("/logout")),
        ("/me/signout-everywhere", me.form("/me/signout-everywhere")),
        ("/me/revoke", with(me.form("/logout"), &[("grant", "x")])),
        ("/me/forget", with(me.form("/logout"), &[("origin", "https://a.example")])),
        ("/me/sessions", with(me.form("/logout"), &[("session", "x")])),
        ("/me/password", with(me.form("/logout"), &[("old", PASSWORD), ("new", "another password"), ("repeat", "another password")])),
    ];
    for (path, form) in &forms {
        // From another site, with everything right but where it comes from.
        for headers in [
            vec![("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
            vec![("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
            vec![("origin", "null"), ("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site")],
            vec![],
        ] {
            let refused = ann.send(Method::POST, path, &headers, Some(encode(form))).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert!(refused.text.contains("did not come from Falconer") && refused.header("location").is_empty());
        }
        // From us, but without the session's token, or with another one.
        for token in ["", "0123456789012345678901"] {
            let refused = ann.post(path, &with(form.clone(), &[("csrf", token)])).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        }
        // From nobody.
        let refused = site.browser().post(path, form).await;
        assert!(matches!(refused.status, StatusCode::FORBIDDEN | StatusCode::SEE_OTHER), "{path}");
        assert!(!refused.header("location").contains("accessToken"));
    }
    assert_eq!(ann.get("/").await.status, StatusCode::OK);
    assert!(ann.get("/").await.text.contains("No site can act for you now"));

    let mut stranger = site.browser();
    let login = stranger.get("/login").await;
    let form = with(login.form("/login"), &[("name", "ann"), ("password", PASSWORD)]);
    let refused = stranger.send(Method::POST, "/login", &[("origin", "https://evil.example")], Some(encode(&form))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let refused = stranger.post("/login", &with(form.clone(), &[("form", "")])).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let refused = site.browser().post("/login", &form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!stranger.is_signed_in());
}

#[tokio::test]
async fn programs_get_json_and_everybody_gets_an_id() {
    let site = site().await;
    let mut browser = site.browser();
    let page = browser.get("/nowhere").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("There is no such page") && page.text.contains("quote <code>"));
    let request = http::Request::get("/nowhere").header("accept", "application/json").body(axum::body::Body::empty()).unwrap();
    let json = site.send(request).await;
    assert_eq!(json.header("content-type"), "application/json; charset=utf-8");
    let value: serde_json::Value = serde_json::from_str(&json.text).unwrap();
    assert_eq!(value["error"], "There is no such page");
    assert_eq!(value["id"].as_str().unwrap().len(), 9);
    let other_method = browser.get("/grant").await;
    assert_eq!((other_method.status, other_method.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
    // What the API owns is the API's, under the same roof.
    let ping = browser.get("/api/auth/v1/ping").await;
    assert_eq!(ping.status, StatusCode::OK);
    assert_eq!(ping.header("x-content-type-options"), "nosniff");
    let nowhere: serde_json::Value = serde_json::from_str(&browser.get("/api/nowhere").await.text).unwrap();
    assert_eq!(nowhere, serde_json::json!({"error": "Not found"}));
}

#[tokio::test]
async fn limits_of_one_request() {
    let site = site().await;
    let mut browser = site.browser();
    let long = browser.get(&format!("/?target={}", "a".repeat(17_000))).await;
    assert_eq!(long.status, StatusCode::URI_TOO_LONG);
    assert_eq!(long.header("connection"), "close");
    let many = browser.send(Method::GET, "/", &[("x-large", &"a".repeat(17_000))], None).await;
    assert_eq!(many.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let mut ann = site.ann().await;
    let me = ann.get("/").await;
    let large = ann.post("/logout", &with(me.form("/logout"), &[("x", &"a".repeat(300_000))])).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    let typed = http::Request::post("/logout").header("origin", "https://auth.example.com").header("content-type", "text/plain");
    assert_eq!(site.send(typed.body(axum::body::Body::empty()).unwrap()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_panic_is_an_error_page_with_an_id() {
    let site = site().await;
    let broken = axum::Router::new().route(
        "/broken",
        axum::routing::get(|| async {
            if true {
                panic!("secret reason")
            }
        }),
    );
    let router = falconer_web::guarded(std::sync::Arc::clone(&site.web), broken);
    let site = crate::site::Site { router, ..site };
    let page = site.browser().get("/broken").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.text.contains("Something went wrong on our side") && page.text.contains("quote <code>") && !page.text.contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_ended() {
    let limits = RequestLimits { total: std::time::Duration::from_secs(5), ..RequestLimits::default() };
    let site = site_at("https://auth.example.com", limits).await;
    let taken = axum::routing::any(|_body: bytes::Bytes| std::future::pending::<()>());
    let slow = axum::Router::new().route("/slow", axum::routing::any(std::future::pending::<()>)).route("/taken", taken);
    let router = falconer_web::guarded(std::sync::Arc::clone(&site.web), slow);
    let site = crate::site::Site { router, ..site };
    let mut browser = site.browser();
    let ours = browser.get("/slow").await;
    assert_eq!(ours.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ours.header("retry-after"), "5");
    // A form that had arrived was told 408 "Try again", although what it asked for went on and was there afterwards.
    for path in ["/slow", "/taken"] {
        let unknown = browser.post(path, &[("a".to_owned(), "b".to_owned())]).await;
        assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(unknown.text.contains("It may have been done, or not"), "{path}: {}", unknown.text);
    }
    let half = futures_util::stream::iter([Ok::<_, std::io::Error>("half of ")]);
    let pieces = futures_util::StreamExt::chain(half, futures_util::stream::pending());
    let request = http::Request::post("/taken").body(axum::body::Body::from_stream(pieces)).unwrap();
    let theirs = site.send(request).await;
    assert_eq!((theirs.status, theirs.header("connection")), (StatusCode::REQUEST_TIMEOUT, "close"));
}
