//! A provider inside of the test: every answer of it can be changed, and it holds the client to what it asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::Random as _;
use falconer_login::http::{HttpError, ProviderAnswer, ProviderHttp, ProviderRequest};
use falconer_login::mapping::Mapping;
use falconer_login::oidc::{ClaimNames, OidcProvider, OidcSettings};
use falconer_login::{Callback, ConfiguredProvider, Inbound, Login, LoginSettings, ProviderError, ProviderSignInError, SignInResult, Way};
use falconer_store::{IdentityRecord, Secret};
use serde_json::{Value, json};
use sha2::Digest as _;

use crate::common::{self, ADDRESS, Counting, START_MS, World, from};
use crate::signing::{Signer, public_keys, token};

pub const ISSUER: &str = "https://login.example.com";
pub const ISSUER_OF_OTHER: &str = "https://other.example.net";
pub const CLIENT_ID: &str = "falconer";
pub const CLIENT_SECRET: &str = "a secret: with/odd+characters";
pub const REFRESH_TOKEN: &str = "refresh-token";
pub const ACCESS_TOKEN: &str = "access-token";
pub const NOW: i64 = START_MS / 1000;

/// Where the browser is sent back to.
pub fn redirect_uri(name: &str) -> String {
    format!("https://auth.example.com/login/{name}/callback")
}

/// A sign-in that works, until something of it is changed.
#[derive(Clone)]
pub struct Case {
    /// The path of the callback: a provider's name.
    pub back_at: String,
    pub callback: Callback,
    pub cookies: Vec<String>,
    /// Cookie and state of a sign-in that somebody else has begun.
    pub of_somebody_else: (String, String),
    /// The same of this browser with the other provider.
    pub with_other: (String, String),
    pub discovery: Value,
    pub keys: Value,
    pub header: Value,
    pub claims: Value,
    pub signer: Signer,
    /// The whole ID token, where it is none that can be made of the above.
    pub id_token: Option<Value>,
    /// More members of the answer of the token endpoint; null takes one away.
    pub token_answer: Value,
    pub userinfo: Value,
    /// Answers by the end of the path.
    pub instead: HashMap<&'static str, Result<ProviderAnswer, HttpError>>,
    /// So much time passes before the browser is back.
    pub later_ms: i64,
    /// The callback comes twice.
    pub twice: bool,
}

impl Case {
    pub fn answer(&mut self, end: &'static str, answer: Result<ProviderAnswer, HttpError>) {
        self.instead.insert(end, answer);
    }

    /// Changes the first key, the one that signs.
    pub fn key(&mut self, name: &str, value: Value) {
        self.keys["keys"][0][name] = value;
    }

    /// Changes a claim, which null takes away.
    pub fn claim(&mut self, name: &str, value: Value) {
        self.claims[name] = value;
        if self.claims[name].is_null() {
            self.claims.as_object_mut().unwrap().remove(name);
        }
    }

    /// What the token endpoint answers.
    fn tokens(&self) -> Value {
        let mut answer = json!({"token_type": "Bearer", "access_token": ACCESS_TOKEN, "id_token": self.id_token()});
        for (name, value) in self.token_answer.as_object().unwrap() {
            answer[name] = value.clone();
        }
        answer
    }

    fn id_token(&self) -> Value {
        self.id_token.clone().unwrap_or_else(|| token(&self.header, &self.claims, &self.signer).into())
    }
}

/// What the provider answers next, and what it was asked.
#[derive(Default)]
pub struct Answers {
    case: Mutex<Option<Case>>,
    challenges: Mutex<HashMap<String, String>>,
    pub requests: Mutex<Vec<String>>,
}

pub fn json_answer(status: u16, body: &Value) -> Result<ProviderAnswer, HttpError> {
    bytes_answer(status, body.to_string().as_bytes())
}

pub fn bytes_answer(status: u16, body: &[u8]) -> Result<ProviderAnswer, HttpError> {
    Ok(ProviderAnswer { status, content_type: "application/json".into(), body: body.to_vec(), ..ProviderAnswer::default() })
}

#[async_trait]
impl ProviderHttp for Answers {
    async fn send(&self, request: ProviderRequest) -> Result<ProviderAnswer, HttpError> {
        let case = self.case.lock().unwrap().clone().expect("a case is set");
        self.requests.lock().unwrap().push(request.url.path().to_owned());
        let end = request.url.path().rsplit('/').next().unwrap().to_owned();
        if let Some(instead) = case.instead.get(end.as_str()) {
            return instead.clone();
        }
        match end.as_str() {
            "openid-configuration" => json_answer(
                200,
                &if request.url.as_str().starts_with(ISSUER_OF_OTHER) { discovery(ISSUER_OF_OTHER) } else { case.discovery.clone() },
            ),
            "keys" => json_answer(200, &case.keys),
            "userinfo" => {
                assert_eq!(request.authorization.unwrap().as_str(), format!("Bearer {ACCESS_TOKEN}"));
                json_answer(200, &case.userinfo)
            }
            "token" => {
                let form: HashMap<_, _> = request.form.unwrap().into_iter().collect();
                if form["grant_type"].as_str() == "refresh_token" {
                    assert_eq!((form["refresh_token"].as_str(), form.len()), (REFRESH_TOKEN, 2));
                    return json_answer(200, &case.tokens());
                }
                let verifier = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(form["code_verifier"].as_bytes()));
                let challenge = self.challenges.lock().unwrap().get(form["code"].as_str()).cloned();
                if challenge.as_ref() != Some(&verifier) || form["redirect_uri"].as_str() != redirect_uri("company") {
                    return json_answer(400, &json!({"error": "invalid_grant"}));
                }
                let proof = "Basic ZmFsY29uZXI6YSUyMHNlY3JldCUzQSUyMHdpdGglMkZvZGQlMkJjaGFyYWN0ZXJz";
                assert_eq!(request.authorization.unwrap().as_str(), proof);
                json_answer(200, &case.tokens())
            }
            other => panic!("nobody should ask for {other}"),
        }
    }
}

pub fn discovery(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize?tenant=1"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "response_types_supported": ["code", "code id_token"],
        "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "ES384", "EdDSA"],
    })
}

/// A node with the provider `company` and another one.
pub struct Company {
    pub world: World,
    pub answers: Arc<Answers>,
    starts: usize,
}

impl Company {
    pub async fn new() -> Company {
        Company::known_by("sub").await
    }

    /// The same where another claim than `sub` says who somebody is.
    pub async fn known_by(subject: &str) -> Company {
        let answers = Arc::new(Answers::default());
        let providers = Company::providers(&answers, subject);
        let world = World::with(LoginSettings { providers, ..common::settings() }).await;
        Company { world, answers, starts: 0 }
    }

    /// Starts again with another claim.
    pub fn start_again(&mut self, subject: &str) {
        let settings = LoginSettings { providers: Company::providers(&self.answers, subject), ..common::settings() };
        let random = Counting::default();
        self.starts += 1;
        // What was drawn before is not drawn again.
        random.fill(&mut vec![0; self.starts << 20]);
        let World { auth, store, clock, .. } = &self.world;
        self.world.login = Arc::new(Login::open(auth.clone(), store.clone(), settings, clock.clone(), Arc::new(random)).unwrap());
    }

    fn providers(answers: &Arc<Answers>, subject: &str) -> Vec<ConfiguredProvider> {
        let provider = |name: &str, issuer: &str| {
            let groups = ["https://example.com/claims".to_owned(), "groups".to_owned()];
            let settings = OidcSettings {
                issuer: issuer.to_owned(),
                client_id: CLIENT_ID.to_owned(),
                client_secret: Some(Secret::new(CLIENT_SECRET)),
                request_scopes: vec!["openid".into(), "email".into()],
                userinfo: true,
                auth_time: true,
                claims: ClaimNames { subject: subject.to_owned(), groups: groups.into(), ..ClaimNames::default() },
                parameters: Vec::new(),
            };
            let scopes = ["assume:mozilla-user:{email}".to_owned(), "assume:mozilla-group:{group}".to_owned()];
            ConfiguredProvider {
                name: name.to_owned(),
                label: name.to_owned(),
                mapping: Mapping::new(&scopes, [], None, true).unwrap(),
                kind: Arc::new(OidcProvider::new(settings, answers.clone()).unwrap()),
                refresh_ms: Some(falconer_auth::HOUR_MS),
            }
        };
        vec![provider("company", ISSUER), provider("other", ISSUER_OF_OTHER)]
    }

    /// Signs somebody in, with one thing changed: first the provider's answers, then what comes back.
    pub async fn sign_in(&self, change: fn(&mut Case)) -> Result<Inbound, ProviderSignInError> {
        let mut changed = blank();
        change(&mut changed);
        self.set(&changed);
        let (cookie, state, nonce) = self.leave("company", "code").await?;
        let mut case = blank();
        case.claim("nonce", nonce.into());
        case.callback = Callback { state: Some(state), code: Some("code".into()), issuer: Some(ISSUER.into()), error: None };
        case.cookies = vec![cookie];
        let (others_cookie, others_state, _) = self.leave("company", "code-of-somebody-else").await?;
        case.of_somebody_else = (others_cookie, others_state);
        let (with_other, state_with_other, _) = self.leave("other", "code-of-other").await?;
        case.with_other = (with_other, state_with_other);
        change(&mut case);
        self.finish(&case).await
    }

    /// From now on the provider answers so, without a nonce.
    pub fn change(&self, change: fn(&mut Case)) {
        let mut case = blank();
        change(&mut case);
        self.set(&case);
    }

    fn set(&self, case: &Case) {
        *self.answers.case.lock().unwrap() = Some(case.clone());
    }

    /// Begins a sign-in, for which the provider makes this code: cookie, state and nonce.
    async fn leave(&self, name: &str, code: &str) -> Result<(String, String, String), ProviderError> {
        let outbound = self.world.login.leave_for_provider(name, "/?a=b", &redirect_uri(name), Way::SignIn).await;
        let outbound = outbound.map_err(|error| match error {
            ProviderSignInError::Provider(error) => error,
            other => panic!("{other}"),
        })?;
        let query: HashMap<String, String> = outbound.url.query_pairs().into_owned().collect();
        assert_eq!((query["code_challenge_method"].as_str(), query["response_type"].as_str()), ("S256", "code"));
        assert_eq!((query["scope"].as_str(), query["redirect_uri"].as_str()), ("openid email", redirect_uri(name).as_str()));
        self.answers.challenges.lock().unwrap().insert(code.to_owned(), query["code_challenge"].clone());
        Ok((outbound.cookie_value.to_string(), query["state"].clone(), query["nonce"].clone()))
    }

    pub async fn finish(&self, case: &Case) -> Result<Inbound, ProviderSignInError> {
        self.world.clock.advance(case.later_ms);
        self.set(case);
        let back = || async {
            let cookies: Vec<&str> = case.cookies.iter().map(String::as_str).collect();
            let redirect_uri = redirect_uri(&case.back_at);
            let back =
                self.world.login.return_from_provider(&case.back_at, &cookies, &case.callback, &redirect_uri, None, &from(ADDRESS)).await;
            back.map(|arrival| match arrival {
                SignInResult::SignedIn(inbound) => *inbound,
                SignInResult::ToConfirm => panic!("nothing was to be linked"),
            })
        };
        if case.twice {
            back().await?;
            let known = self.world.auth.directory().identity("company/you").is_some();
            assert!(known);
            self.disable("company/you").await;
        }
        back().await
    }

    pub fn assert_nobody_is_known(&self, name: &str) {
        let directory = self.world.auth.directory();
        for identity in ["company/you", "other/you", "company/", "company/somebody"] {
            let active = directory.identity(identity).is_some_and(|person| !person.record.disabled);
            assert!(!active, "{name}: {identity} is known");
        }
    }

    pub async fn disable(&self, identity: &str) {
        let record = self.world.auth.directory().identity(identity).unwrap().record.clone();
        self.world.auth.put_identity("test", &IdentityRecord { disabled: true, ..record }).await.unwrap();
    }
}

fn blank() -> Case {
    Case {
        back_at: "company".into(),
        callback: Callback::default(),
        cookies: Vec::new(),
        of_somebody_else: Default::default(),
        with_other: Default::default(),
        discovery: discovery(ISSUER),
        keys: public_keys(),
        header: json!({"alg": "RS256", "kid": "rsa", "typ": "JWT"}),
        claims: json!({
            "iss": ISSUER,
            "sub": "you",
            "aud": CLIENT_ID,
            "exp": NOW + 300,
            "iat": NOW,
            "name": "You",
            "email": "you@example.com",
            "email_verified": true,
            "https://example.com/claims": {"groups": ["hr", "web"]},
        }),
        signer: Signer::Rs256,
        id_token: None,
        token_answer: json!({}),
        userinfo: json!({"sub": "you"}),
        instead: HashMap::new(),
        later_ms: 0,
        twice: false,
    }
}
