//! Pushed requests (RFC 9126): the browser brings a reference, once, and what it stands for can't be changed.

use std::sync::atomic::Ordering;

use crate::site::applications::{
    CALLBACK, DECISION, Fields, SECRET, VERIFIER, authorization_fields, authorize, exchange, fields, parameter,
};
use crate::site::{Browser, Page, Site, encode, site, with};
use falconer_auth::{ApplicationInput, Authentication, DAY_MS};
use http::{Method, StatusCode};

const PAR: &str = "/login/oauth/par";
const PUSHER: [(&str, &str); 2] = [("client_id", "pusher"), ("redirect_uri", "https://pusher.example/cb")];

async fn push(site: &Site, fields: &Fields) -> Page {
    site.application(PAR, fields, None).await
}

/// The reference to a good request.
async fn pushed(site: &Site, fields: &Fields) -> String {
    let answer = push(site, fields).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::CREATED, "no-store"), "{}", answer.text);
    assert_eq!(answer.json()["expires_in"], 60);
    answer.json()["request_uri"].as_str().unwrap().to_owned()
}

fn bring(client_id: &str, reference: &str) -> String {
    authorize(&fields(&[("client_id", client_id), ("request_uri", reference)]))
}

async fn refused(browser: &mut Browser<'_>, path: &str, name: &str) {
    let page = browser.get(path).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::BAD_REQUEST, ""), "{name}: {}", page.text);
    assert!(!page.text.contains(DECISION), "{name}");
}

#[tokio::test]
async fn a_pushed_request_is_granted_like_any_other_and_once() {
    let site = site().await;
    let mut ann = site.ann().await;
    let reference = pushed(&site, &authorization_fields()).await;
    let page = ann.bring(&bring("page", &reference)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let form = with(page.form(DECISION), &[("visible_ms", "2000")]);
    // Much later than the reference counts: somebody looks at the page.
    site.clock.0.fetch_add(20 * 60_000, Ordering::SeqCst);
    let location = ann.post(DECISION, &form).await.location().to_owned();
    assert!(location.starts_with(&format!("{CALLBACK}?code=")), "{location}");
    assert_eq!(parameter(&location, "state").as_deref(), Some("st&1"));
    // Who presses twice makes one grant.
    let again = ann.post(DECISION, &form).await;
    assert!(again.status.is_redirection(), "{}", again.text);
    assert!(ann.get("/").await.text.contains("1 active grant<"));
    let code = parameter(&location, "code").unwrap();
    assert_eq!(site.token(&exchange(&code)).await.status, StatusCode::OK);
    refused(&mut ann, &bring("page", &reference), "a second time").await;
}

#[tokio::test]
async fn it_goes_through_a_sign_in_and_a_form_of_somebody_else() {
    let site = site().await;
    let mut stranger = site.browser();
    let reference = pushed(&site, &authorization_fields()).await;
    // By a form of a page of somebody else nothing is used up.
    let query = encode(&fields(&[("client_id", "page"), ("request_uri", &reference)]));
    let posted = stranger.send(Method::POST, "/login/oauth/authorize", &[], Some(query)).await;
    assert_eq!(posted.location(), bring("page", &reference));
    let page = stranger.bring(&bring("page", &reference)).await;
    let next = stranger.sign_in(page.location()).await.leads_on_to();
    let page = stranger.get(&next).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    // The same page once more is no second use.
    let page = stranger.get(&next).await;
    let form = with(page.form(DECISION), &[("visible_ms", "2000")]);
    assert!(stranger.post(DECISION, &form).await.location().starts_with(CALLBACK));
    site.clock.0.fetch_add(60 * 60_000, Ordering::SeqCst);
    refused(&mut site.ann().await, &next, "an hour later").await;
}

/// Story: the page stood at the address that counts once, so that whoever loaded it again, or had a browser that looked ahead, was told of a mistake of the application.
#[tokio::test]
async fn the_page_of_one_can_be_loaded_again_and_looking_ahead_uses_nothing_up() {
    let site = site().await;
    let mut ann = site.ann().await;
    let path = bring("page", &pushed(&site, &authorization_fields()).await);
    for (method, name, value) in
        [(Method::HEAD, "accept", "text/html"), (Method::GET, "sec-purpose", "prefetch;prerender"), (Method::GET, "purpose", "prefetch")]
    {
        let ahead = ann.send(method.clone(), &path, &[(name, value)], None).await;
        assert_eq!((ahead.status, ahead.header("location")), (StatusCode::FORBIDDEN, ""), "{method} {name}");
        assert_eq!(ahead.header("cache-control"), "no-store", "{method} {name}");
    }
    let begun = ann.get(&path).await.location().to_owned();
    assert!(begun.starts_with("/login/oauth/authorize?client_id=page&request_uri=") && begun != path, "{begun}");
    for time in ["once", "loaded again", "and again"] {
        let page = ann.get(&begun).await;
        assert!(page.status == StatusCode::OK && page.text.contains(DECISION), "{time}: {}", page.text);
        site.clock.0.fetch_add(10 * 60_000, Ordering::SeqCst);
    }
    assert!(ann.send(Method::HEAD, &begun, &[], None).await.status.is_success());
    let form = with(ann.get(&begun).await.form(DECISION), &[("visible_ms", "2000")]);
    assert!(ann.post(DECISION, &form).await.location().starts_with(CALLBACK));
}

/// Story: whatever there was, the page said that the application had made a mistake, and that its author should be told.
#[tokio::test]
async fn the_page_blames_the_application_for_its_own_mistakes_only() {
    let site = site().await;
    let mut ann = site.ann().await;
    let (used, late) = (pushed(&site, &authorization_fields()).await, pushed(&site, &authorization_fields()).await);
    let begun = ann.get(&bring("page", &used)).await.location().to_owned();
    let (mistake, over) = ("made a mistake", "start again");
    let title_of = |page: &Page| page.text.split("<h1>").nth(1).and_then(|rest| rest.split("</h1>").next()).unwrap().replace("&#39;", "'");
    let said = async |ann: &mut Browser<'_>, path: &str, title: &str, has: &str, has_not: &str| {
        let page = ann.get(path).await;
        assert_eq!((page.status, title_of(&page).as_str()), (StatusCode::BAD_REQUEST, title), "{path}");
        assert!(page.text.contains(has) && !page.text.contains(has_not), "{path}: {}", page.text);
    };
    said(&mut ann, &bring("page", &used), "This request is over", over, mistake).await;
    said(&mut ann, &bring("page", &format!("{used}x")), "This request can't be granted", mistake, over).await;
    let no_uri = authorize(&with(authorization_fields(), &[("redirect_uri", "")]));
    said(&mut ann, &no_uri, "This request can't be granted", mistake, over).await;
    let unknown = authorize(&with(authorization_fields(), &[("client_id", "gone")]));
    said(&mut ann, &unknown, "This application is not known here", "taken the application out", mistake).await;
    site.clock.0.fetch_add(60_000, Ordering::SeqCst);
    said(&mut ann, &bring("page", &late), "This request is over", over, mistake).await;
    site.clock.0.fetch_add(60 * 60_000, Ordering::SeqCst);
    said(&mut ann, &begun, "This request is over", over, mistake).await;
}

#[tokio::test]
async fn an_application_that_has_to_push_is_not_asked_for_by_an_address() {
    let site = site().await;
    let mut ann = site.ann().await;
    let plain = with(authorization_fields(), &PUSHER);
    let page = ann.get(&authorize(&plain)).await;
    assert_eq!(parameter(page.location(), "error").as_deref(), Some("invalid_request"));
    assert_eq!(push(&site, &plain).await.oauth_error(), (401, "invalid_client".to_owned()));
    let mut proved = plain.clone();
    proved.push(("client_secret".to_owned(), SECRET.to_owned()));
    let reference = pushed(&site, &proved).await;
    assert!(!reference.contains("s3cret"));
    let page = ann.bring(&bring("pusher", &reference)).await;
    let form = with(page.form(DECISION), &[("visible_ms", "2000")]);
    // What the form carries can't be exchanged for the request itself.
    let swapped = with(form.clone(), &[("request", &encode(&plain))]);
    assert_eq!(parameter(ann.post(DECISION, &swapped).await.location(), "error").as_deref(), Some("invalid_request"));
    let location = ann.post(DECISION, &form).await.location().to_owned();
    let proof = [PUSHER[0], PUSHER[1], ("client_secret", SECRET)];
    let tokens = site.token(&with(exchange(&parameter(&location, "code").unwrap()), &proof)).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text);
}

#[tokio::test]
async fn what_the_page_would_refuse_is_refused_at_once() {
    let site = site().await;
    for (name, changes, status, error) in [
        ("no client_id", &[("client_id", "")][..], 401, "invalid_client"),
        ("an unknown application", &[("client_id", "nobody")], 401, "invalid_client"),
        ("one that has a secret", &[("client_id", "server")], 401, "invalid_client"),
        ("a wrong secret", &[("client_id", "server"), ("client_secret", "guess")], 401, "invalid_client"),
        ("a secret of one that has none", &[("client_secret", "guess")], 401, "invalid_client"),
        ("the address of a document", &[("client_id", "https://agent.example.com/client.json")], 401, "invalid_client"),
        ("a redirect_uri of another", &[("redirect_uri", "https://evil.example/cb")], 400, "invalid_request"),
        ("no redirect_uri", &[("redirect_uri", "")], 400, "invalid_request"),
        ("no response_type", &[("response_type", "")], 400, "invalid_request"),
        ("another response_type", &[("response_type", "token")], 400, "invalid_request"),
        ("no PKCE", &[("code_challenge", "")], 400, "invalid_request"),
        ("PKCE in the clear", &[("code_challenge_method", "plain")], 400, "invalid_request"),
        ("half a challenge", &[("code_challenge", VERIFIER)], 400, "invalid_request"),
        ("a scope that it may not ask for", &[("scope", "queue:ping")], 400, "invalid_scope"),
        ("a scope that is none", &[("scope", "a%zz")], 400, "invalid_scope"),
        ("a resource that is none", &[("resource", "notes")], 400, "invalid_target"),
        ("a reference in a request", &[("request_uri", "urn:ietf:params:oauth:request_uri:x")], 400, "invalid_request"),
        ("an address of one", &[("request_uri", "https://app.example/request")], 400, "invalid_request"),
        ("a request object", &[("request", "e30.e30.")], 400, "invalid_request"),
        ("a state that is none", &[("state", "a\u{7}b")], 400, "invalid_request"),
        ("a time that has passed", &[("expires", "-3 days")], 400, "invalid_request"),
    ] {
        let answer = push(&site, &with(authorization_fields(), changes)).await;
        assert_eq!(answer.oauth_error(), (status, error.to_owned()), "{name}");
    }
    let long = "x".repeat(2_000);
    let long = with(authorization_fields(), &[("state", &long), ("nonce", &long), ("more", &long)]);
    assert_eq!(push(&site, &long).await.oauth_error(), (400, "invalid_request".to_owned()));
    let mut twice = authorization_fields();
    twice.push(("redirect_uri".to_owned(), CALLBACK.to_owned()));
    assert_eq!(push(&site, &twice).await.oauth_error(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn references_are_not_made_changed_or_kept() {
    let site = site().await;
    let mut ann = site.ann().await;
    let reference = pushed(&site, &authorization_fields()).await;
    let (content, mac) = reference.rsplit_once('.').unwrap();
    let other = pushed(&site, &with(authorization_fields(), &[("state", "other")])).await;
    let of_other = other.rsplit_once('.').unwrap().1;
    for (name, forged) in [
        ("no MAC", content.to_owned()),
        ("an empty one", format!("{content}.")),
        ("that of another request", format!("{content}.{of_other}")),
        ("half of it", format!("{content}.{}", &mac[..20])),
        ("more behind it", format!("{reference}x")),
        ("another request", format!("{content}A.{mac}")),
        ("nothing", "urn:ietf:params:oauth:request_uri:".to_owned()),
        ("a dot", "urn:ietf:params:oauth:request_uri:.".to_owned()),
        ("a number", "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c".to_owned()),
    ] {
        refused(&mut ann, &bring("page", &forged), name).await;
    }
    for client_id in ["server", "other", "pusher", "who", "nobody", ""] {
        refused(&mut ann, &bring(client_id, &reference), client_id).await;
    }
    // None of these has used it up. What stands beside it counts for nothing.
    let beside = format!("{}&redirect_uri=https%3A%2F%2Fevil.example%2F&scope=queue%3Aping&state=x", bring("page", &reference));
    let page = ann.bring(&beside).await;
    let form = with(page.form(DECISION), &[("visible_ms", "2000")]);
    let location = ann.post(DECISION, &form).await.location().to_owned();
    assert!(location.starts_with(CALLBACK) && parameter(&location, "state").as_deref() == Some("st&1"), "{location}");
    // What stands in the page is none that an application could have been given, and the other way round.
    let on_page = form.iter().find(|(name, _)| name == "request").map(|(_, query)| query.clone()).unwrap();
    assert!(on_page.contains("request_uri=") && !on_page.contains(&reference.replace(':', "%3A")));
    let with_pushed = with(form.clone(), &[("request", &encode(&fields(&[("client_id", "page"), ("request_uri", &other)])))]);
    let answer = ann.post(DECISION, &with_pushed).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::BAD_REQUEST, ""), "{}", answer.text);
    site.clock.0.fetch_add(60_000, Ordering::SeqCst);
    refused(&mut ann, &bring("page", &other), "a minute later").await;
}

#[tokio::test]
async fn one_of_the_database_has_to_push_where_that_is_said_of_it() {
    let site = site().await;
    site.somebody("admin", &["auth:*", "notes:*"]).await;
    let (admin, mut ann) = (Authentication::person("local/admin"), site.ann().await);
    let asked = with(authorization_fields(), &[("client_id", "stored"), ("scope", "notes:read:*")]);
    for pushed_only in [true, false] {
        let input = ApplicationInput {
            name: "Stored".to_owned(),
            redirect_uris: vec![CALLBACK.to_owned()],
            scopes: vec!["notes:read:*".to_owned()],
            max_life_ms: DAY_MS,
            pushed_only,
            ..ApplicationInput::default()
        };
        site.web.grants.put_application(&admin, "stored", &input, None).await.unwrap();
        let brought = ann.get(&authorize(&asked)).await;
        if pushed_only {
            assert_eq!(parameter(brought.location(), "error").as_deref(), Some("invalid_request"));
        } else {
            assert_eq!(brought.status, StatusCode::OK, "{}", brought.text);
        }
        let page = ann.bring(&bring("stored", &pushed(&site, &asked).await)).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    }
}

#[tokio::test]
async fn strangers_push_so_many() {
    let site = site().await;
    for _ in 0..120 {
        assert_eq!(push(&site, &authorization_fields()).await.status, StatusCode::CREATED);
    }
    let over = push(&site, &authorization_fields()).await;
    assert_eq!(over.status, StatusCode::TOO_MANY_REQUESTS, "{}", over.text);
    // One that proves who it is has its own measure.
    let server =
        with(authorization_fields(), &[("client_id", "server"), ("client_secret", SECRET), ("redirect_uri", "https://server.example/cb")]);
    assert_eq!(push(&site, &server).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn of_64_browsers_that_bring_one_at_once_one_goes_on() {
    let site = site().await;
    let reference = pushed(&site, &authorization_fields()).await;
    let path = bring("page", &reference);
    let mut pages = Vec::new();
    for _ in 0..64 {
        let request = http::Request::get(&path).header("accept", "text/html").body(axum::body::Body::empty()).unwrap();
        pages.push(site.send(request));
    }
    let statuses: Vec<StatusCode> = futures_util::future::join_all(pages).await.iter().map(|page| page.status).collect();
    assert_eq!(statuses.iter().filter(|status| status.is_redirection()).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::BAD_REQUEST).count(), 63, "{statuses:?}");
}
