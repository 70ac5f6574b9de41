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
    /// What kind of misuse it is.
    group: String,
    name: String,
    rfc: String,
    #[serde(default)]
    send: BTreeMap<String, Option<String>>,
    #[serde(default)]
    twice: Vec<String>,
    authorization: Option<String>,
    expect: Value,
}

/// Rows that fit, by where they are sent and their section: the section, what is tried, and what comes of it.
pub fn rows(fits: impl Fn(&str, &str) -> bool) -> Vec<(String, String, String)> {
    described(|case| fits(&case.to, &case.rfc))
}

fn described(fits: impl Fn(&Case) -> bool) -> Vec<(String, String, String)> {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    let fitting = cases.into_iter().filter(fits);
    let comes = |expect: &Value| match expect {
        Value::Array(both) => format!("{} `{}`", both[0], both[1].as_str().unwrap_or_default()),
        Value::String(word) => format!("`{word}`"),
        other => other.to_string(),
    };
    fitting.map(|case| (format!("RFC {}", case.rfc), format!("{}: {}", case.to, case.name), comes(&case.expect))).collect()
}

/// All rows of a group.
pub fn group(name: &str) -> Vec<(String, String, String)> {
    described(|case| case.group == name)
}

/// The groups that there are.
pub fn groups() -> std::collections::BTreeSet<String> {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    cases.into_iter().map(|case| case.group).collect()
}

/// What applications were given, by the word of the table. It is made when a case names it, and fresh for each case: what one misuses ends.
struct Given<'s, 'b> {
    site: &'s Site,
    ann: &'b mut Browser<'s>,
    known: BTreeMap<&'static str, String>,
}

impl<'s, 'b> Given<'s, 'b> {
    fn new(site: &'s Site, ann: &'b mut Browser<'s>) -> Given<'s, 'b> {
        let known = BTreeMap::from([("secret", SECRET.to_owned()), ("challenge", pkce_challenge(VERIFIER))]);
        Given { site, ann, known }
    }

    async fn get(&mut self, name: &str) -> String {
        if !self.known.contains_key(name) {
            self.make(name).await;
        }
        self.known.get(name).unwrap_or_else(|| panic!("nothing is {name}")).clone()
    }

    /// The tokens of another grant of `page`, and the code that gave them.
    async fn tokens(&mut self) -> (Value, String) {
        let code = self.ann.code(&authorization_fields()).await;
        (self.site.token(&exchange(&code)).await.json(), code)
    }

    async fn make(&mut self, name: &str) {
        let text = |tokens: &Value, name: &str| tokens[name].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned();
        let at = ("redirect_uri", "https://server.example/cb");
        match name {
            "code" | "code:upper" | "code:half" => {
                let code = self.ann.code(&authorization_fields()).await;
                let half = code[..code.len() / 2].to_owned();
                self.known.extend([("code:upper", code.to_uppercase()), ("code:half", half), ("code", code)]);
            }
            "other-code" => {
                let challenge = pkce_challenge("another-verifier-of-at-least-43-characters-as-RFC-7636-says");
                let code = self.ann.code(&with(authorization_fields(), &[("code_challenge", &challenge)])).await;
                self.known.insert("other-code", code);
            }
            "code:server" | "access:server" | "refresh:server" => {
                let request = with(authorization_fields(), &[("client_id", "server"), at]);
                let code = self.ann.code(&request).await;
                let tokens =
                    self.site.token(&with(exchange(&code), &[("client_id", "server"), ("client_secret", SECRET), at])).await.json();
                self.known.extend([("access:server", text(&tokens, "access_token")), ("refresh:server", text(&tokens, "refresh_token"))]);
                self.known.insert("code:server", self.ann.code(&request).await);
            }
            "used-refresh" | "ended-refresh" => {
                let first = text(&self.tokens().await.0, "refresh_token");
                let second = text(&self.site.token(&refresh_of(&first)).await.json(), "refresh_token");
                if name == "ended-refresh" {
                    assert_eq!(self.site.token(&refresh_of(&first)).await.status, StatusCode::BAD_REQUEST);
                }
                self.known.extend([("used-refresh", first), ("ended-refresh", second)]);
            }
            "revoked-access" | "revoked-refresh" | "revoked-code" => {
                let (tokens, _) = self.tokens().await;
                self.known.insert("revoked-code", self.ann.code(&authorization_fields()).await);
                let me = self.ann.get("/me/grants").await;
                let all = with(me.form("/me/grants/revoke"), &[("grant", ""), ("all", "yes")]);
                assert!(self.ann.post("/me/grants/revoke", &all).await.status.is_redirection());
                self.known.extend([("revoked-access", text(&tokens, "access_token")), ("revoked-refresh", text(&tokens, "refresh_token"))]);
            }
            _ => {
                let (tokens, code) = self.tokens().await;
                let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
                for (bare, cut, token) in [("access:bare", "access:cut", &access), ("refresh:bare", "refresh:cut", &refresh)] {
                    self.known.insert(bare, token.split_at("falconer_xt_".len()).1.to_owned());
                    self.known.insert(cut, token[..token.len() - 1].to_owned());
                }
                self.known.insert("refresh:upper", refresh.to_uppercase());
                self.known.extend([("access", access), ("refresh", refresh), ("used-code", code)]);
            }
        }
    }

    /// A text of the table with what it names.
    async fn fill(&mut self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, (name, after))) = rest.split_once('{').and_then(|(before, named)| Some((before, named.split_once('}')?))) {
            filled.push_str(before);
            filled.push_str(&self.get(name).await);
            rest = after;
        }
        filled + rest
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
async fn answer(site: &Site, given: &mut Given<'_, '_>, to: &str, case: Option<&Case>) -> Page {
    let (path, good) = match to {
        "authorize" => ("/login/oauth/authorize", authorization_fields()),
        "token" => ("/login/oauth/token", exchange("{code}")),
        "refresh" => ("/login/oauth/token", refresh_of("{refresh}")),
        "derive" => {
            let whole = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", "{access}"),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ("client_id", "page"),
            ];
            ("/login/oauth/token", fields(&whole))
        }
        "par" => ("/login/oauth/par", authorization_fields()),
        "device" => ("/login/oauth/device_authorization", fields(&[("client_id", "tv"), ("scope", "notes:read:*")])),
        "revoke" => ("/login/oauth/revoke", fields(&[("token", "{access}"), ("client_id", "page")])),
        "introspect" => {
            ("/login/oauth/introspect", fields(&[("token", "{access:server}"), ("client_id", "server"), ("client_secret", "{secret}")]))
        }
        _ => ("", Fields::new()),
    };
    let mut form: BTreeMap<String, String> = good.into_iter().collect();
    let mut authorization = (to == "credentials" || to == "check").then(|| "Bearer {access}".to_owned());
    let mut twice = Vec::new();
    if let Some(case) = case {
        for (name, value) in &case.send {
            match value {
                Some(value) => form.insert(name.clone(), value.clone()),
                None => form.remove(name),
            };
        }
        authorization = case.authorization.clone().or(authorization);
    }
    for value in form.values_mut().chain(&mut authorization) {
        *value = given.fill(value).await;
    }
    if let Some(case) = case {
        twice = case.twice.iter().map(|name| (name.clone(), form[name].clone())).collect();
    }
    let form: Fields = form.into_iter().chain(twice).collect();
    match to {
        "authorize" => given.ann.get(&authorize(&form)).await,
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
    assert!(cases.len() >= 380, "{}", cases.len());
    let site = site().await;
    let mut wrong = Vec::new();
    for case in &cases {
        assert!(!case.rfc.is_empty());
        let mut ann = site.ann().await;
        let page = answer(&site, &mut Given::new(&site, &mut ann), &case.to, Some(case)).await;
        for secret in ["\"access_token\"", "\"credentials\"", "\"active\":true", "\"allowed\"", "\"request_uri\":", "\"device_code\""] {
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
    for to in ["authorize", "token", "refresh", "derive", "par", "device", "revoke", "introspect", "credentials", "check"] {
        let mut ann = site.ann().await;
        let page = answer(&site, &mut Given::new(&site, &mut ann), to, None).await;
        assert!(page.status.is_success(), "{to}: {} {}", page.status, page.text);
        let fits = match to {
            "token" | "refresh" | "derive" => page.json()["access_token"].is_string(),
            "par" => page.json()["request_uri"].is_string(),
            "device" => page.json()["device_code"].is_string(),
            "introspect" => page.json()["active"] == true,
            "credentials" => page.json()["credentials"].is_object(),
            "check" => page.json()["status"] == "allowed",
            _ => true,
        };
        assert!(fits, "{to}: {}", page.text);
    }
}
