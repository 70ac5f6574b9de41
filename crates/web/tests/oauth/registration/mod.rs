//! Applications that register themselves: with a token of an administrator, without one where the operator says so, and what they may do with what they are given.

mod administered;
mod bound;
mod bounds;
mod kept_safe;
mod links;
pub mod refused;

use std::sync::atomic::Ordering;

use crate::site::applications::{DECISION, Fields, VERIFIER, authorization_fields, authorize, exchange, parameter};
use crate::site::{Browser, Page, Site, site, with};
use axum::body::Body;
use falconer_auth::{Authentication, DAY_MS, PageQuery};
use falconer_grants::{GrantSettings, InitialTokenInput, Registration};
use falconer_store::Store as _;
use falconer_web::Peer;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

const REGISTER: &str = "/login/oauth/register";
const BACK: &str = "https://agent.example.com/back";

pub fn metadata() -> Value {
    json!({
        "client_name": "The <helpful> agent",
        "redirect_uris": [BACK, "http://127.0.0.1/back"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "logo_uri": "https://agent.example.com/logo.png",
        "software_id": "agent",
    })
}

fn input(scopes: &[&str], max_uses: i64) -> InitialTokenInput {
    InitialTokenInput {
        description: String::new(),
        owner: "local/ann".to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        max_life_ms: 2 * DAY_MS,
        max_uses,
        life_ms: 7 * DAY_MS,
    }
}

fn configure(site: &Site, registration: Registration) {
    site.web.grants.reconfigure(GrantSettings { registration, ..GrantSettings::default() }).unwrap();
}

/// A site that takes registrations, and a token for so many.
pub async fn with_token(uses: i64) -> (Site, String) {
    let site = site().await;
    configure(&site, Registration::Token);
    site.somebody("admin", &["auth:*", "notes:*"]).await;
    let admin = Authentication::person("local/admin");
    let new = site.web.grants.create_initial_token(&admin, "agents", &input(&["notes:read:*"], uses)).await.unwrap();
    let token = new.token.expose().to_owned();
    (site, token)
}

impl Site {
    pub async fn registration(&self, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Page {
        self.registration_from("203.0.113.7:4000", method, path, token, body).await
    }

    async fn registration_from(&self, peer: &str, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Page {
        let mut request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = body.map_or_else(Body::empty, |body| body.to_string().into());
        self.send(request.extension(Peer(peer.parse().unwrap())).body(body).unwrap()).await
    }

    pub async fn register(&self, token: Option<&str>, metadata: &Value) -> Page {
        self.registration(Method::POST, REGISTER, token, Some(metadata)).await
    }
}

/// What was registered: its `client_id`, where it is, and the token for that.
pub struct Registered {
    pub id: String,
    pub path: String,
    pub token: String,
    pub json: Value,
}

pub fn registered(page: &Page) -> Registered {
    assert_eq!((page.status, page.header("cache-control")), (StatusCode::CREATED, "no-store"), "{}", page.text);
    let json = page.json();
    let text = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("{name}: {json}")).to_owned();
    let uri = text("registration_client_uri");
    let path = uri.strip_prefix("https://auth.example.com").unwrap().to_owned();
    Registered { id: text("client_id"), path, token: text("registration_access_token"), json }
}

pub fn asks(id: &str, changes: &[(&str, &str)]) -> Fields {
    with(with(authorization_fields(), &[("client_id", id), ("redirect_uri", BACK), ("scope", "notes:read:*")]), changes)
}

pub fn fetches(id: &str, code: &str, changes: &[(&str, &str)]) -> Fields {
    with(with(exchange(code), &[("client_id", id), ("redirect_uri", BACK)]), changes)
}

impl Browser<'_> {
    /// Types the host, and presses Grant.
    pub async fn lets_at(&mut self, asked: &Fields, host: &str) -> String {
        let page = self.get(&authorize(asked)).await;
        assert_eq!(page.status, StatusCode::OK, "{} {}", page.header("location"), page.text);
        let form = with(page.form(DECISION), &[("visible_ms", "2000"), ("typed_host", host)]);
        self.post(DECISION, &form).await.location().to_owned()
    }
}

#[tokio::test]
async fn it_is_off_and_nothing_says_that_it_is_there() {
    let site = site().await;
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let says = site.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert!(says.json().get("registration_endpoint").is_none(), "{}", says.text);
    }
    assert_eq!(site.register(None, &metadata()).await.oauth_error(), (404, "invalid_request".to_owned()));
    configure(&site, Registration::Token);
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let says = site.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(says.json()["registration_endpoint"], "https://auth.example.com/login/oauth/register");
    }
    assert_eq!(site.register(None, &metadata()).await.oauth_error(), (401, "invalid_token".to_owned()));
}

#[tokio::test]
async fn an_application_registers_itself_with_a_token_and_a_person_sees_that_nobody_has_checked_it() {
    let (site, token) = with_token(2).await;
    let one = registered(&site.register(Some(&token), &metadata()).await);
    assert_eq!(one.json["client_name"], "The <helpful> agent");
    assert_eq!(one.json["redirect_uris"], json!([BACK, "http://127.0.0.1/back"]));
    assert_eq!((&one.json["token_endpoint_auth_method"], &one.json["scope"]), (&json!("none"), &json!("notes:read:*")));
    assert_eq!(one.json["id_token_signed_response_alg"], "ES256");
    assert!(one.json.get("client_secret").is_none() && one.json.get("logo_uri").is_none(), "{}", one.json);
    let record = site.auth.directory().applications().get(&one.id).cloned().unwrap();
    assert_eq!((record.owner.as_str(), record.max_life_ms, record.skip_consent, record.remember_ms), ("local/ann", 2 * DAY_MS, false, 0));
    assert_eq!(record.registration.as_ref().unwrap().initial_token.as_deref(), Some("agents"));

    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&asks(&one.id, &[]))).await;
    for text in [
        "agent.<wbr><b>example.com</b>",
        "It has registered itself",
        "It calls itself <q>The &#60;helpful&#62; agent</q>",
        "nobody of this server has checked it",
        &one.id,
        "typed_host",
    ] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    assert!(!page.text.contains("registered by the administrator"), "{}", page.text);
    // Its name is not enough, nor is another host.
    for typed in ["The <helpful> agent", "app.example", ""] {
        let form = with(page.form(DECISION), &[("visible_ms", "2000"), ("typed_host", typed)]);
        assert_eq!(ann.post(DECISION, &form).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
    }
    let location = ann.lets_at(&asks(&one.id, &[]), "agent.example.com").await;
    let tokens = site.token(&fetches(&one.id, &parameter(&location, "code").unwrap(), &[])).await.json();
    assert_eq!(tokens["scope"], "notes:read:*", "{tokens}");
    assert_eq!(site.credentials(tokens["access_token"].as_str().unwrap()).await.status, StatusCode::OK);
    // It asks for no more than its token allowed.
    let more = ann.get(&authorize(&asks(&one.id, &[("scope", "notes:write:mine")]))).await;
    assert_eq!(parameter(more.location(), "error").as_deref(), Some("invalid_scope"));

    // A second one, and no third.
    registered(&site.register(Some(&token), &metadata()).await);
    assert_eq!(site.register(Some(&token), &metadata()).await.oauth_error(), (401, "invalid_token".to_owned()));
    let mut admin = site.browser();
    let form = with(admin.get("/login").await.form("/login"), &[("name", "admin"), ("password", crate::site::PASSWORD)]);
    admin.post("/login", &form).await;
    let page = admin.get(&format!("/auth/applications?id={}", one.id)).await.text;
    assert!(page.contains("with the initial access token agents; nobody of this server has checked it"), "{page}");
    let history = admin.get("/auth/audit?type=initial-token").await.text;
    assert!(history.contains("registration/agents") && history.contains("local/admin"), "{history}");
}

#[tokio::test]
async fn what_is_registered_is_read_changed_and_deleted_with_its_own_token() {
    let (site, token) = with_token(2).await;
    let one = registered(&site.register(Some(&token), &metadata()).await);
    let other = registered(&site.register(Some(&token), &metadata()).await);
    let read = site.registration(Method::GET, &one.path, Some(&one.token), None).await;
    assert_eq!((read.status, &read.json()), (StatusCode::OK, &one.json));
    for wrong in [None, Some(other.token.as_str()), Some(token.as_str()), Some("falconer_ra_x")] {
        for (method, body) in [(Method::GET, None), (Method::PUT, Some(metadata())), (Method::DELETE, None)] {
            let answer = site.registration(method, &one.path, wrong, body.as_ref()).await;
            assert_eq!(answer.oauth_error(), (401, "invalid_token".to_owned()), "{wrong:?}");
        }
    }
    // It becomes a server with a secret, at another place.
    let moved = json!({
        "client_id": one.id, "client_name": "Moved", "redirect_uris": ["https://moved.example.com/"],
        "token_endpoint_auth_method": "client_secret_post", "scope": "notes:read:red", "contacts": null,
    });
    let changed = site.registration(Method::PUT, &one.path, Some(&one.token), Some(&moved)).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    let changed = changed.json();
    let secret = changed["client_secret"].as_str().unwrap().to_owned();
    assert_eq!((&changed["client_secret_expires_at"], &changed["scope"]), (&json!(0), &json!("notes:read:red")));
    // Nothing of the secret is kept but its hash, so that it is not read again.
    let read = site.registration(Method::GET, &one.path, Some(&one.token), None).await.json();
    assert!(read.get("client_secret").is_none() && read["client_name"] == "Moved", "{read}");
    let at = [("redirect_uri", "https://moved.example.com/"), ("scope", "notes:read:red")];
    let mut ann = site.ann().await;
    let location = ann.lets_at(&asks(&one.id, &at), "moved.example.com").await;
    let code = parameter(&location, "code").unwrap();
    assert_eq!(site.token(&fetches(&one.id, &code, &at[..1])).await.oauth_error(), (401, "invalid_client".to_owned()));
    let proven = [at[0], ("client_secret", &secret)];
    let tokens = site.token(&fetches(&one.id, &code, &proven)).await.json();
    let access = tokens["access_token"].as_str().unwrap();
    // The same secret may be sent along; it stays.
    let mut again = moved.clone();
    again["client_secret"] = json!(secret);
    let changed = site.registration(Method::PUT, &one.path, Some(&one.token), Some(&again)).await;
    assert!(changed.status == StatusCode::OK && changed.json().get("client_secret").is_none(), "{}", changed.text);
    assert_eq!(site.credentials(access).await.status, StatusCode::OK);

    // With it ends what it was granted.
    assert!(ann.get("/me/grants").await.text.contains("moved.example.com"));
    let deleted = site.registration(Method::DELETE, &one.path, Some(&one.token), None).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(site.credentials(access).await.oauth_error(), (401, "invalid_token".to_owned()));
    let grants = site.store.grants_of("local/ann").await.unwrap();
    assert_eq!(grants[0].reason.as_deref(), Some("the application was deleted"));
    assert_eq!(site.registration(Method::GET, &one.path, Some(&one.token), None).await.oauth_error(), (401, "invalid_token".to_owned()));
    assert_eq!(site.registration(Method::GET, &other.path, Some(&other.token), None).await.status, StatusCode::OK);
    // The token of the administrator has not got its use back.
    assert_eq!(site.register(Some(&token), &metadata()).await.oauth_error(), (401, "invalid_token".to_owned()));
}

#[tokio::test]
async fn an_administrator_who_deletes_one_ends_what_it_was_granted() {
    let (site, token) = with_token(1).await;
    let one = registered(&site.register(Some(&token), &metadata()).await);
    let location = site.ann().await.lets_at(&asks(&one.id, &[]), "agent.example.com").await;
    let tokens = site.token(&fetches(&one.id, &parameter(&location, "code").unwrap(), &[])).await.json();
    let admin = Authentication::person("local/admin");
    site.web.grants.delete_application(&admin, &one.id, None).await.unwrap();
    assert!(site.store.grants_of("local/ann").await.unwrap()[0].revoked_ms.is_some());
    assert_eq!(site.credentials(tokens["access_token"].as_str().unwrap()).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_ends_and_is_revoked() {
    let (site, token) = with_token(10).await;
    registered(&site.register(Some(&token), &metadata()).await);
    site.clock.0.fetch_add(7 * DAY_MS, Ordering::SeqCst);
    assert_eq!(site.register(Some(&token), &metadata()).await.oauth_error(), (401, "invalid_token".to_owned()));
    let admin = Authentication::person("local/admin");
    let grants = &site.web.grants;
    let next = grants.create_initial_token(&admin, "next", &input(&["notes:read:*"], 10)).await.unwrap();
    assert_eq!(grants.list_initial_tokens(&admin).await.unwrap().len(), 1, "what has ended is not listed");
    registered(&site.register(Some(next.token.expose()), &metadata()).await);
    grants.delete_initial_token(&admin, "next").await.unwrap();
    assert_eq!(site.register(Some(next.token.expose()), &metadata()).await.oauth_error(), (401, "invalid_token".to_owned()));
    // Nobody makes one that allows more than they may do themselves (ADR 263).
    assert!(grants.create_initial_token(&admin, "more", &input(&["queue:*"], 1)).await.is_err());
    assert!(grants.create_initial_token(&Authentication::person("local/ann"), "own", &input(&["notes:read:*"], 1)).await.is_err());
}

#[tokio::test]
async fn of_16_at_once_as_many_register_as_the_token_has_uses() {
    let (site, token) = with_token(3).await;
    let body = metadata();
    let all = futures_util::future::join_all((0..16).map(|_| site.register(Some(&token), &body))).await;
    assert_eq!(all.iter().filter(|page| page.status == StatusCode::CREATED).count(), 3);
    assert_eq!(all.iter().filter(|page| page.status == StatusCode::UNAUTHORIZED).count(), 13);
}

#[tokio::test]
async fn without_a_token_it_is_an_application_that_nobody_knows() {
    let site = site().await;
    configure(&site, Registration::Open);
    let one = registered(&site.register(None, &metadata()).await);
    assert!(one.json.get("scope").is_none(), "{}", one.json);
    // Without scopes it asks for what the person has, as a site that nobody registered.
    let mut ann = site.ann().await;
    let location = ann.lets_at(&asks(&one.id, &[("scope", "")]), "agent.example.com").await;
    let tokens = site.token(&fetches(&one.id, &parameter(&location, "code").unwrap(), &[])).await.json();
    assert!(tokens["scope"].as_str().unwrap().ends_with("notes:* queue:ping"), "{tokens}");
    // A program on the person's machine is not vouched for.
    let page = ann.get(&authorize(&asks(&one.id, &[("redirect_uri", "http://127.0.0.1:43211/back")]))).await;
    assert!(page.text.contains("Any program here can say that it is this application"), "{}", page.text);
    // A token that is none is not as if there were none.
    assert_eq!(site.register(Some("falconer_it_x"), &metadata()).await.oauth_error(), (401, "invalid_token".to_owned()));
    // With grant.registered_only none may ask.
    let settings = GrantSettings { registration: Registration::Open, registered_only: true, ..GrantSettings::default() };
    site.web.grants.reconfigure(settings).unwrap();
    assert_eq!(ann.get(&authorize(&asks(&one.id, &[]))).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn pages_make_and_revoke_a_token() {
    const PLACE: &str = "/auth/applications/tokens";
    let site = site().await;
    configure(&site, Registration::Token);
    let mut admin = site.somebody("admin", &["auth:*", "notes:*"]).await;
    let page = admin.get(PLACE).await;
    // As the API, the command and RFC 7591 call them: a registration token is what an application changes its own registration with.
    assert!(
        page.text.contains("<h1>Initial access tokens</h1>") && !page.text.to_lowercase().contains("registration token"),
        "{}",
        page.text
    );
    let form = with(page.form(PLACE), &[("id", "team"), ("scopes", "notes:read:*\r\n"), ("uses", "2")]);
    let shown = admin.post(PLACE, &form).await;
    assert_eq!((shown.status, shown.header("cache-control")), (StatusCode::OK, "no-store"), "{}", shown.text);
    let token = format!("falconer_it_{}", shown.text.split("falconer_it_").nth(1).unwrap().split('<').next().unwrap());
    registered(&site.register(Some(&token), &metadata()).await);
    let twice = admin.post(PLACE, &form).await;
    assert!(twice.status == StatusCode::CONFLICT && twice.text.contains("There is an initial access token team"), "{}", twice.text);
    let list = admin.get(PLACE).await;
    assert!(list.text.contains("used 1 of 2") && !list.text.contains(&token), "{}", list.text);
    let wrong = admin.post(PLACE, &with(form.clone(), &[("id", "x"), ("life", "soon")])).await;
    assert!(wrong.status.is_client_error() && wrong.text.contains("<code>soon</code> is no length of time"), "{}", wrong.text);
    // It was gone with one press, and nothing had been asked.
    const CONFIRM: &str = "/auth/applications/confirm";
    assert_eq!(admin.get(&format!("{CONFIRM}?id=other&action=revoke_token")).await.status, StatusCode::NOT_FOUND);
    let link = format!("{CONFIRM}?id=team&amp;action=revoke_token");
    assert!(list.text.contains(&link), "{}", list.text);
    let confirm = admin.get(&link.replace("&amp;", "&")).await;
    assert!(confirm.text.contains("Revoke this initial access token?") && admin.get(PLACE).await.text.contains("used 1 of 2"));
    admin.post(CONFIRM, &confirm.form(CONFIRM)).await.location();
    assert!(admin.get(PLACE).await.text.contains("There are none."));
    assert_eq!(site.register(Some(&token), &metadata()).await.status, StatusCode::UNAUTHORIZED);
    // Whoever may not, sees nothing.
    assert_eq!(site.ann().await.get(PLACE).await.status, StatusCode::FORBIDDEN);
    // Later they have to sign in again.
    site.clock.0.fetch_add(DAY_MS / 4, Ordering::SeqCst);
    let form = with(admin.get(PLACE).await.form(PLACE), &[("id", "late"), ("scopes", "notes:read:*"), ("uses", "2")]);
    let late = admin.post(PLACE, &form).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN, "{}", late.text);
    let query = PageQuery::from_offset(0, 10);
    assert_eq!(site.web.grants.list_applications(&Authentication::person("local/admin"), &query).unwrap().items.len(), 1);
}

#[tokio::test]
async fn what_is_said_of_pushed_requests_and_id_tokens_holds() {
    let (site, token) = with_token(1).await;
    let mut said = metadata();
    said["require_pushed_authorization_requests"] = json!(true);
    said["id_token_signed_response_alg"] = json!("EdDSA");
    let one = registered(&site.register(Some(&token), &said).await);
    assert_eq!(one.json["require_pushed_authorization_requests"], true);
    assert_eq!(one.json["id_token_signed_response_alg"], "EdDSA");
    let brought = site.ann().await.get(&authorize(&asks(&one.id, &[]))).await;
    assert_eq!(parameter(brought.location(), "error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn a_page_of_any_site_may_ask() {
    let site = site().await;
    let request = Request::builder().method(Method::OPTIONS).uri(REGISTER).header("origin", "https://inspector.example");
    let before = site.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((before.status, before.header("access-control-allow-origin")), (StatusCode::NO_CONTENT, "*"));
    let refused = site.register(None, &metadata()).await;
    assert_eq!((refused.header("access-control-allow-origin"), refused.header("access-control-allow-credentials")), ("*", ""));
}

#[tokio::test]
async fn the_verifier_is_asked_for_as_of_any_other() {
    let (site, token) = with_token(1).await;
    let one = registered(&site.register(Some(&token), &metadata()).await);
    let mut ann = site.ann().await;
    let location = ann.lets_at(&asks(&one.id, &[]), "agent.example.com").await;
    let code = parameter(&location, "code").unwrap();
    let wrong = [("code_verifier", "another-verifier-of-at-least-43-characters-as-it-has-to")];
    assert_ne!(VERIFIER, wrong[0].1);
    assert_eq!(site.token(&fetches(&one.id, &code, &wrong)).await.oauth_error(), (400, "invalid_grant".to_owned()));
    let none = ann.get(&authorize(&with(asks(&one.id, &[]), &[("code_challenge", "")]))).await;
    assert_eq!(parameter(none.location(), "error").as_deref(), Some("invalid_request"));
}
