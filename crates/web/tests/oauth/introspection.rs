//! Introspection: what a token is worth, for those who may know, and nothing for anybody else.

use std::sync::atomic::Ordering;

use crate::site::applications::{Fields, SECRET, authorization_fields, exchange, fields};
use crate::site::{Page, START_MS, Site, site, with};
use axum::body::Body;
use falconer_auth::{AccessToken, ApplicationInput, Authentication, ClientInput, DAY_MS};
use falconer_credentials::{payload, sign};
use http::{Request, StatusCode};
use serde_json::{Value, json};

const PATH: &str = "/login/oauth/introspect";

fn form(token: &str) -> Fields {
    fields(&[("token", token), ("client_id", "server"), ("client_secret", SECRET)])
}

async fn by_server(site: &Site, token: &str) -> Value {
    let answer = site.application(PATH, &form(token), None).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"), "{}", answer.text);
    answer.json()
}

/// The access token and the refresh token of an application.
async fn tokens(site: &Site, client: &str) -> (String, String) {
    let at = if client == "server" { "https://server.example/cb" } else { crate::site::applications::CALLBACK };
    let code = site.ann().await.code(&with(authorization_fields(), &[("client_id", client), ("redirect_uri", at)])).await;
    let secret = if client == "server" { SECRET } else { "" };
    let answer = site.token(&with(exchange(&code), &[("client_id", client), ("redirect_uri", at), ("client_secret", secret)])).await.json();
    let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    (text("access_token"), text("refresh_token"))
}

#[tokio::test]
async fn an_application_learns_of_its_own_tokens() {
    let site = site().await;
    let (access, refresh) = tokens(&site, "server").await;
    let introspected = by_server(&site, &access).await;
    let expected = json!({
        "active": true, "iss": site.origin, "client_id": "server", "token_type": "Bearer", "exp": 1_785_586_202,
        "scope": "auth:current-scopes notes:read:* notes:write:mine",
    });
    assert_eq!(introspected, expected);
    let introspected = by_server(&site, &refresh).await;
    assert_eq!((&introspected["active"], introspected.get("token_type")), (&json!(true), None), "{introspected}");
    // What the person may do now, not what was granted.
    site.login.set_scopes("test", "ann", &["notes:read:red".to_owned()]).await.unwrap();
    assert_eq!(by_server(&site, &access).await["scope"], "auth:current-scopes notes:read:red");
    site.clock.0.fetch_add(600_000, Ordering::SeqCst);
    assert_eq!(by_server(&site, &access).await, json!({"active": false}));
    assert_eq!(by_server(&site, &refresh).await["active"], true);
    let form = fields(&[("grant_type", "refresh_token"), ("refresh_token", &refresh), ("client_id", "server"), ("client_secret", SECRET)]);
    assert_eq!(site.token(&form).await.status, StatusCode::OK);
    assert_eq!(by_server(&site, &refresh).await, json!({"active": false}), "it was used");
}

#[tokio::test]
async fn of_others_nothing_is_told() {
    let site = site().await;
    let (access, refresh) = tokens(&site, "page").await;
    let mine = tokens(&site, "server").await.0;
    for token in [access.as_str(), refresh.as_str(), "x", "falconer_at_", &mine[..mine.len() - 1]] {
        assert_eq!(by_server(&site, token).await, json!({"active": false}), "{token}");
    }
    site.login.disable_account("test", "ann").await.unwrap();
    assert_eq!(by_server(&site, &mine).await, json!({"active": false}));
}

#[tokio::test]
async fn who_cannot_prove_who_they_are_is_told_nothing() {
    let site = site().await;
    let access = tokens(&site, "page").await.0;
    for (changes, status, error) in [
        (vec![("client_id", "page"), ("client_secret", "")], 401, "invalid_client"),
        (vec![("client_id", "page"), ("client_secret", "guess")], 401, "invalid_client"),
        (vec![("client_secret", "guess")], 401, "invalid_client"),
        (vec![("client_secret", "")], 401, "invalid_client"),
        (vec![("client_id", "nobody")], 401, "invalid_client"),
        (vec![("client_id", ""), ("client_secret", "")], 401, "invalid_client"),
        (vec![("token", "")], 400, "invalid_request"),
    ] {
        let answer = site.application(PATH, &with(form(&access), &changes), None).await;
        assert_eq!(answer.oauth_error(), (status, error.to_owned()), "{changes:?}");
    }
    let bearer = site.application(PATH, &fields(&[("token", &access)]), Some(&format!("Bearer {access}"))).await;
    assert_eq!(bearer.oauth_error().0, 400, "a token proves nobody");
    assert_eq!(site.browser().get(PATH).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

/// A call of a service that signs.
async fn by_service(site: &Site, client: &str, key: &AccessToken, token: &str, signed_body: Option<&str>) -> Page {
    let body = format!("token={token}");
    let kind = "application/x-www-form-urlencoded";
    let hash = signed_body.map(|text| payload::hash(kind, text.as_bytes()));
    let request = sign::Request {
        method: "post",
        resource: PATH,
        host: "auth.example.com",
        port: 443,
        ts_seconds: site.clock.0.load(Ordering::SeqCst) / 1000,
        nonce: "k3J9aQ",
        hash: hash.as_deref(),
        ..Default::default()
    };
    let header = sign::header(client, key, &request);
    let request = Request::post(PATH).header("host", "auth.example.com:443").header("content-type", kind).header("authorization", header);
    site.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_service_learns_of_the_applications_that_its_scopes_name() {
    let site = site().await;
    let (of_page, of_server) = (tokens(&site, "page").await.0, tokens(&site, "server").await.0);
    site.somebody("root", &["auth:*", "notes:*"]).await;
    let root = Authentication::person("local/root");
    let mut keys = Vec::new();
    for (client, scopes) in [
        ("svc/page", &["auth:introspect-token:page"][..]),
        ("svc/all", &["auth:introspect-token:*"]),
        ("svc/none", &["notes:*"]),
        ("svc/prefix", &["auth:introspect-token"]),
    ] {
        let input = ClientInput {
            expires_us: (START_MS + 86_400_000) * 1000,
            description: String::new(),
            scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            delete_on_expiration: false,
        };
        let (created, _) = site.auth.create_client(&root, client, &input).await.unwrap();
        keys.push((client, AccessToken::new(created.access_token.unwrap().expose().to_owned())));
    }
    for ((client, key), (page, server)) in keys.iter().zip([(true, false), (true, true), (false, false), (false, false)]) {
        for (token, active) in [(&of_page, page), (&of_server, server)] {
            let answer = by_service(&site, client, key, token, None).await;
            assert_eq!((answer.status, answer.json()["active"].as_bool()), (StatusCode::OK, Some(active)), "{client} {}", answer.text);
            if !active {
                assert_eq!(answer.json(), json!({"active": false}));
            }
        }
    }
    let (client, key) = &keys[1];
    let body = format!("token={of_page}");
    assert_eq!(by_service(&site, client, key, &of_page, Some(&body)).await.json()["active"], true);
    let changed = by_service(&site, client, key, &of_server, Some(&body)).await;
    assert_eq!(changed.oauth_error(), (401, "invalid_client".to_owned()), "another body than the one that was signed");
    let wrong = by_service(&site, client, &keys[0].1, &of_page, None).await;
    assert_eq!((wrong.oauth_error(), wrong.header("www-authenticate")), ((401, "invalid_client".to_owned()), "Hawk"));
    let nobody = by_service(&site, "svc/unknown", key, &of_page, None).await;
    assert_eq!(nobody.text, wrong.text, "who is not there is told the same");
}

/// Story: it gave no credentials any more, and introspection went on to call it active.
#[tokio::test]
async fn what_an_application_had_that_is_gone_is_not_active() {
    let site = site().await;
    site.somebody("root", &["auth:*", "notes:*"]).await;
    let root = Authentication::person("local/root");
    let wiki = ApplicationInput {
        name: "Wiki".to_owned(),
        redirect_uris: vec![crate::site::applications::CALLBACK.to_owned()],
        scopes: vec!["notes:*".to_owned()],
        max_life_ms: DAY_MS,
        ..ApplicationInput::default()
    };
    site.web.grants.put_application(&root, "wiki", &wiki, None).await.unwrap();
    let input = ClientInput {
        expires_us: (START_MS + 86_400_000) * 1000,
        description: String::new(),
        scopes: Some(vec!["auth:introspect-token:*".to_owned()]),
        delete_on_expiration: false,
    };
    let (service, _) = site.auth.create_client(&root, "svc/all", &input).await.unwrap();
    let key = AccessToken::new(service.access_token.unwrap().expose().to_owned());
    let (access, refresh) = tokens(&site, "wiki").await;
    let active = async |token: &str| by_service(&site, "svc/all", &key, token, None).await.json()["active"].clone();
    assert_eq!((active(&access).await, active(&refresh).await), (json!(true), json!(true)));
    site.web.grants.delete_application(&root, "wiki", None).await.unwrap();
    assert_eq!((active(&access).await, active(&refresh).await), (json!(false), json!(false)));
    assert_eq!(site.credentials(&access).await.status, StatusCode::UNAUTHORIZED);
}
