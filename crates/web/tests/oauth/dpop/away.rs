//! Proofs at a server that can't tell: an answer that there was none uses none up.

use std::sync::Arc;

use super::{BOOK, Holder, bound, question};
use crate::site::failing::Failing;
use crate::site::{Site, site};
use axum::Router;
use axum::body::Body;
use falconer_auth::{Auth, AuthSettings, Origin};
use falconer_store::StoreError;
use falconer_web::{Traced, Web, metrics_routes, router};
use http::{Request, Version};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Another server on the same store, which has not heard of the grants that are made after it, and whose store may be away.
struct Other {
    store: Arc<Failing>,
    web: Arc<Web>,
    router: Router,
}

/// The ways on which a question is read, and what of its head makes it so.
const WAYS: [(Version, &str); 3] =
    [(Version::HTTP_11, "application/json"), (Version::HTTP_2, "application/json"), (Version::HTTP_11, "application/json; charset=utf-8")];

impl Other {
    async fn beside(site: &Site) -> Other {
        let store = Arc::new(Failing::new(site.store.clone()));
        let settings = AuthSettings::new(Origin::parse(&site.origin).unwrap());
        let auth = Auth::open(store.clone(), settings, site.clock.clone(), site.web.random.clone()).await.unwrap();
        let web = Arc::new(Web {
            auth: Arc::new(auth),
            login: site.web.login.clone(),
            grants: site.web.grants.clone(),
            clock: site.web.clock.clone(),
            random: site.web.random.clone(),
            log: Arc::new(Traced),
            metrics: Arc::default(),
            traces: None,
            settings: site.web.settings.clone(),
        });
        Other { store, router: router(web.clone()), web }
    }

    async fn ask(&self, (version, content_type): (Version, &str), path: &str, question: &Value) -> (u16, Value) {
        let request = Request::post(path).version(version).header("host", "auth.example.com").header("content-type", content_type);
        let answer = self.router.clone().oneshot(request.body(Body::from(question.to_string())).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap())
    }

    /// The same while the store is away, and how often it was asked.
    async fn ask_in_vain(&self, way: (Version, &str), path: &str, question: &Value) -> (u16, usize) {
        let before = self.store.calls_of("changed_records");
        self.store.errors.lock().unwrap().push_back(("changed_records", StoreError::Unavailable("away".to_owned())));
        let (status, _) = self.ask(way, path, question).await;
        (status, self.store.calls_of("changed_records") - before)
    }

    async fn counted(&self) -> Vec<String> {
        let routes = metrics_routes(self.web.clone(), || None);
        let answer = routes.oneshot(Request::get("/metrics").body(Body::empty()).unwrap()).await.unwrap();
        let text = String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
        text.lines().filter(|line| line.starts_with("falconer_checks_total") && !line.ends_with(" 0")).map(str::to_owned).collect()
    }
}

/// Story: where the store was away, the short way noted the proof, and the long way found it used: `proof-replayed` in place of the 503. A service that asked once more after
/// an honest 503 was told the same.
#[tokio::test]
async fn a_proof_counts_after_an_outage_in_which_nobody_could_tell() {
    let site = site().await;
    let (other, holder) = (Other::beside(&site).await, Holder::new());
    let (token, _) = bound(&site, &holder).await;
    let asked = |jti: &str| question(&format!("DPoP {token}"), Some(&holder.with_token(&site, "GET", BOOK, jti, &token)));
    let once = asked("1");
    for way in WAYS {
        assert_eq!(other.ask_in_vain(way, "/api/falconer/v1/check", &once).await, (503, 1), "{way:?}");
    }
    assert_eq!(other.counted().await, ["falconer_checks_total{status=\"unable\",reason=\"store\"} 3"]);
    let (status, answer) = other.ask(WAYS[0], "/api/falconer/v1/check", &once).await;
    assert_eq!((status, &answer["status"]), (200, &json!("allowed")), "{answer}");
    let (_, answer) = other.ask(WAYS[0], "/api/falconer/v1/check", &once).await;
    assert_eq!(answer["reason"], "proof-replayed", "it has counted now");

    // Several at once, of which the last one can't be answered.
    let (unknown, _) = bound(&site, &holder).await;
    let last = question(&format!("DPoP {unknown}"), Some(&holder.with_token(&site, "GET", BOOK, "3", &unknown)));
    let several = json!({"checks": [asked("2"), last]});
    for way in WAYS {
        assert_eq!(other.ask_in_vain(way, "/api/falconer/v1/checks", &several).await, (503, 1), "{way:?}");
    }
    let (_, answers) = other.ask(WAYS[0], "/api/falconer/v1/checks", &several).await;
    let statuses: Vec<&Value> = answers["checks"].as_array().unwrap().iter().map(|answer| &answer["status"]).collect();
    assert_eq!(statuses, ["allowed", "allowed"], "{answers}");
    // One proof twice in one call counts once.
    let (_, answers) = other.ask(WAYS[0], "/api/falconer/v1/checks", &json!({"checks": [asked("4"), asked("4")]})).await;
    assert_eq!((&answers["checks"][0]["status"], &answers["checks"][1]["reason"]), (&json!("allowed"), &json!("proof-replayed")));
}
