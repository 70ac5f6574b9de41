//! What services are told that verify by themselves: which tokens count no more before their time.

use std::sync::atomic::Ordering;

use super::plan::row;
use super::{name, read, signed_token, signed_tokens, text};
use crate::site::applications::{OFFLINE, SECOND_OFFLINE, fields};
use crate::site::{Browser, Page, START_MS, Site, encode, site, with};
use axum::body::Body;
use falconer_auth::{AccessToken, Authentication, ClientInput};
use falconer_credentials::sign;
use http::{Request, StatusCode};
use serde_json::{Value, json};

/// A service with credentials of Falconer's.
pub(super) struct Service<'s> {
    site: &'s Site,
    id: String,
    key: AccessToken,
}

impl Service<'_> {
    async fn with_scopes<'s>(site: &'s Site, id: &str, scopes: &[&str]) -> Service<'s> {
        let input = ClientInput {
            expires_us: (START_MS + 86_400_000) * 1000,
            description: String::new(),
            scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            delete_on_expiration: false,
        };
        let (created, _) = site.auth.create_client(&Authentication::person("local/root"), id, &input).await.unwrap();
        Service { site, id: id.to_owned(), key: AccessToken::new(created.access_token.unwrap().expose().to_owned()) }
    }

    /// With the scope for the service of the tests.
    pub(super) async fn offline(site: &Site) -> Service<'_> {
        site.somebody("root", &["auth:*"]).await;
        Service::with_scopes(site, "svc/offline", &[&format!("auth:ended-tokens:{OFFLINE}")]).await
    }

    async fn ask(&self, resource: &str) -> Page {
        let path = format!("/api/falconer/v1/ended-tokens?{}", encode(&fields(&[("resource", resource)])));
        self.get(&path).await
    }

    async fn get(&self, path: &str) -> Page {
        let signed = sign::Request {
            method: "get",
            resource: path,
            host: "auth.example.com",
            port: 443,
            ts_seconds: self.site.clock.0.load(Ordering::SeqCst) / 1000,
            nonce: "k3J9aQ",
            ..Default::default()
        };
        let header = sign::header(&self.id, &self.key, &signed);
        let request = Request::get(path).header("host", "auth.example.com:443").header("authorization", header);
        self.site.send(request.body(Body::empty()).unwrap()).await
    }

    /// The values that are in the feed.
    pub(super) async fn ended(&self) -> Vec<Value> {
        let answer = self.ask(OFFLINE).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.json()["complete"], true);
        answer.json()["ended"].as_array().unwrap().clone()
    }
}

async fn revoke_all(ann: &mut Browser<'_>) {
    let me = ann.get("/me/grants").await;
    let all = with(me.form("/me/grants/revoke"), &[("grant", ""), ("all", "yes")]);
    assert!(ann.post("/me/grants/revoke", &all).await.status.is_redirection());
}

#[tokio::test]
async fn a_service_learns_at_once_that_a_grant_has_ended() {
    let site = site().await;
    let service = Service::offline(&site).await;
    let mut ann = site.ann().await;
    let tokens = signed_tokens(&site, &mut ann).await;
    let used = name(&site, &text(&tokens, "access_token")).await;
    assert_eq!(service.ended().await, [] as [Value; 0], "{}", row("the feed, while the grant counts"));
    let again = fields(&[("grant_type", "refresh_token"), ("refresh_token", &text(&tokens, "refresh_token")), ("client_id", "page")]);
    let next = site.token(&again).await.json();
    assert_eq!(name(&site, &text(&next, "access_token")).await, used, "all tokens of a grant have the same");
    site.token(&again).await;
    assert_eq!(
        service.ended().await.as_slice(),
        std::slice::from_ref(&used),
        "{}",
        row("the feed, after a second use of the refresh token")
    );

    let revoked = name(&site, &signed_token(&site, &mut ann).await).await;
    assert_ne!(revoked, used);
    revoke_all(&mut ann).await;
    assert!(service.ended().await.contains(&revoked), "{}", row("the feed, after the person has revoked it"));

    let mut bob = site.somebody("bob", &["notes:*"]).await;
    let of_bob = name(&site, &signed_token(&site, &mut bob).await).await;
    site.login.disable_account("test", "bob").await.unwrap();
    assert!(service.ended().await.contains(&of_bob), "{}", row("the feed, after the account was disabled"));
    site.clock.0.fetch_add(421_000, Ordering::SeqCst);
    assert_eq!(service.ended().await, [] as [Value; 0], "{}", row("the feed, seven minutes later"));
}

/// Story: where the clocks of servers differed by nearly a minute, as they may, the feed left a grant out while the last of its tokens still counted.
#[tokio::test]
async fn a_grant_is_in_it_until_its_last_token_has_ended() {
    const AHEAD_MS: i64 = 59_000;
    let site = site().await;
    let service = Service::offline(&site).await;
    let mut ann = site.ann().await;
    // By a server that is ahead.
    site.clock.0.fetch_add(AHEAD_MS, Ordering::SeqCst);
    let token = signed_token(&site, &mut ann).await;
    let ends_ms = read(&site, &token).await.1["exp"].as_i64().unwrap() * 1000;
    site.clock.0.fetch_sub(AHEAD_MS, Ordering::SeqCst);
    revoke_all(&mut ann).await;
    // The service's clock is right, and the server that it asks is ahead.
    site.clock.0.store(ends_ms - 1000 + AHEAD_MS, Ordering::SeqCst);
    assert_eq!(service.ended().await, [name(&site, &token).await]);
}

/// Nothing in it says whose grants they are, and another service can't tell that they are the same.
#[tokio::test]
async fn it_says_nothing_to_others() {
    let site = site().await;
    let service = Service::offline(&site).await;
    let mut ann = site.ann().await;
    let token = signed_token(&site, &mut ann).await;
    let grant = site.auth.directory().grants().next().unwrap().record.id.clone();
    revoke_all(&mut ann).await;
    let answer = service.ask(OFFLINE).await;
    assert!(!answer.text.contains("ann") && !answer.text.contains(&grant), "{}", answer.text);
    let of_other = ["https://offline.example/api/", "https://other.example/api"];
    for other in of_other {
        assert_eq!(service.ask(other).await.status, StatusCode::FORBIDDEN, "{other}");
    }
    let every = Service::with_scopes(&site, "svc/every", &["auth:ended-tokens:*"]).await;
    for unknown in of_other {
        assert_eq!(every.ask(unknown).await.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    assert_eq!(every.ended().await, [name(&site, &token).await]);
    let without = Service::with_scopes(&site, "svc/none", &["auth:ended-tokens", "auth:events"]).await;
    assert_eq!(without.ask(OFFLINE).await.status, StatusCode::FORBIDDEN);
    for wrong in ["/api/falconer/v1/ended-tokens", "/api/falconer/v1/ended-tokens?resource=", "/api/falconer/v1/ended-tokens?resource=x"] {
        assert_eq!(every.get(wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let nobody =
        Request::get("/api/falconer/v1/ended-tokens?resource=https%3A%2F%2Foffline.example%2Fapi").header("host", "auth.example.com");
    assert!([401, 403].contains(&site.send(nobody.body(Body::empty()).unwrap()).await.status.as_u16()));
    let second = every.ask(SECOND_OFFLINE).await.json()["ended"].clone();
    assert!(second.as_array().unwrap().len() == 1 && second[0] != name(&site, &token).await, "{}", row("the feed of another service"));
    let metadata = site.plain("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata["falconer_ended_tokens_endpoint"], json!("https://auth.example.com/api/falconer/v1/ended-tokens"));
}
