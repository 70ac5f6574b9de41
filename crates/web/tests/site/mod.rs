//! Falconer in memory with a clock of its own, and browsers that keep cookies and fill in forms.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod applications;
#[path = "../../../login/tests/common/client.rs"]
pub mod client;
#[path = "../support/doubles.rs"]
mod doubles;
#[path = "../../../auth/tests/common/failing.rs"]
pub mod failing;
pub mod headers;
#[path = "../../../login/tests/common/provider.rs"]
pub mod provider;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use falconer_auth::{Auth, AuthSettings, Origin, Random};
use falconer_grants::{GrantSettings, Grants, PublishedScope, RegisteredTarget, Risk};
use falconer_login::mail::{Mail, MailError, Mailer};
use falconer_login::{ConfiguredProvider, Login, LoginSettings, NewAccount, PasswordCost, RelyingParty, ScimSettings};
use falconer_store::KeyRing;
use falconer_store_sqlite::SqliteStore;
use falconer_web::{PublicOrigin, RequestLimits, Traced, VersionInfo, Web, WebSettings, router};
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

pub use doubles::{TestClock, TestRandom};

/// 2026-08-01T12:00:00Z
pub const START_MS: i64 = 1_785_585_600_000;
pub const PASSWORD: &str = "correct horse battery";
pub const TARGET: &str = "https://notes.example.com/login";

pub struct Site {
    pub router: Router,
    pub web: Arc<Web>,
    pub auth: Arc<Auth>,
    pub login: Arc<Login>,
    pub store: Arc<SqliteStore>,
    /// The same, as sign-in and grants read it.
    pub counted: Arc<failing::Failing>,
    pub clock: Arc<TestClock>,
    pub origin: String,
    pub mails: Arc<Mails>,
}

/// A mail server that takes everything; the texts of what it got.
#[derive(Default)]
pub struct Mails(pub Mutex<Vec<String>>);

#[async_trait::async_trait]
impl Mailer for Mails {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        self.0.lock().unwrap().push(mail.text.to_string());
        Ok(())
    }

    async fn probe(&self) -> Result<Vec<(&'static str, String)>, MailError> {
        Ok(Vec::new())
    }
}

/// With a person `ann` who may do `notes:*`, `queue:ping` and `auth:create-role:*`.
pub async fn site() -> Site {
    site_at("https://auth.example.com", RequestLimits::default()).await
}

pub async fn site_at(origin: &str, limits: RequestLimits) -> Site {
    site_with(origin, limits, Vec::new()).await
}

/// The same with identity providers.
pub async fn site_with(origin: &str, limits: RequestLimits, providers: Vec<ConfiguredProvider>) -> Site {
    site_pushed(origin, limits, providers, Vec::new()).await
}

/// The same with directories that push.
pub async fn site_pushed(origin: &str, limits: RequestLimits, providers: Vec<ConfiguredProvider>, scim: Vec<ScimSettings>) -> Site {
    site_of(origin, limits, |settings| LoginSettings { providers, scim, ..settings }).await
}

/// Another server, which shares nothing with that of [`site`] but people of the same names and the same applications.
pub async fn other_site() -> Site {
    site_from("https://other-auth.example.com", RequestLimits::default(), |settings| settings, TestRandom::from(7_777_777)).await
}

/// The same with other settings of sign-in.
pub async fn site_of(origin: &str, limits: RequestLimits, change: impl FnOnce(LoginSettings) -> LoginSettings) -> Site {
    site_from(origin, limits, change, TestRandom::new()).await
}

async fn site_from(origin: &str, limits: RequestLimits, change: impl FnOnce(LoginSettings) -> LoginSettings, random: TestRandom) -> Site {
    let clock = Arc::new(TestClock(AtomicI64::new(START_MS)));
    let random = Arc::new(random);
    let keys = KeyRing::from_bytes("test", [7; 32]).unwrap();
    let for_store = Arc::clone(&random);
    let store = SqliteStore::in_memory(keys, Arc::new(move |bytes: &mut [u8]| for_store.fill(bytes))).unwrap();
    let store = Arc::new(store);
    let settings = AuthSettings::new(Origin::parse(origin).unwrap());
    let auth = Arc::new(Auth::open(store.clone(), settings, clock.clone(), random.clone()).await.unwrap());
    let password_cost = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
    let mails = Arc::new(Mails::default());
    let settings = change(LoginSettings {
        password_cost,
        relying_party: RelyingParty::of_origin(origin),
        mailer: Some(mails.clone()),
        ..LoginSettings::default()
    });
    let counted = Arc::new(failing::Failing::new(store.clone()));
    let login = Arc::new(Login::open(auth.clone(), counted.clone(), settings, clock.clone(), random.clone()).unwrap());
    let known = RegisteredTarget { name: "Known & <Good>".to_owned(), targets: vec!["https://known.example/login".to_owned()] };
    let burning = PublishedScope {
        namespace: "shelf".to_owned(),
        template: "shelf:burn:<shelf>".to_owned(),
        sentence: "Burn <shelf> & all that stands on it".to_owned(),
        risk: Risk::High,
    };
    let settings = GrantSettings {
        registered_targets: vec![known],
        applications: applications::all(),
        scopes: vec![burning],
        offline_services: applications::offline_services(),
        mail: true,
        ..GrantSettings::default()
    };
    let grants = Arc::new(Grants::open(auth.clone(), login.clone(), counted.clone(), settings).unwrap());
    let ann = NewAccount {
        name: "ann".to_owned(),
        display_name: "Ann Example".to_owned(),
        email: Some("ann@example.com".to_owned()),
        groups: vec!["releng".to_owned()],
        scopes: ["notes:*", "queue:ping", "auth:create-role:*"].map(str::to_owned).to_vec(),
    };
    login.create_account("test", &ann, Some(PASSWORD)).await.unwrap();
    let settings = WebSettings {
        public_origin: PublicOrigin::parse(origin).unwrap(),
        trusted_proxies: vec![],
        version: VersionInfo { version: "dev".to_owned(), commit: String::new() },
        limits,
    };
    let web = Web {
        auth: auth.clone(),
        login: login.clone(),
        grants,
        clock: clock.clone(),
        random,
        log: Arc::new(Traced),
        metrics: Arc::default(),
        traces: None,
        settings,
    };
    let web = Arc::new(web);
    Site { router: router(web.clone()), web, auth, login, store, counted, clock, origin: origin.to_owned(), mails }
}

impl Site {
    pub fn browser(&self) -> Browser<'_> {
        Browser { site: self, cookies: vec![] }
    }

    /// A browser in which ann is signed in.
    pub async fn ann(&self) -> Browser<'_> {
        let mut browser = self.browser();
        browser.sign_in("/login").await;
        browser
    }

    /// A browser in which somebody of this name with these scopes is signed in.
    pub async fn somebody(&self, name: &str, scopes: &[&str]) -> Browser<'_> {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let account = NewAccount { name: name.to_owned(), display_name: name.to_owned(), email: None, groups: vec![], scopes };
        self.login.create_account("test", &account, Some(PASSWORD)).await.unwrap();
        let mut browser = self.browser();
        let form = browser.get("/login").await.form("/login");
        browser.post("/login", &with(form, &[("name", name), ("password", PASSWORD)])).await;
        assert!(browser.is_signed_in());
        browser
    }

    pub async fn send(&self, request: Request<Body>) -> Page {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Page { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&body).into_owned() }
    }
}

#[derive(Clone)]
pub struct Browser<'a> {
    site: &'a Site,
    pub cookies: Vec<(String, String)>,
}

/// What came back.
#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn location(&self) -> &str {
        assert!(self.status.is_redirection(), "{} {}", self.status, self.text);
        self.header(LOCATION.as_str())
    }

    /// The fields that a browser would send with the form of this action: hidden ones, ticked boxes, chosen radios, texts as they are.
    pub fn form(&self, action: &str) -> Vec<(String, String)> {
        let mark = format!("action=\"{action}\"");
        let at = self.text.find(&mark).unwrap_or_else(|| panic!("no form for {action} in {}", self.text));
        let form = self.text[at..].split("</form>").next().unwrap();
        let mut fields = Vec::new();
        for tag in form.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let attribute = |name: &str| {
                let rest = tag.split(&format!(" {name}=\"")).nth(1)?;
                rest.split('"').next().map(unescape)
            };
            let kind = attribute("type").unwrap_or_default();
            if matches!(kind.as_str(), "checkbox" | "radio") && !tag.contains(" checked") {
                continue;
            }
            if let Some(name) = attribute("name") {
                fields.push((name, attribute("value").unwrap_or_default()));
            }
        }
        for area in form.split("<textarea").skip(1).filter_map(|rest| rest.split("</textarea>").next()) {
            let (tag, text) = area.split_once('>').unwrap();
            let name = tag.split(" name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            fields.push((name.to_owned(), unescape(text.strip_prefix('\n').unwrap_or(text))));
        }
        for list in form.split("<select").skip(1).filter_map(|rest| rest.split("</select>").next()) {
            let name = list.split(" name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            let options: Vec<&str> = list.split("<option").skip(1).collect();
            // A browser shows the first one where none is chosen.
            let chosen = options.iter().find(|option| option.contains(" selected")).or(options.first()).unwrap();
            let (tag, text) = chosen.split_once('>').unwrap();
            let value = tag.split(" value=\"").nth(1).and_then(|rest| rest.split('"').next());
            fields.push((name.to_owned(), unescape(value.unwrap_or_else(|| text.split('<').next().unwrap()))));
        }
        fields
    }
}

impl Page {
    /// Where a page after a form leads on by itself. It is no answer that a browser holds to the policy of the form's page.
    pub fn leads_on_to(&self) -> String {
        assert_eq!(self.status, http::StatusCode::OK, "{}", self.text);
        assert!(self.header("location").is_empty());
        let refresh = self.text.split("http-equiv=\"refresh\" content=\"0;url=").nth(1).expect("a page that goes on by itself");
        unescape(refresh.split('"').next().unwrap())
    }
}

fn unescape(text: &str) -> String {
    text.replace("&#38;", "&")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

/// A form with some fields changed; an empty value takes the field away.
pub fn with(mut fields: Vec<(String, String)>, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    for (name, value) in changes {
        fields.retain(|(key, _)| key != name);
        if !value.is_empty() {
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    fields
}

pub fn encode(fields: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Browser<'_> {
    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, &[], None).await
    }

    /// Sends a form as a browser does from a page of ours, after somebody has looked at the page.
    pub async fn post(&mut self, path: &str, fields: &[(String, String)]) -> Page {
        self.site.clock.0.fetch_add(1_000, Ordering::SeqCst);
        self.post_at_once(path, fields).await
    }

    /// The same, in the moment in which the page appears.
    pub async fn post_at_once(&mut self, path: &str, fields: &[(String, String)]) -> Page {
        let origin = self.site.origin.clone();
        self.send(Method::POST, path, &[("origin", &origin), ("sec-fetch-site", "same-origin")], Some(encode(fields))).await
    }

    pub async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)], form: Option<String>) -> Page {
        let mut request = Request::builder().method(method).uri(path).header(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8");
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if form.is_some() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let body = form.map_or_else(Body::empty, Body::from);
        let page = self.site.send(request.body(body).unwrap()).await;
        for cookie in page.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(key, _)| key != name);
            if !cookie.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        page
    }

    /// The same with a body that is no form.
    pub async fn send_body(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Page {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.site.send(request.header(COOKIE, cookies.join("; ")).body(Body::from(body)).unwrap()).await
    }

    /// Fills in the sign-in form at this path; the answer is the redirect.
    pub async fn sign_in(&mut self, path: &str) -> Page {
        let page = self.get(path).await;
        let form = with(page.form("/login"), &[("name", "ann"), ("password", PASSWORD)]);
        self.post("/login", &form).await
    }

    pub fn is_signed_in(&self) -> bool {
        self.cookies.iter().any(|(name, _)| matches!(name.as_str(), "__Host-falconer" | "falconer"))
    }
}

/// `/?target=...&description=...` with more behind.
pub fn request_for(target: &str, more: &str) -> String {
    let target: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
    format!("/?target={target}&description=Keeps+**notes**{more}")
}
