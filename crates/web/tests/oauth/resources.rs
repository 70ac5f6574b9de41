//! Tokens for some services only (RFC 8707): where they count, and that they never count for more.

use crate::site::applications::{CALLBACK, DECISION, Fields, SECRET, authorization_fields, authorize, exchange, fields, parameter};
use crate::site::{Browser, Page, Site, site, with};
use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

const NOTES: &str = "https://notes.example/mcp";
const SHELF: &str = "https://shelf.example:8443";

/// With these resources, each a parameter of its own.
fn with_resources(mut base: Fields, resources: &[&str]) -> Fields {
    base.extend(resources.iter().map(|resource| ("resource".to_owned(), (*resource).to_owned())));
    base
}

/// What `check` says where a service of this host and port is shown the token.
async fn at(site: &Site, token: &str, host: &str, port: u16) -> (String, String) {
    let request = json!({"method": "get", "resource": "/mcp", "host": host, "port": port, "authorization": format!("Bearer {token}")});
    let question = json!({"request": request, "required": "notes:read:red", "bearer": true});
    let sent = Request::post("/api/falconer/v1/check").header("content-type", "application/json");
    let answer = site.send(sent.body(Body::from(question.to_string())).unwrap()).await.json();
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    (text("status"), text("reason"))
}

async fn counts_at(site: &Site, token: &str, host: &str, port: u16) -> bool {
    let (status, reason) = at(site, token, host, port).await;
    assert!(status == "allowed" || (status == "failed" && reason == "token-other-service"), "{status} {reason}");
    status == "allowed"
}

fn text(tokens: &Value, name: &str) -> String {
    tokens[name].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
}

async fn tokens(site: &Site, ann: &mut Browser<'_>, asked: &[&str], exchanged: &[&str]) -> Value {
    let code = ann.code(&with_resources(authorization_fields(), asked)).await;
    let answer = site.token(&with_resources(exchange(&code), exchanged)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

fn refresh(token: &str, resources: &[&str]) -> Fields {
    with_resources(fields(&[("grant_type", "refresh_token"), ("client_id", "page"), ("refresh_token", token)]), resources)
}

#[tokio::test]
async fn a_token_counts_at_the_services_that_it_is_for() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&with_resources(authorization_fields(), &[NOTES]))).await;
    // Story: the page said that it counts at one path of the host, where the whole host takes it.
    let at = |host: &str| format!("It can use this only at <span class=\"host\">{host}</span>.");
    assert!(page.text.contains(&at("notes.example")) && !page.text.contains(NOTES), "{}", page.text);
    let page = ann
        .get(&authorize(&with_resources(authorization_fields(), &["https://notes.example:8443/a", "https://notes.example:8443/b"])))
        .await;
    assert!(page.text.contains(&at("notes.example:8443")), "{}", page.text);
    let signed = crate::site::applications::OFFLINE;
    let page = ann.get(&authorize(&with_resources(authorization_fields(), &[signed]))).await;
    assert!(page.text.contains(&at(signed)), "{}", page.text);
    let all = tokens(&site, &mut ann, &[], &[]).await;
    let token = text(&all, "access_token");
    assert!(counts_at(&site, &token, "notes.example", 443).await && counts_at(&site, &token, "shelf.example", 8443).await);

    // In the request alone, in both as clients of the Model Context Protocol send it, and in the exchange alone.
    for (asked, exchanged) in
        [(&[NOTES][..], &[][..]), (&[NOTES], &[NOTES]), (&[], &[NOTES]), (&[NOTES, SHELF], &[NOTES]), (&[NOTES, NOTES], &[])]
    {
        let token = text(&tokens(&site, &mut ann, asked, exchanged).await, "access_token");
        assert!(counts_at(&site, &token, "notes.example", 443).await && counts_at(&site, &token, "NOTES.example", 443).await);
        for (host, port) in
            [("notes.example", 80), ("notes.example", 8443), ("shelf.example", 8443), ("x.notes.example", 443), ("example", 443)]
        {
            assert!(!counts_at(&site, &token, host, port).await, "{host}:{port}");
        }
        // It can't be made into something that counts everywhere, nor shown to Falconer itself.
        assert_eq!(site.credentials(&token).await.oauth_error(), (401, "invalid_token".to_owned()));
    }
    let both = text(&tokens(&site, &mut ann, &[NOTES, SHELF], &[]).await, "access_token");
    assert!(counts_at(&site, &both, "notes.example", 443).await && counts_at(&site, &both, "shelf.example", 8443).await);
    assert!(!counts_at(&site, &both, "other.example", 443).await);
}

#[tokio::test]
async fn nothing_that_comes_after_it_is_for_more() {
    let site = site().await;
    let mut ann = site.ann().await;
    let target = |page: Page| assert_eq!(page.oauth_error(), (400, "invalid_target".to_owned()));
    // A code: what is refused leaves it as it is.
    let code = ann.code(&with_resources(authorization_fields(), &[NOTES])).await;
    for wider in
        [&[SHELF][..], &[NOTES, SHELF], &["https://notes.example/"], &["https://notes.example/mcp/"], &["https://notes.example"], &["x"]]
    {
        target(site.token(&with_resources(exchange(&code), wider)).await);
    }
    let first = site.token(&with_resources(exchange(&code), &[NOTES])).await.json();
    // A refresh token, and the ones after it.
    let token = text(&first, "refresh_token");
    target(site.token(&refresh(&token, &[SHELF])).await);
    target(site.token(&refresh(&token, &[NOTES, SHELF])).await);
    let second = site.token(&refresh(&token, &[])).await.json();
    assert!(!counts_at(&site, &text(&second, "access_token"), "shelf.example", 8443).await);
    target(site.token(&refresh(&text(&second, "refresh_token"), &[SHELF])).await);
    // One that is for two gives tokens for one, and goes on being for two.
    let both = tokens(&site, &mut ann, &[NOTES, SHELF], &[NOTES]).await;
    let one = site.token(&refresh(&text(&both, "refresh_token"), &[SHELF])).await.json();
    let token = text(&one, "access_token");
    assert!(counts_at(&site, &token, "shelf.example", 8443).await && !counts_at(&site, &token, "notes.example", 443).await);
    let next = site.token(&refresh(&text(&one, "refresh_token"), &[])).await.json();
    let token = text(&next, "access_token");
    assert!(counts_at(&site, &token, "shelf.example", 8443).await && counts_at(&site, &token, "notes.example", 443).await);
}

#[tokio::test]
async fn what_is_no_service_is_refused() {
    let site = site().await;
    let mut ann = site.ann().await;
    let five: Vec<String> = (0..5).map(|n| format!("https://s{n}.example/")).collect();
    let five: Vec<&str> = five.iter().map(String::as_str).collect();
    for wrong in [
        &["notes.example"][..],
        &["/mcp"],
        &["urn:notes"],
        &["https://notes.example/mcp#x"],
        &["https://notes.example/mcp#"],
        &["https://me@notes.example/mcp"],
        &["http://notes.example/mcp"],
        &["https://notes.example/a/../mcp"],
        &["https://NOTES.example/mcp"],
        &["https://notes.example./mcp"],
        &["https://auth.example.com/"],
        &["https://auth.example.com/api"],
        &["javascript:alert(1)"],
        &[NOTES, "x"],
        &five,
    ] {
        let page = ann.get(&authorize(&with_resources(authorization_fields(), wrong))).await;
        assert_eq!(parameter(page.location(), "error").as_deref(), Some("invalid_target"), "{wrong:?}");
        assert!(!page.text.contains(DECISION));
    }
    let four = ann.get(&authorize(&with_resources(authorization_fields(), &five[..4]))).await;
    assert_eq!(four.status, StatusCode::OK);
    // An empty one is one that is not there. Third parties of the reference know of none.
    assert_eq!(ann.get(&authorize(&with_resources(authorization_fields(), &[""]))).await.status, StatusCode::OK);
    let of_reference = with(authorization_fields(), &[("client_id", "old-code"), ("redirect_uri", CALLBACK)]);
    let page = ann.get(&authorize(&with_resources(of_reference, &[NOTES]))).await;
    assert_eq!(parameter(page.location(), "error").as_deref(), Some("invalid_target"));
}

#[tokio::test]
async fn introspection_says_for_whom_it_is() {
    let site = site().await;
    let mut ann = site.ann().await;
    let server = [("client_id", "server"), ("redirect_uri", "https://server.example/cb")];
    for (resources, audience) in [(&[][..], Value::Null), (&[NOTES, SHELF], json!([NOTES, SHELF]))] {
        let code = ann.code(&with_resources(with(authorization_fields(), &server), resources)).await;
        let proof = [("client_id", "server"), ("client_secret", SECRET), ("redirect_uri", "https://server.example/cb")];
        let tokens = site.token(&with(exchange(&code), &proof)).await.json();
        for kind in ["access_token", "refresh_token"] {
            let asked = fields(&[("token", &text(&tokens, kind)), ("client_id", "server"), ("client_secret", SECRET)]);
            let answer = site.application("/login/oauth/introspect", &asked, None).await.json();
            assert_eq!((&answer["active"], &answer["aud"]), (&json!(true), &audience), "{kind}: {answer}");
        }
    }
}
