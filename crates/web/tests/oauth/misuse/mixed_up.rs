//! What another server has given, brought to this one: an application that talks to two of them mixes them up, or somebody wants it to (RFC 9207).

use crate::openid::{authentication_request, redeem, refreshes};
use crate::site::applications::{CALLBACK, DECISION, authorization_fields, authorize, exchange, fields, parameter};
use crate::site::{encode, other_site, site, with};
use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

/// What it is, and what comes of it. An application has the same `client_id` and the same redirect URI at both.
pub const BROUGHT: [(&str, &str); 14] = [
    ("a code", "400 invalid_grant"),
    ("a refresh token", "400 invalid_grant"),
    ("an access token to be derived from", "400 invalid_request"),
    ("an access token for credentials", "401 invalid_token"),
    ("an access token for who somebody is", "401 invalid_token"),
    ("an access token at `check`", "failed"),
    ("an access token at introspection", "inactive"),
    ("a device's code", "400 invalid_grant"),
    ("the reference of a pushed request", "400, and no redirect"),
    ("an ID token as a hint", "400, and no redirect"),
    ("a session", "303 to /login"),
    ("the form of a grant page", "403"),
    ("the code of a device, typed by a person", "422"),
    ("`iss` of an answer", "its own origin"),
];

#[tokio::test]
async fn nothing_of_another_server_counts() {
    let (site, other) = (site().await, other_site().await);
    let text = |answer: &Value, name: &str| answer[name].as_str().unwrap().to_owned();
    let (mut ann, mut there) = (site.ann().await, other.ann().await);
    let location = there.grant(&authentication_request()).await;
    let first = other.token(&redeem(&parameter(&location, "code").unwrap())).await.json();
    let access = text(&first, "access_token");
    for (what, comes) in BROUGHT {
        let error = |(status, word): (u16, String)| format!("{status} {word}");
        let found = match what {
            "a code" => {
                let code = there.code(&authorization_fields()).await;
                error(site.token(&exchange(&code)).await.oauth_error())
            }
            "a refresh token" => error(site.token(&refreshes(&first)).await.oauth_error()),
            "an access token to be derived from" => {
                let kind = ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token");
                let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
                error(site.token(&fields(&[grant, kind, ("subject_token", &access), ("client_id", "who")])).await.oauth_error())
            }
            "an access token for credentials" => error(site.credentials(&access).await.oauth_error()),
            "an access token for who somebody is" => error(site.user_info(&access).await.oauth_error()),
            "an access token at `check`" => {
                let authorization = format!("Bearer {access}");
                let request =
                    json!({"method": "get", "resource": "/", "host": "notes.example", "port": 443, "authorization": authorization});
                let question = json!({"request": request, "required": "notes:read:red", "bearer": true}).to_string();
                let sent = Request::post("/api/falconer/v1/check").header("content-type", "application/json");
                text(&site.send(sent.body(Body::from(question)).unwrap()).await.json(), "status")
            }
            "an access token at introspection" => {
                let secret = crate::site::applications::SECRET;
                let form = fields(&[("token", &access), ("client_id", "server"), ("client_secret", secret)]);
                let answer = site.application("/login/oauth/introspect", &form, None).await.json();
                if answer == json!({"active": false}) { "inactive".to_owned() } else { answer.to_string() }
            }
            "a device's code" => {
                let codes = other.application("/login/oauth/device_authorization", &fields(&[("client_id", "tv")]), None).await.json();
                let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
                let poll = fields(&[grant, ("client_id", "tv"), ("device_code", codes["device_code"].as_str().unwrap())]);
                error(site.token(&poll).await.oauth_error())
            }
            "the code of a device, typed by a person" => {
                let codes = other.application("/login/oauth/device_authorization", &fields(&[("client_id", "tv")]), None).await.json();
                let form = ann.get("/device").await.form("/device");
                let page = ann.post("/device", &with(form, &[("user_code", codes["user_code"].as_str().unwrap())])).await;
                page.status.as_u16().to_string()
            }
            "the reference of a pushed request" | "an ID token as a hint" => {
                let path = if what == "an ID token as a hint" {
                    let sent = [("id_token_hint", first["id_token"].as_str().unwrap()), ("post_logout_redirect_uri", CALLBACK)];
                    format!("/login/oauth/logout?{}", encode(&fields(&sent)))
                } else {
                    let pushed = other.application("/login/oauth/par", &authorization_fields(), None).await.json();
                    authorize(&fields(&[("client_id", "page"), ("request_uri", pushed["request_uri"].as_str().unwrap())]))
                };
                let page = ann.get(&path).await;
                assert_eq!(page.header("location"), "", "{what}");
                format!("{}, and no redirect", page.status.as_u16())
            }
            "a session" => {
                let mut browser = site.browser();
                browser.cookies.clone_from(&there.cookies);
                let page = browser.get("/").await;
                format!("{} to {}", page.status.as_u16(), page.header("location"))
            }
            "the form of a grant page" => {
                let form = with(there.get(&authorize(&authorization_fields())).await.form(DECISION), &[("visible_ms", "2000")]);
                let headers = [("origin", site.origin.as_str()), ("sec-fetch-site", "same-origin")];
                ann.send(Method::POST, DECISION, &headers, Some(encode(&form))).await.status.as_u16().to_string()
            }
            _ => {
                let mine = ann.grant(&authorization_fields()).await;
                let refused = ann.get(&authorize(&with(authorization_fields(), &[("scope", "*")]))).await.location().to_owned();
                let issuers = [&location, &mine, &refused].map(|location| parameter(location, "iss").unwrap());
                assert_eq!(issuers, [other.origin.clone(), site.origin.clone(), site.origin.clone()]);
                "its own origin".to_owned()
            }
        };
        assert_eq!(found, comes, "{what}");
    }
    // Where they were given they count.
    assert_eq!(other.user_info(&access).await.status, StatusCode::OK);
}
