//! What operators are told of sign-ins, refreshes, pushes and mails: by names of the configuration, and by nothing that a stranger chooses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "scim/company.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod company;
mod site;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use axum::body::Body;
use company::{COMPANY, Company, OTHER, company, person, user_body};
use falconer_login::github::{GithubProvider, GithubSettings};
use falconer_login::http::{HttpError, ProviderAnswer, ProviderHttp, ProviderRequest};
use falconer_login::{ConfiguredProvider, Found, ProviderError, Refreshed};
use falconer_store::Secret;
use falconer_web::{RequestLimits, metrics_routes};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::json;
use site::provider::{FakeProvider, configured};
use site::{encode, site_pushed, with};
use tower::ServiceExt as _;
use url::Url;

async fn metrics_text(company: &Company) -> String {
    let routes = metrics_routes(company.site.web.clone(), || None);
    let answer = routes.oneshot(Request::get("/metrics").body(Body::empty()).unwrap()).await.unwrap();
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// The lines of these families, without the families' own.
fn lines<'t>(text: &'t str, family: &str) -> Vec<&'t str> {
    text.lines().filter(|line| line.starts_with(&format!("falconer_{family}"))).collect()
}

/// Those of them that say that something happened.
fn happened<'t>(text: &'t str, family: &str) -> Vec<&'t str> {
    lines(text, family).into_iter().filter(|line| !line.ends_with(" 0")).collect()
}

/// The rate of a counter that appears with its first event is 0, so that the first failure raised no alert.
#[tokio::test]
async fn what_has_not_happened_yet_is_told_as_0() {
    let text = metrics_text(&company().await).await;
    for line in [
        r#"falconer_sign_ins_total{provider="company",outcome="away"} 0"#,
        r#"falconer_sign_ins_total{provider="local",outcome="failed"} 0"#,
        r#"falconer_refreshes_total{provider="company",outcome="failed"} 0"#,
        r#"falconer_scim_changes_total{directory="company",outcome="failed"} 0"#,
        r#"falconer_requests_total{service="auth",method="createClient",status="5xx"} 0"#,
        r#"falconer_requests_total{service="",method="page",status="5xx"} 0"#,
    ] {
        assert!(text.lines().any(|present| present == line), "{line}: {text}");
    }
}

#[tokio::test]
async fn what_people_and_directories_did_is_told_by_configured_names() {
    let company = company().await;
    let site = &company.site;
    // Accounts of this server.
    let mut browser = site.browser();
    for password in ["canary-password", "canary-password", site::PASSWORD] {
        let form = browser.get("/login").await.form("/login");
        browser.post("/login", &with(form, &[("name", "ann"), ("password", password)])).await;
    }
    assert!(browser.is_signed_in());
    // A provider: nobody was pushed, then somebody was; and names that are no providers.
    assert_eq!(company.sign_in("canary-subject").await.1.status, 403);
    company.push("7").await;
    company.sign_in("7").await;
    let query = encode(&[("code".into(), "7".into()), ("state".into(), "canary-state".into())]);
    assert_eq!(site.browser().get(&format!("/login/company/callback?{query}")).await.status, 400);
    site.browser().get("/login/canary-provider/callback?code=1&state=2").await;
    // Directories.
    let users = || Some(user_body("8"));
    let mut statuses = Vec::new();
    for (token, method, path, body) in [
        (COMPANY, Method::POST, "/Users", users()),
        (COMPANY, Method::POST, "/Users", users()),
        (OTHER, Method::DELETE, "/Users/canary-id", None),
        (COMPANY, Method::POST, "/Users", Some(json!({}))),
        ("canary-token-of-nobody-000000000000000", Method::POST, "/Users", users()),
        (COMPANY, Method::GET, "/Users", None),
    ] {
        statuses.push(company.send(token, method, path, body, &[]).await.status.as_u16());
    }
    assert_eq!(statuses, [201, 409, 404, 400, 401, 200]);
    let text = metrics_text(&company).await;
    assert_eq!(
        happened(&text, "sign_ins_total"),
        [
            r#"falconer_sign_ins_total{provider="local",outcome="success"} 1"#,
            r#"falconer_sign_ins_total{provider="local",outcome="wrong"} 2"#,
            r#"falconer_sign_ins_total{provider="company",outcome="success"} 1"#,
            r#"falconer_sign_ins_total{provider="company",outcome="refused"} 1"#,
            r#"falconer_sign_ins_total{provider="company",outcome="browser"} 1"#,
        ]
    );
    assert_eq!(
        happened(&text, "scim_changes_total"),
        [
            r#"falconer_scim_changes_total{directory="company",outcome="done"} 2"#,
            r#"falconer_scim_changes_total{directory="company",outcome="conflict"} 1"#,
            r#"falconer_scim_changes_total{directory="company",outcome="refused"} 1"#,
            r#"falconer_scim_changes_total{directory="other",outcome="not_found"} 1"#,
        ]
    );
    // The first push of the company counts too; no mail was asked for.
    assert_eq!(lines(&text, "mails_total").len(), 5);
    assert!(lines(&text, "mails_total").iter().all(|line| line.ends_with(" 0")), "{text}");
    assert!(lines(&text, "refresh_age").is_empty() && !text.contains("canary"), "{text}");
}

#[tokio::test]
async fn refreshes_and_their_age_are_told() {
    let known = |subject: &str| Found { attributes: person(subject), handle: None, proved_ms: None };
    let kind = FakeProvider::away(move |code, _| Ok(known(code))).refreshing(move |about, _| match about.subject {
        "gone" => Ok(Refreshed::Gone),
        "away" => Err(ProviderError::Status { what: "directory", status: 503 }),
        subject => Ok(Refreshed::Still(known(subject))),
    });
    let provider = ConfiguredProvider { refresh_ms: Some(3_600_000), ..configured("company", "Company", &["assume:user:{email}"], kind) };
    let company = Company { site: site_pushed("https://auth.example.com", RequestLimits::default(), vec![provider], Vec::new()).await };
    for subject in ["7", "gone", "away"] {
        assert!(company.sign_in(subject).await.1.status.is_redirection());
    }
    assert!(happened(&metrics_text(&company).await, "refresh").is_empty(), "nobody was asked about");
    let refresh = async |subject: &str| drop(company.site.login.refresh_person(&format!("company/{subject}")).await);
    let later = |ms: i64| _ = company.site.clock.0.fetch_add(ms, Ordering::SeqCst);
    refresh("7").await;
    later(60_000);
    refresh("gone").await;
    later(30_000);
    refresh("away").await;
    let text = metrics_text(&company).await;
    assert_eq!(
        happened(&text, "refresh"),
        [
            r#"falconer_refreshes_total{provider="company",outcome="answered"} 1"#,
            r#"falconer_refreshes_total{provider="company",outcome="gone"} 1"#,
            r#"falconer_refreshes_total{provider="company",outcome="away"} 1"#,
            r#"falconer_refresh_age_seconds{provider="company"} 30.0"#,
        ]
    );
}

/// Nobody asks it anything.
struct Unasked;

#[async_trait]
impl ProviderHttp for Unasked {
    async fn send(&self, request: ProviderRequest) -> Result<ProviderAnswer, HttpError> {
        panic!("{} was asked", request.url)
    }
}

/// Story: by callbacks that they made up, strangers set off the alerts that sign-ins fail through no fault of the people, and that answers are 5xx.
#[tokio::test]
async fn what_a_browser_brings_is_not_the_providers_fault() {
    let settings = GithubSettings {
        url: None,
        client_id: "falconer".into(),
        client_secret: Secret::new("secret"),
        organizations: None,
        groups: false,
        email: false,
    };
    let kind = Arc::new(GithubProvider::new(settings, Arc::new(Unasked)).unwrap());
    let provider =
        ConfiguredProvider { kind, ..configured("company", "Company", &[], FakeProvider::away(|_, _| Err(ProviderError::Busy))) };
    let company = Company { site: site_pushed("https://auth.example.com", RequestLimits::default(), vec![provider], Vec::new()).await };
    for (name, value, status, told) in [
        ("error", "access_denied", 403, "You can try again, or another way."),
        ("error", "server_error", 403, "it can&#39;t sign anybody in at the moment"),
        ("error", "temporarily_unavailable", 403, "it can&#39;t sign anybody in at the moment"),
        ("error", "invalid_request", 403, "is not set up there as it should be"),
        ("error", "unauthorized_client", 403, "is not set up there as it should be"),
        ("error", "application_suspended", 403, "is not set up there as it should be"),
        ("iss", "https://evil.example", 400, "another provider&#39;s"),
    ] {
        let mut browser = company.site.browser();
        let left = browser.get("/login/company?next=%2F").await;
        let state = Url::parse(left.location()).unwrap().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let query = encode(&[("state".into(), state), (name.into(), value.into())]);
        let page = browser.get(&format!("/login/company/callback?{query}")).await;
        assert_eq!(page.status, status, "{value}");
        assert!(page.text.contains(told), "{value}: {}", page.text);
    }
    let text = metrics_text(&company).await;
    assert_eq!(
        happened(&text, "sign_ins_total"),
        [
            r#"falconer_sign_ins_total{provider="company",outcome="refused"} 6"#,
            r#"falconer_sign_ins_total{provider="company",outcome="browser"} 1"#,
        ]
    );
}
