//! GitHub inside of the test: it holds the client to what the documentation of GitHub says, and tells errors as GitHub does.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use falconer_login::http::{AllowedAddresses, HttpError, ProviderAnswer, ProviderHttp, ProviderRequest};
use serde_json::{Value, json};
use sha2::Digest as _;
use url::Url;

pub const CLIENT_SECRET: &str = "a secret: with/odd+characters";
/// A code counts so long.
const CODE_MS: i64 = 10 * 60_000;
/// An access token that ends does so after eight hours.
pub const TOKEN_MS: i64 = 8 * 3_600_000;

pub type Answer = Result<ProviderAnswer, HttpError>;

/// One of the two GitHubs, as an application is registered there.
pub struct App {
    pub provider: &'static str,
    pub web: &'static str,
    pub api: &'static str,
    pub client_id: &'static str,
}

pub const APPS: [App; 2] = [
    App { provider: "github", web: "https://github.com/", api: "https://api.github.com/", client_id: "Iv1.falconer" },
    App {
        provider: "enterprise",
        web: "https://github.example.com/",
        api: "https://github.example.com/api/v3/",
        client_id: "Iv1.enterprise",
    },
];

impl App {
    pub fn named(provider: &str) -> &'static App {
        APPS.iter().find(|app| app.provider == provider).unwrap()
    }

    pub fn callback(&self) -> String {
        format!("https://auth.example.com/login/{}/callback", self.provider)
    }
}

/// What a person has allowed.
struct Code {
    client_id: &'static str,
    redirect_uri: String,
    challenge: String,
    scopes: String,
    ends_ms: i64,
}

#[derive(Clone)]
struct Token {
    client_id: &'static str,
    scopes: String,
    ends_ms: Option<i64>,
}

/// What is known of the one person, and what is done to the answers.
#[derive(Clone)]
pub struct Says {
    pub user: Value,
    pub emails: Value,
    pub orgs: Value,
    pub teams: Value,
    /// More members of the answer of the token endpoint; null takes one away.
    pub token: Value,
    /// Answers by path, such as `/user`, for every page of it.
    pub instead: HashMap<&'static str, Answer>,
    /// Entries of a page.
    pub page: usize,
    /// Headers of every answer of a list.
    pub headers: Vec<(&'static str, String)>,
    /// What the header `Link` names instead of the next page.
    pub next: Option<&'static str>,
    /// So long each answer of the API takes.
    pub answer_ms: u64,
    /// What is asked below this path of the API is never answered.
    pub hangs: Option<&'static str>,
    /// Access tokens end, and come with a refresh token.
    pub tokens_end: bool,
    /// There is nobody of this number any more.
    pub deleted: bool,
}

impl Says {
    pub fn answer(&mut self, path: &'static str, answer: Answer) {
        self.instead.insert(path, answer);
    }
}

#[derive(Default)]
struct State {
    says: Option<Says>,
    now_ms: i64,
    created: u32,
    codes: HashMap<String, Code>,
    tokens: HashMap<String, Token>,
    refresh_tokens: HashMap<String, Token>,
    requests: Vec<String>,
}

#[derive(Default)]
pub struct Emulator(Mutex<State>);

pub fn json_answer(status: u16, body: &Value) -> Answer {
    bytes_answer(status, body.to_string().as_bytes())
}

pub fn bytes_answer(status: u16, body: &[u8]) -> Answer {
    Ok(ProviderAnswer { status, content_type: "application/json".into(), body: body.to_vec(), ..ProviderAnswer::default() })
}

pub fn with_header(answer: Answer, name: &'static str, value: &str) -> Answer {
    answer.map(|answer| ProviderAnswer { headers: vec![(name, value.to_owned())], ..answer })
}

/// As GitHub tells that something is wrong with a request for a token.
fn token_error(error: &str) -> Answer {
    json_answer(200, &json!({"error": error, "error_description": "It is wrong.", "error_uri": "https://docs.github.com/x"}))
}

fn message(status: u16, message: &str) -> Answer {
    json_answer(status, &json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string()}))
}

impl Emulator {
    pub fn set(&self, says: &Says, now_ms: i64) {
        let mut state = self.0.lock().unwrap();
        (state.says, state.now_ms) = (Some(says.clone()), now_ms);
    }

    /// The paths that were asked for since the last time.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().requests)
    }

    /// The person takes back what they have allowed: no token counts any more.
    pub fn revoke_all(&self) {
        let mut state = self.0.lock().unwrap();
        state.tokens.clear();
        state.refresh_tokens.clear();
    }

    /// `GET /login/oauth/authorize`, and the person says yes: the code and the state that the browser takes back.
    pub fn authorize(&self, url: &Url) -> (String, String) {
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let app = APPS.iter().find(|app| url.as_str().starts_with(app.web)).unwrap();
        assert_eq!(url.path(), "/login/oauth/authorize");
        assert_eq!(query["client_id"], app.client_id);
        assert_eq!(query["redirect_uri"], app.callback());
        assert_eq!((query["code_challenge_method"].as_str(), query["code_challenge"].len()), ("S256", 43));
        assert_eq!(query.len(), 6, "{query:?}");
        let mut state = self.0.lock().unwrap();
        state.created += 1;
        let code = format!("code-{}", state.created);
        let kept = Code {
            client_id: app.client_id,
            redirect_uri: query["redirect_uri"].clone(),
            challenge: query["code_challenge"].clone(),
            scopes: query["scope"].clone(),
            ends_ms: state.now_ms + CODE_MS,
        };
        state.codes.insert(code.clone(), kept);
        (code, query["state"].clone())
    }
}

impl State {
    fn token(&mut self, app: &'static App, request: ProviderRequest) -> Answer {
        let form: HashMap<_, _> = request.form.expect("tokens are asked for with a POST").into_iter().collect();
        assert!(request.authorization.is_none() && request.key.is_none());
        let field = |name: &str| form.get(name).map(|value| value.as_str());
        if field("client_id") != Some(app.client_id) || field("client_secret") != Some(CLIENT_SECRET) {
            return token_error("incorrect_client_credentials");
        }
        if field("grant_type") == Some("refresh_token") {
            let Some(token) = self.refresh_tokens.remove(field("refresh_token").unwrap_or_default()) else {
                return token_error("bad_refresh_token");
            };
            return if token.client_id == app.client_id { self.tokens(token.scopes, app) } else { token_error("bad_refresh_token") };
        }
        let Some(code) = self.codes.remove(field("code").unwrap_or_default()) else { return token_error("bad_verification_code") };
        if code.client_id != app.client_id || self.now_ms >= code.ends_ms {
            return token_error("bad_verification_code");
        }
        if field("redirect_uri") != Some(&code.redirect_uri) {
            return token_error("redirect_uri_mismatch");
        }
        let challenge = field("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier.as_bytes())));
        if challenge.as_ref() != Some(&code.challenge) {
            return token_error("bad_verification_code");
        }
        self.tokens(code.scopes, app)
    }

    fn tokens(&mut self, scopes: String, app: &'static App) -> Answer {
        self.created += 1;
        let says = self.says.as_ref().unwrap();
        let ends_ms = says.tokens_end.then_some(self.now_ms + TOKEN_MS);
        let (access, refresh) = (format!("gho_{}", self.created), format!("ghr_{}", self.created));
        let mut answer = json!({"access_token": access, "token_type": "bearer", "scope": scopes.replace(' ', ",")});
        if says.tokens_end {
            answer["expires_in"] = json!(TOKEN_MS / 1000);
            answer["refresh_token"] = json!(refresh);
            answer["refresh_token_expires_in"] = json!(15_897_600);
            self.refresh_tokens.insert(refresh, Token { client_id: app.client_id, scopes: scopes.clone(), ends_ms: None });
        }
        for (name, value) in says.token.as_object().unwrap() {
            answer[name] = value.clone();
        }
        self.tokens.insert(access, Token { client_id: app.client_id, scopes, ends_ms });
        json_answer(200, &answer)
    }

    fn api(&self, app: &'static App, path: &str, request: &ProviderRequest) -> Answer {
        assert!(request.form.is_none() && request.key.is_none());
        let says = self.says.as_ref().unwrap();
        let authorization = request.authorization.as_ref().expect("the API is asked in somebody's name").as_str();
        if let Some(id) = path.strip_prefix("/user/").filter(|id| id.bytes().all(|byte| byte.is_ascii_digit())) {
            let client = STANDARD.encode(format!("{}:{CLIENT_SECRET}", app.client_id));
            assert_eq!(authorization, format!("Basic {client}"));
            return match says.user["id"].as_u64() == id.parse().ok() && !says.deleted {
                true => json_answer(200, &says.user),
                false => message(404, "Not Found"),
            };
        }
        let token = authorization.strip_prefix("Bearer ").and_then(|token| self.tokens.get(token));
        let counts = |token: &&Token| token.client_id == app.client_id && token.ends_ms.is_none_or(|ends_ms| self.now_ms < ends_ms);
        let Some(token) = token.filter(counts) else { return message(401, "Bad credentials") };
        let may = |scope: &str| token.scopes.split(' ').any(|granted| granted == scope);
        match path {
            "/user" => json_answer(200, &says.user),
            "/user/emails" if may("user:email") => self.list(path, &says.emails, request),
            "/user/orgs" if may("read:org") => self.list(path, &says.orgs, request),
            "/user/teams" if may("read:org") => self.list(path, &says.teams, request),
            _ => message(404, "Not Found"),
        }
    }

    /// A page, and where the next one is.
    fn list(&self, path: &str, list: &Value, request: &ProviderRequest) -> Answer {
        let says = self.says.as_ref().unwrap();
        let Some(entries) = list.as_array() else { return json_answer(200, list) };
        let query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        assert_eq!(query["per_page"], "100");
        let page: usize = query.get("page").map_or(1, |page| page.parse().unwrap());
        let part: Vec<&Value> = entries.iter().skip((page - 1) * says.page).take(says.page).collect();
        let mut headers = says.headers.clone();
        if let Some(next) = says.next {
            headers.push(("link", format!("<{next}>; rel=\"next\"")));
        } else if entries.len() > page * says.page {
            let origin = request.url.origin().ascii_serialization();
            let path = request.url.path();
            let url = |page: usize| format!("{origin}{path}?per_page=100&page={page}");
            headers.push(("link", format!("<{}>; rel=\"next\", <{}>; rel=\"last\"", url(page + 1), url(99))));
        }
        assert!(!path.is_empty());
        json_answer(200, &json!(part)).map(|answer| ProviderAnswer { headers, ..answer })
    }
}

#[async_trait]
impl ProviderHttp for Emulator {
    async fn send(&self, request: ProviderRequest) -> Answer {
        let answer_ms = self.0.lock().unwrap().says.as_ref().unwrap().answer_ms;
        if answer_ms > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(answer_ms)).await;
        }
        let hangs = self.0.lock().unwrap().says.as_ref().unwrap().hangs;
        if hangs.is_some_and(|path| request.url.path().starts_with(path)) {
            std::future::pending::<()>().await;
        }
        let mut state = self.0.lock().unwrap();
        let url = request.url.to_string();
        let app =
            APPS.iter().find(|app| url.starts_with(app.web) || url.starts_with(app.api)).unwrap_or_else(|| panic!("nobody asks {url}"));
        assert_eq!(request.allowed_addresses, if app.provider == "github" { AllowedAddresses::Public } else { AllowedAddresses::Own });
        let api = request.url.path().strip_prefix("/api/v3").or_else(|| url.starts_with(app.api).then(|| request.url.path()));
        let path = api.unwrap_or_else(|| request.url.path()).to_owned();
        state.requests.push(path.clone());
        if let Some(instead) = state.says.as_ref().unwrap().instead.get(path.as_str()) {
            return instead.clone();
        }
        match (api.is_some(), path.as_str()) {
            (true, path) => state.api(app, path, &request),
            (false, "/login/oauth/access_token") => state.token(app, request),
            (false, other) => panic!("nobody should ask for {other}"),
        }
    }
}
