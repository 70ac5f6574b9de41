//! What must be refused, as a table (`refused.json`, beside this file): each row with the section of the RFC that it goes by. None is accepted, and each gets its error.
//!
//! `send` changes the parameters of a request that would be accepted (null: without it), `twice` sends one of them again. `{code}`, `{access}` and `{refresh}` are what the
//! application `page` was given.

use std::collections::BTreeMap;

use crate::site::applications::{CALLBACK, Fields, SECRET, VERIFIER, authorization_fields, authorize, exchange, fields, parameter};
use crate::site::{Browser, Page, Site, site, with};
use axum::body::Body;
use falconer_login::pkce_challenge;
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

const CASES: &str = include_str!("refused.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    to: String,
    name: String,
    rfc: String,
    #[serde(default)]
    send: BTreeMap<String, Option<String>>,
    #[serde(default)]
    twice: Vec<String>,
    authorization: Option<String>,
    expect: Value,
}

/// What applications were given, by the word of the table.
struct Given(BTreeMap<&'static str, String>);

impl Given {
    /// Fresh for each case: what one misuses ends.
    async fn new(site: &Site, ann: &mut Browser<'_>) -> Given {
        let mut given = BTreeMap::from([("secret", SECRET.to_owned()), ("challenge", pkce_challenge(VERIFIER))]);
        given.insert("code", ann.code(&authorization_fields()).await);
        let used = ann.code(&authorization_fields()).await;
        let tokens = site.token(&exchange(&used)).await.json();
        let text = |tokens: &Value, name: &str| tokens[name].as_str().unwrap().to_owned();
        let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
        for (bare, cut, token) in [("access:bare", "access:cut", &access), ("refresh:bare", "refresh:cut", &refresh)] {
            given.insert(bare, token.split_at("falconer_xt_".len()).1.to_owned());
            given.insert(cut, token[..token.len() - 1].to_owned());
        }
        given.extend([("access", access), ("refresh", refresh), ("used-code", used)]);
        let other = site.token(&exchange(&ann.code(&authorization_fields()).await)).await.json();
        let spent = text(&other, "refresh_token");
        assert_eq!(site.token(&refresh_of(&spent)).await.status, StatusCode::OK);
        given.insert("used-refresh", spent);
        let at = ("redirect_uri", "https://server.example/cb");
        let code = ann.code(&with(authorization_fields(), &[("client_id", "server"), at])).await;
        let of_server = site.token(&with(exchange(&code), &[("client_id", "server"), ("client_secret", SECRET), at])).await.json();
        given.extend([("access:server", text(&of_server, "access_token")), ("refresh:server", text(&of_server, "refresh_token"))]);
        Given(given)
    }

    fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

fn refresh_of(token: &str) -> Fields {
    fields(&[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "page")])
}

fn question(authorization: Option<&str>) -> Value {
    let request =
        json!({"method": "get", "resource": "/", "host": "notes.example", "port": 443, "authorization": authorization.unwrap_or_default()});
    json!({"request": request, "required": "notes:read:red", "bearer": true})
}

/// The request of a case. With no case: one that is accepted.
async fn answer(site: &Site, given: &Given, to: &str, case: Option<&Case>) -> Page {
    let get = |name| given.0[name].as_str();
    let (path, good) = match to {
        "authorize" => ("/login/oauth/authorize", authorization_fields()),
        "token" => ("/login/oauth/token", exchange(get("code"))),
        "refresh" => ("/login/oauth/token", refresh_of(get("refresh"))),
        "revoke" => ("/login/oauth/revoke", fields(&[("token", get("access")), ("client_id", "page")])),
        "introspect" => {
            ("/login/oauth/introspect", fields(&[("token", get("access:server")), ("client_id", "server"), ("client_secret", SECRET)]))
        }
        _ => ("", Fields::new()),
    };
    let mut form: BTreeMap<String, String> = good.into_iter().collect();
    let mut authorization = (to == "credentials" || to == "check").then(|| format!("Bearer {}", get("access")));
    let mut twice = Vec::new();
    if let Some(case) = case {
        for (name, value) in &case.send {
            match value {
                Some(value) => form.insert(name.clone(), given.fill(value)),
                None => form.remove(name),
            };
        }
        twice = case.twice.iter().map(|name| (name.clone(), form[name].clone())).collect();
        authorization = case.authorization.as_deref().map(|text| given.fill(text)).or(authorization);
    }
    let form: Fields = form.into_iter().chain(twice).collect();
    match to {
        "authorize" => site.ann().await.get(&authorize(&form)).await,
        "credentials" => {
            let headers: Vec<_> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
            site.browser().send(Method::GET, "/login/oauth/credentials", &headers, None).await
        }
        "check" => {
            let request = Request::post("/api/falconer/v1/check").header("content-type", "application/json");
            site.send(request.body(Body::from(question(authorization.as_deref()).to_string())).unwrap()).await
        }
        _ => site.application(path, &form, authorization.as_deref()).await,
    }
}

/// What came of it, as the table writes it.
fn outcome(to: &str, page: &Page) -> Value {
    match to {
        "authorize" if page.status == StatusCode::BAD_REQUEST => {
            assert_eq!(page.header("location"), "", "nobody is sent anywhere");
            json!("page")
        }
        "authorize" => {
            let location = page.header("location");
            let is_error_redirect =
                location.strip_prefix(CALLBACK).is_some_and(|rest| rest.starts_with("?error=") || rest.starts_with("#error="));
            assert!(is_error_redirect, "{} {location}", page.status);
            assert!(parameter(location, "iss").is_some());
            json!(parameter(location, "error"))
        }
        "check" => page.json()["status"].clone(),
        "introspect" if page.status == StatusCode::OK => {
            assert_eq!(page.json(), json!({"active": false}));
            json!("inactive")
        }
        "credentials" => json!(page.oauth_error().0),
        _ => {
            let (status, error) = page.oauth_error();
            json!([status, error])
        }
    }
}

#[tokio::test]
async fn every_row_is_refused_with_its_error() {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() >= 200, "{}", cases.len());
    let site = site().await;
    let mut wrong = Vec::new();
    for case in &cases {
        assert!(!case.rfc.is_empty());
        let mut ann = site.ann().await;
        let given = Given::new(&site, &mut ann).await;
        let page = answer(&site, &given, &case.to, Some(case)).await;
        for secret in ["\"access_token\"", "\"credentials\"", "\"active\":true", "\"allowed\""] {
            assert!(!page.text.contains(secret), "{} {}: {}", case.to, case.name, page.text);
        }
        assert!(!page.status.is_server_error(), "{} {}: {}", case.to, case.name, page.text);
        let found = outcome(&case.to, &page);
        if found != case.expect {
            wrong.push(format!("{} {} (RFC {}): {found}, not {}", case.to, case.name, case.rfc, case.expect));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A table of refusals would hold if everything were refused.
#[tokio::test]
async fn the_same_requests_without_the_fault_are_accepted() {
    let site = site().await;
    for to in ["authorize", "token", "refresh", "revoke", "introspect", "credentials", "check"] {
        let mut ann = site.ann().await;
        let given = Given::new(&site, &mut ann).await;
        let page = answer(&site, &given, to, None).await;
        assert_eq!(page.status, StatusCode::OK, "{to}: {}", page.text);
        let fits = match to {
            "token" | "refresh" => page.json()["access_token"].is_string(),
            "introspect" => page.json()["active"] == true,
            "credentials" => page.json()["credentials"].is_object(),
            "check" => page.json()["status"] == "allowed",
            _ => true,
        };
        assert!(fits, "{to}: {}", page.text);
    }
}
