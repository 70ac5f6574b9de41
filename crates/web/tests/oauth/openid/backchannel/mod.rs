//! Applications are told that somebody has signed out: what they are told, when, and who is not.

mod answers;

pub use answers::ANSWERS;

use super::{authentication_request, redeem, refreshes, verified};
use crate::site::applications::{CALLBACK, Fields, LOGOUT_DECISION, fields};
use crate::site::{Browser, PASSWORD, Site, site, with};
use async_trait::async_trait;
use falconer_auth::{ApplicationInput, Authentication, DAY_MS};
use falconer_grants::{ApplicationsHttp, GrantSettings, Grants, LogoutFigures};
use falconer_login::http::{AllowedAddresses, HttpError, ProviderAnswer, ProviderHttp, ProviderRequest};
use http::StatusCode;
use serde_json::Value;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

const URI: &str = "https://app.example/signed-out";

/// What a logout token says.
pub const CLAIMS: [(&str, &str, &str); 12] = [
    ("Back-Channel 2.4", "typ", "`logout+jwt`, in the header"),
    ("Back-Channel 2.4", "alg", "as ID tokens of the application, never `none`"),
    ("Back-Channel 2.4", "iss", "the issuer"),
    ("Back-Channel 2.4", "aud", "the `client_id`"),
    ("Back-Channel 2.4", "iat", "now"),
    ("Back-Channel 2.4", "exp", "two minutes later"),
    ("Back-Channel 2.4", "jti", "another one in each"),
    ("Back-Channel 2.4", "events", "`http://schemas.openid.net/event/backchannel-logout` with an empty object"),
    ("Back-Channel 2.4", "sub", "as in the ID token"),
    ("Back-Channel 2.1, 2.4", "sid", "as in the ID token"),
    ("Back-Channel 2.4", "nonce", "not there"),
    ("Back-Channel 2.4", "auth_time", "not there, nor anything else"),
];

/// Ways in which a session ends, each of which is told.
pub const WAYS: [(&str, &str); 7] = [
    ("Back-Channel 2.5", "the person signs out on a page"),
    ("Back-Channel 2.5", "the application has asked for it (`/login/oauth/logout`)"),
    ("Back-Channel 2.5", "the person signs out everywhere"),
    ("Back-Channel 2.5", "the person ends the session from another browser"),
    ("Back-Channel 2.5", "an administrator ends the person's sessions"),
    ("Back-Channel 2.5", "an administrator disables the person"),
    ("Back-Channel 2.5", "somebody else signs in with the same browser"),
];

/// What is told to nobody.
pub const NOT_TOLD: [(&str, &str); 6] = [
    ("Back-Channel 2.5", "the session of an application that has said no address"),
    ("Back-Channel 2.5", "another session of the same person"),
    ("Back-Channel 2.5", "the session of somebody else"),
    ("Back-Channel 2.1", "the person signs in again within their session: the next ID token has the same `sid`"),
    ("Back-Channel 2.5", "an application whose address was taken away"),
    ("Back-Channel 2.5", "an application that was deleted"),
];

/// The applications of the world: what each was sent, and what it answers.
#[derive(Default)]
struct Applications {
    sent: Mutex<Vec<(String, AllowedAddresses, String)>>,
    status: Mutex<Option<u16>>,
}

#[async_trait]
impl ProviderHttp for Applications {
    async fn send(&self, request: ProviderRequest) -> Result<ProviderAnswer, HttpError> {
        let [(name, token)] = &request.form.unwrap()[..] else { panic!("one field") };
        assert_eq!(*name, "logout_token");
        self.sent.lock().unwrap().push((request.url.to_string(), request.allowed_addresses, token.to_string()));
        match *self.status.lock().unwrap() {
            Some(0) => Err(HttpError::TooSlow),
            status => Ok(ProviderAnswer { status: status.unwrap_or(200), ..ProviderAnswer::default() }),
        }
    }
}

struct World {
    site: Site,
    applications: Arc<Applications>,
}

impl World {
    async fn new() -> World {
        let site = site().await;
        site.somebody("admin", &["auth:*", "notes:*", "openid"]).await;
        let applications = Arc::new(Applications::default());
        let world = World { site, applications };
        world.configure(&[], ApplicationsHttp(world.applications.clone()));
        for (id, uri) in [("told", URI), ("also", "https://also.example/out"), ("quiet", "")] {
            world.put(id, uri).await;
        }
        world
    }

    fn configure(&self, hosts: &[&str], http: ApplicationsHttp) {
        let logout_hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let settings = GrantSettings { logout_hosts, applications_http: Some(http), ..GrantSettings::default() };
        self.site.web.grants.reconfigure(settings).unwrap();
    }

    async fn put(&self, id: &str, uri: &str) {
        self.try_put(id, uri).await.unwrap();
    }

    async fn try_put(&self, id: &str, uri: &str) -> Result<(), String> {
        let input = ApplicationInput {
            name: id.to_owned(),
            redirect_uris: vec![CALLBACK.to_owned()],
            scopes: vec!["openid".to_owned(), "notes:read:*".to_owned()],
            max_life_ms: DAY_MS,
            backchannel_logout_uri: uri.to_owned(),
            ..ApplicationInput::default()
        };
        let put = self.site.web.grants.put_application(&Authentication::person("local/admin"), id, &input, None).await;
        put.map(drop).map_err(|error| error.to_string())
    }

    /// Somebody lets an application know who they are; the answer of the token endpoint and the claims of the ID token.
    async fn signs_in(&self, browser: &mut Browser<'_>, id: &str) -> (Value, Value) {
        let code = browser.code(&request(id)).await;
        let answer = self.site.token(&with(redeem(&code), &[("client_id", id)])).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let answer = answer.json();
        let (_, claims) = self.verified(answer["id_token"].as_str().unwrap()).await;
        (answer, claims)
    }

    async fn verified(&self, token: &str) -> (Value, Value) {
        verified(token, &self.site.plain("/login/oauth/jwks").await)
    }

    async fn send(&self) -> usize {
        self.site.web.grants.send_logouts(&self.site.origin).await.unwrap()
    }

    /// Tells whom there is to tell, and what they were told.
    async fn told(&self) -> Vec<(String, Value)> {
        while self.send().await > 0 {}
        let sent = std::mem::take(&mut *self.applications.sent.lock().unwrap());
        let mut told = Vec::new();
        for (url, _, token) in sent {
            told.push((url, self.verified(&token).await.1));
        }
        told
    }

    fn figures(&self) -> (u64, u64, u64) {
        let LogoutFigures { delivered, refused, failed, .. } = self.site.web.grants.logout_figures();
        (delivered, refused, failed)
    }
}

fn request(id: &str) -> Fields {
    with(authentication_request(), &[("client_id", id), ("scope", "openid notes:read:*")])
}

async fn signs_out(browser: &mut Browser<'_>) {
    let form = browser.get("/").await.form("/logout");
    browser.post("/logout", &form).await;
    assert!(!browser.is_signed_in());
}

#[tokio::test]
async fn a_logout_token_says_what_the_table_has() {
    let world = World::new().await;
    let mut ann = world.site.ann().await;
    let (answer, id_token) = world.signs_in(&mut ann, "told").await;
    assert_eq!(world.send().await, 0, "nobody has signed out");
    signs_out(&mut ann).await;
    world.site.clock.0.fetch_add(5_000, Ordering::SeqCst);
    assert_eq!((world.send().await, world.send().await), (1, 0), "once");
    let (url, addresses, token) = world.applications.sent.lock().unwrap().pop().unwrap();
    assert_eq!((url.as_str(), addresses), (URI, AllowedAddresses::Public));
    let (header, claims) = world.verified(&token).await;
    let now = world.site.clock.0.load(Ordering::SeqCst) / 1000;
    for (section, claim, _) in CLAIMS {
        let holds = match claim {
            "typ" => header["typ"] == "logout+jwt",
            "alg" => header["alg"] == "ES256",
            "iss" => claims["iss"] == "https://auth.example.com",
            "aud" => claims["aud"] == "told",
            "iat" => claims["iat"] == now,
            "exp" => claims["exp"] == now + 120,
            "jti" => claims["jti"].as_str().unwrap().len() >= 22,
            "events" => claims["events"] == serde_json::json!({ "http://schemas.openid.net/event/backchannel-logout": {} }),
            "sub" | "sid" => claims[claim].is_string() && claims[claim] == id_token[claim],
            "nonce" => claims["nonce"].is_null(),
            _ => claims.as_object().unwrap().len() == 8,
        };
        assert!(holds, "{section}: {claim}: {header} {claims}");
    }
    assert_ne!(claims["sid"], claims["sub"]);
    // It is no ID token, and asks for nothing.
    let hint = crate::site::encode(&fields(&[("id_token_hint", &token)]));
    assert_eq!(world.site.browser().get(&format!("/login/oauth/logout?{hint}")).await.status, StatusCode::BAD_REQUEST);
    // What was granted stays, and its ID tokens name the session that there was.
    let refreshed = world.site.token(&with(refreshes(&answer), &[("client_id", "told")])).await.json();
    let (_, later) = world.verified(refreshed["id_token"].as_str().unwrap()).await;
    assert_eq!(later["sid"], id_token["sid"]);
}

#[tokio::test]
async fn each_way_out_is_told_once() {
    for (number, (section, what)) in WAYS.iter().enumerate() {
        let world = World::new().await;
        let who = Authentication::person("local/admin");
        let mut ann = world.site.browser();
        let form = ann.get("/login").await.form("/login");
        ann.post("/login", &with(form.clone(), &[("name", "ann"), ("password", PASSWORD)])).await;
        let (_, id_token) = world.signs_in(&mut ann, "told").await;
        match number {
            0 => signs_out(&mut ann).await,
            1 => {
                let page = ann.get("/login/oauth/logout?client_id=told").await;
                ann.post(LOGOUT_DECISION, &page.form(LOGOUT_DECISION)).await;
            }
            2 => {
                let form = ann.get("/").await.form("/me/signout-everywhere");
                ann.post("/me/signout-everywhere", &form).await;
            }
            3 => {
                let mut other = world.site.ann().await;
                let form = other.get("/").await.form("/me/sessions");
                other.post("/me/sessions", &form).await;
            }
            4 => drop(world.site.login.sign_person_out(&who, "local/ann").await.unwrap()),
            5 => drop(world.site.login.disable_whole_person(&who, "local/ann").await.unwrap()),
            // The page of before still lies open in another tab.
            _ => drop(ann.post("/login", &with(form, &[("name", "admin"), ("password", PASSWORD)])).await),
        }
        let told = world.told().await;
        assert_eq!(told.len(), 1, "{section}: {what}: {told:?}");
        assert_eq!((told[0].0.as_str(), &told[0].1["sid"]), (URI, &id_token["sid"]), "{section}: {what}");
    }
}

#[tokio::test]
async fn nobody_else_is_told_and_no_other_session_is_named() {
    let world = World::new().await;
    let (mut ann, mut laptop) = (world.site.ann().await, world.site.ann().await);
    let mut bob = world.site.somebody("bob", &["notes:*"]).await;
    let (_, first) = world.signs_in(&mut ann, "told").await;
    let (_, again) = world.signs_in(&mut ann, "told").await;
    let (_, also) = world.signs_in(&mut ann, "also").await;
    let (_, quiet) = world.signs_in(&mut ann, "quiet").await;
    let (_, second) = world.signs_in(&mut laptop, "told").await;
    let (_, of_bob) = world.signs_in(&mut bob, "told").await;
    assert_eq!(first["sid"], again["sid"], "one session has one name at one application");
    assert!(quiet["sid"].is_null(), "{quiet}");
    for other in [&also, &second, &of_bob] {
        assert!(other["sid"].is_string() && other["sid"] != first["sid"], "each application has a name of its own for each session");
    }
    // Within the session: it goes on, and so does its name.
    let page = ann.get("/me/again?anew=yes&next=/").await;
    ann.post("/me/again", &with(page.form("/me/again"), &[("password", PASSWORD)])).await;
    assert!(world.told().await.is_empty(), "it goes on");
    assert_eq!(world.signs_in(&mut ann, "told").await.1["sid"], first["sid"]);
    signs_out(&mut ann).await;
    let mut told: Vec<(String, Value)> = world.told().await.into_iter().map(|(url, claims)| (url, claims["sid"].clone())).collect();
    told.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(told, [("https://also.example/out".to_owned(), also["sid"].clone()), (URI.to_owned(), first["sid"].clone())]);
    // Its address was taken away, or all of it.
    world.put("told", "").await;
    signs_out(&mut laptop).await;
    assert!(world.told().await.is_empty());
    world.put("told", URI).await;
    let deleted = world.site.web.grants.delete_application(&Authentication::person("local/admin"), "told", None).await;
    deleted.unwrap();
    signs_out(&mut bob).await;
    assert!(world.told().await.is_empty());
    assert_eq!(world.figures(), (2, 0, 0));
}

#[tokio::test]
async fn a_code_ends_with_the_session_that_it_names() {
    let world = World::new().await;
    let mut ann = world.site.ann().await;
    let code = ann.code(&request("told")).await;
    signs_out(&mut ann).await;
    let late = world.site.token(&with(redeem(&code), &[("client_id", "told")])).await;
    assert_eq!(late.oauth_error(), (400, "invalid_grant".to_owned()));
    assert_eq!(world.told().await.len(), 1);
}

/// Each server takes what no other one has taken.
#[tokio::test]
async fn of_two_servers_one_tells() {
    let world = World::new().await;
    let settings = GrantSettings { applications_http: Some(ApplicationsHttp(world.applications.clone())), ..GrantSettings::default() };
    let other = Arc::new(Grants::open(world.site.auth.clone(), world.site.login.clone(), world.site.store.clone(), settings).unwrap());
    for _ in 0..20 {
        let mut ann = world.site.ann().await;
        world.signs_in(&mut ann, "told").await;
        world.signs_in(&mut ann, "also").await;
        signs_out(&mut ann).await;
    }
    let both = async |grants: &Arc<Grants>| {
        let mut sent = 0;
        loop {
            match grants.send_logouts(&world.site.origin).await.unwrap() {
                0 => return sent,
                some => sent += some,
            }
        }
    };
    let (one, another) = tokio::join!(both(&world.site.web.grants), both(&other));
    assert_eq!(one + another, 40);
    let told = world.told().await;
    let sids: std::collections::BTreeSet<&str> = told.iter().map(|(_, claims)| claims["sid"].as_str().unwrap()).collect();
    assert_eq!((told.len(), sids.len()), (40, 40), "each once");
}

#[tokio::test]
async fn what_is_inside_is_told_where_an_operator_has_named_it() {
    let world = World::new().await;
    for uri in ["https://10.0.0.1/out", "https://wiki.internal:8443/out", "http://127.0.0.1:4000/out", "https://app.example:8443/out"] {
        let refused = world.try_put("told", uri).await.unwrap_err();
        assert!(refused.contains("grant.logout_hosts"), "{uri}: {refused}");
    }
    for uri in ["http://app.example/out", "https://app.example/out#x", "https://auth.example.com/out", "out", "https://u:p@app.example/out"]
    {
        let refused = world.try_put("told", uri).await.unwrap_err();
        assert!(refused.contains("backchannel_logout_uri"), "{uri}: {refused}");
    }
    world.configure(&["wiki.internal:8443"], ApplicationsHttp(world.applications.clone()));
    world.put("told", "https://wiki.internal:8443/out").await;
    let mut ann = world.site.ann().await;
    world.signs_in(&mut ann, "told").await;
    signs_out(&mut ann).await;
    assert_eq!(world.send().await, 1);
    let (url, addresses, _) = world.applications.sent.lock().unwrap().pop().unwrap();
    assert_eq!((url.as_str(), addresses), ("https://wiki.internal:8443/out", AllowedAddresses::Own));
    // Named no more: nothing goes there.
    let mut ann = world.site.ann().await;
    world.signs_in(&mut ann, "told").await;
    world.configure(&[], ApplicationsHttp(world.applications.clone()));
    signs_out(&mut ann).await;
    assert!(world.told().await.is_empty());
}

/// By the number of the row in the table of what nobody is told: the tests above hold them.
#[test]
fn the_table_of_what_is_not_told_has_no_row_twice() {
    let rows: std::collections::BTreeSet<&str> = NOT_TOLD.iter().map(|(_, what)| *what).collect();
    assert_eq!(rows.len(), NOT_TOLD.len());
}
