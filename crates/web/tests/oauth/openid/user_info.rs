//! Who a token is about.

use std::sync::atomic::Ordering;

use super::{authentication_request, redeem};
use crate::site::applications::fields;
use crate::site::{site, with};
use falconer_auth::AccessToken;
use falconer_credentials::sign;
use http::{Request, StatusCode};
use serde_json::json;

/// Who asks for the claims of a person with what, and is refused.
pub const REFUSED: [(&str, &str, &str); 4] = [
    ("Core 5.3.3", "falconer_at_nothing", "invalid_token"),
    ("Core 5.3.3", "x", "invalid_token"),
    ("Core 5.3.3", "the code", "invalid_token"),
    ("Core 5.3.3", "the ID token", "invalid_token"),
];

#[tokio::test]
async fn nobody_learns_of_a_person_with_anything_else() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authentication_request()).await;
    let answer = site.token(&redeem(&code)).await.json();
    for (section, sent, error) in REFUSED {
        let sent = match sent {
            "the code" => &code,
            "the ID token" => answer["id_token"].as_str().unwrap(),
            other => other,
        };
        assert_eq!(site.user_info(sent).await.oauth_error(), (401, error.to_owned()), "{section}: {sent}");
    }
    let none = site.send(Request::get("/login/oauth/userinfo").body(axum::body::Body::empty()).unwrap()).await;
    let challenge = "Bearer realm=\"falconer\", DPoP realm=\"falconer\", algs=\"ES256 Ed25519 EdDSA ES384 PS256 RS256\"";
    assert_eq!((none.status, none.header("www-authenticate")), (StatusCode::UNAUTHORIZED, challenge), "RFC 6750 3, RFC 9449 7.1");
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(site.user_info(token).await.status, StatusCode::OK);
    // Core 5.3.1, RFC 6750 2: in the header or in a form, and not in both.
    let by_post =
        async |header: Option<&str>, form: &[(&str, &str)]| site.application("/login/oauth/userinfo", &fields(form), header).await;
    let bearer = format!("Bearer {token}");
    for (header, form) in [(Some(bearer.as_str()), &[][..]), (None, &[("access_token", token)])] {
        let page = by_post(header, form).await;
        assert_eq!(
            (page.status, &page.json()["sub"]),
            (StatusCode::OK, &site.user_info(token).await.json()["sub"]),
            "Core 5.3.1: {form:?}"
        );
    }
    assert_eq!(by_post(Some(&bearer), &[("access_token", token)]).await.oauth_error(), (400, "invalid_request".to_owned()), "RFC 6750 2");
    assert_eq!(by_post(None, &[("access_token", "x")]).await.oauth_error(), (401, "invalid_token".to_owned()), "RFC 6750 3.1");
    assert_eq!(by_post(None, &[]).await.status, StatusCode::UNAUTHORIZED, "RFC 6750 3.1");
    let in_address = Request::get(format!("/login/oauth/userinfo?access_token={token}")).body(axum::body::Body::empty()).unwrap();
    assert_eq!(site.send(in_address).await.status, StatusCode::UNAUTHORIZED, "RFC 9700 4.3.2: no token in an address");
    let me = ann.get("/").await;
    ann.post("/me/revoke", &me.form("/me/revoke")).await;
    assert_eq!(site.user_info(token).await.oauth_error(), (401, "invalid_token".to_owned()), "it ends with the grant");
}

// As docs/openid-connect.md says: the scopes of OpenID Connect are about tokens. Whoever lets an application know who they are is asked about name and address.
#[tokio::test]
async fn with_openid_alone_the_origin_of_the_application_is_told_name_and_address() {
    let site = site().await;
    let mut ann = site.ann().await;
    let request = with(authentication_request(), &[("scope", "openid")]);
    let page = ann.get(&crate::site::applications::authorize(&request)).await;
    assert!(page.text.contains("Ann Example, local/ann, ann@example.com"), "{}", page.text);
    let (answer, claims) = site.signs_in(&mut ann, &request).await;
    assert_eq!((claims.get("name"), claims.get("email")), (None, None));
    let credentials = site.credentials(answer["access_token"].as_str().unwrap()).await.json()["credentials"].take();
    let text = |name: &str| credentials[name].as_str().unwrap();
    let ext = sign::ext(Some(text("certificate")), None);
    let signed = sign::Request {
        method: "GET",
        resource: "/",
        host: "app.example",
        port: 443,
        ts_seconds: site.clock.0.load(Ordering::SeqCst) / 1000,
        nonce: "abcdef",
        hash: None,
        ext: ext.as_deref(),
        app: None,
        dlg: None,
    };
    let authorization = sign::header(text("clientId"), &AccessToken::new(text("accessToken").to_owned()), &signed);
    let asked = json!({"method": "get", "resource": "/", "host": "app.example", "port": 443, "authorization": authorization});
    let question = json!({"request": asked, "required": {"AllOf": []}, "identity": true}).to_string();
    let question = Request::post("/api/falconer/v1/check").header("content-type", "application/json").body(question.into()).unwrap();
    let told = site.send(question).await.json();
    assert_eq!(
        (&told["identity"]["displayName"], &told["identity"]["email"]),
        (&json!("Ann Example"), &json!("ann@example.com")),
        "{told}"
    );
    assert_eq!(told["identity"].get("groups"), None);
}
