//! Two organisations whose directories push, and a provider that believes every code.

use axum::body::Body;
use falconer_auth::Clock as _;
use falconer_login::{Attributes, Found, ScimBounds, ScimSettings, ScimSubjectAttribute};
use falconer_store::{AuditStart, Store as _};
use falconer_web::RequestLimits;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::{Value, json};
use url::Url;

use crate::site::client::make_client;
use crate::site::provider::{FakeProvider, configured};
use crate::site::{Browser, Page, Site, encode, site_pushed};

pub const COMPANY: &str = "token-of-the-company-0123456789abcdef";
pub const OTHER: &str = "token-of-the-others-0123456789abcdefg";

pub fn person(subject: &str) -> Attributes {
    Attributes {
        subject: subject.to_owned(),
        display_name: "You".into(),
        email: Some(format!("{subject}@example.com")),
        email_verified: true,
        groups: vec!["claimed".into()],
        ..Attributes::default()
    }
}

pub struct Company {
    pub site: Site,
}

/// The one decides about groups and who signs in, the other about neither.
pub async fn company() -> Company {
    bounded_company(ScimBounds::default()).await
}

/// With other bounds for the first one.
pub async fn bounded_company(bounds: ScimBounds) -> Company {
    let provider = |name: &str| {
        let believing = FakeProvider::away(|code, _| Ok(Found { attributes: person(code), handle: None, proved_ms: None }));
        configured(name, name, &["assume:group:{group}", "assume:user:{email}"], believing)
    };
    let scim = vec![
        ScimSettings::new("company", COMPANY, ScimSubjectAttribute::ExternalId, true, true).with_bounds(bounds),
        ScimSettings::new("other", OTHER, ScimSubjectAttribute::ExternalId, false, false),
    ];
    let providers = vec![provider("company"), provider("other")];
    Company { site: site_pushed("https://auth.example.com", RequestLimits::default(), providers, scim).await }
}

pub fn user_body(subject: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": format!("{subject}@example.com"), "externalId": subject, "active": true,
    })
}

/// The same directory with the other token.
pub struct Other<'c>(&'c Company);

impl Other<'_> {
    pub async fn push(&self, subject: &str) -> String {
        let created = self.ok(Method::POST, "/Users", Some(user_body(subject)), 201).await;
        created["id"].as_str().unwrap().to_owned()
    }

    pub async fn push_group(&self, name: &str, members: &[&str]) {
        self.ok(Method::POST, "/Groups", Some(group_body(name, members)), 201).await;
    }

    pub async fn ok(&self, method: Method, path: &str, body: Option<Value>, status: u16) -> Value {
        read(&self.0.send(OTHER, method, path, body, &[]).await, status)
    }
}

pub fn group_body(name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": members})
}

fn read(page: &Page, status: u16) -> Value {
    assert_eq!(page.status.as_u16(), status, "{}", page.text);
    if page.text.is_empty() { Value::Null } else { serde_json::from_str(&page.text).unwrap() }
}

impl Company {
    pub fn as_other(&self) -> Other<'_> {
        Other(self)
    }

    pub async fn send(&self, token: &str, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Page {
        let body = body.map(|body| body.to_string().into_bytes());
        self.send_bytes(token, method, path, body, headers).await
    }

    pub async fn send_bytes(&self, token: &str, method: Method, path: &str, body: Option<Vec<u8>>, headers: &[(&str, &str)]) -> Page {
        let mut request = Request::builder().method(method).uri(format!("/scim/v2{path}"));
        if !token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header(CONTENT_TYPE, "application/scim+json");
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        self.site.send(request.body(body.map_or_else(Body::empty, Body::from)).unwrap()).await
    }

    pub async fn ok(&self, method: Method, path: &str, body: Option<Value>, status: u16) -> Value {
        read(&self.send(COMPANY, method, path, body, &[]).await, status)
    }

    pub async fn get(&self, path: &str) -> Value {
        self.ok(Method::GET, path, None, 200).await
    }

    pub async fn push(&self, subject: &str) -> String {
        let created = self.ok(Method::POST, "/Users", Some(user_body(subject)), 201).await;
        created["id"].as_str().unwrap().to_owned()
    }

    pub async fn push_group(&self, name: &str, members: &[&str]) -> String {
        let created = self.ok(Method::POST, "/Groups", Some(group_body(name, members)), 201).await;
        created["id"].as_str().unwrap().to_owned()
    }

    pub async fn sign_in(&self, subject: &str) -> (Browser<'_>, Page) {
        self.sign_in_with("company", subject).await
    }

    pub async fn sign_in_with(&self, provider: &str, subject: &str) -> (Browser<'_>, Page) {
        let mut browser = self.site.browser();
        let left = browser.get(&format!("/login/{provider}?next=%2F")).await;
        let url = Url::parse(left.location()).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let query = encode(&[("code".into(), subject.into()), ("state".into(), state)]);
        let page = browser.get(&format!("/login/{provider}/callback?{query}")).await;
        (browser, page)
    }

    /// The cookies of somebody who is signed in.
    pub async fn session(&self) -> String {
        let browser = self.site.ann().await;
        browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn groups(&self, identity: &str) -> Vec<String> {
        self.site.auth.directory().identity(identity).unwrap().record.groups.clone()
    }

    pub fn scopes(&self, identity: &str) -> Vec<String> {
        self.site.auth.directory().identity(identity).unwrap().record.scopes.clone()
    }

    pub fn is_gone(&self, identity: &str) -> bool {
        self.site.auth.directory().identity(identity).unwrap().record.gone
    }

    pub fn is_disabled(&self, client_id: &str) -> bool {
        self.site.auth.directory().client(client_id).unwrap().is_disabled()
    }

    pub async fn make_client(&self, client_id: &str, scopes: &[&str]) {
        make_client(self.site.store.as_ref(), &self.site.auth, self.site.clock.now_ms(), client_id, scopes).await;
    }

    /// Who did what to it, and why.
    pub async fn history(&self, kind: &str, id: &str) -> String {
        format!("{:?}", self.site.store.entity_history(kind, id, AuditStart::Offset(0), 100).await.unwrap())
    }
}
