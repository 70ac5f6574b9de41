//! What an identity provider answers: whatever it is, nobody is signed in without a signature, nobody is sent to a place without TLS, and no scope is given that
//! the operator has not begun.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use falconer_login::http::{HttpError, ProviderAnswer, ProviderHttp, ProviderRequest};
use falconer_login::mapping::Mapping;
use falconer_login::oidc::{ClaimNames, OidcProvider, OidcSettings};
use falconer_login::{Answer, Attempt, Callback, IdentityProvider as _, ProviderError, Turn};
use falconer_scopes::is_valid_scope;
use serde_json::{Map, Value, json};

use super::{Outcome, magnitude, text};
use crate::site::NOW_MS;

const ISSUER: &str = "https://login.example.com";

/// What the provider answers to each question.
struct Answers {
    document: Vec<u8>,
    keys: Vec<u8>,
    token: Vec<u8>,
}

#[async_trait]
impl ProviderHttp for Answers {
    async fn send(&self, request: ProviderRequest) -> Result<ProviderAnswer, HttpError> {
        let body = match request.url.path() {
            "/keys" => &self.keys,
            "/token" => &self.token,
            _ => &self.document,
        };
        Ok(ProviderAnswer { status: 200, content_type: "application/json".to_owned(), body: body.clone(), ..ProviderAnswer::default() })
    }
}

impl Default for Answers {
    fn default() -> Self {
        let document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
            "jwks_uri": format!("{ISSUER}/keys"),
        });
        // The keys of examples in RFC 7515 and RFC 8037; the secrets are in there too, but no mutation signs anything with them.
        let keys = json!({"keys": [
            {"kty": "EC", "kid": "ec", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
            {"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        ]});
        let token = json!({"access_token": "a", "token_type": "Bearer", "id_token": "a.b.c"});
        Answers { document: document.to_string().into(), keys: keys.to_string().into(), token: token.to_string().into() }
    }
}

fn provider(answers: Answers) -> OidcProvider {
    let settings = OidcSettings {
        issuer: ISSUER.to_owned(),
        client_id: "falconer".to_owned(),
        client_secret: None,
        request_scopes: vec!["openid".to_owned()],
        userinfo: false,
        auth_time: true,
        claims: ClaimNames { groups: vec!["groups".to_owned()], ..ClaimNames::default() },
        parameters: Vec::new(),
    };
    match OidcProvider::new(settings, Arc::new(answers)) {
        Ok(provider) => provider,
        Err(error) => panic!("the settings of the target are wrong: {error}"),
    }
}

pub(super) fn attempt() -> Attempt {
    let text = || "n".repeat(43);
    Attempt {
        state: text(),
        nonce: text(),
        verifier: text(),
        redirect_uri: "https://auth.example.com/login/company/callback".to_owned(),
        reauthenticate: false,
    }
}

/// Everything that is waited for is there already.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("something is waited for that nobody brings"),
    }
}

/// Which error it is, without what it quotes.
pub(super) fn kind(error: &ProviderError) -> Outcome {
    assert!(error.to_string().len() <= 4096, "{} bytes for the log", error.to_string().len());
    format!("{error:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

fn nobody(answers: Answers) -> Outcome {
    let callback = Callback { code: Some("code".to_owned()), ..Callback::default() };
    match at_once(provider(answers).finish(Turn::default(), &attempt(), &Answer::Callback(callback), NOW_MS)) {
        Ok(found) => panic!("{} was signed in", found.attributes.subject),
        Err(error) => kind(&error),
    }
}

/// The discovery document: the browser goes nowhere without TLS.
pub(super) fn document(bytes: &[u8]) -> Outcome {
    let answers = Answers { document: bytes.to_vec(), ..Answers::default() };
    match at_once(provider(answers).begin(&attempt(), NOW_MS)) {
        Ok(url) => {
            assert!(url.scheme() == "https" && url.username().is_empty() && url.fragment().is_none(), "{url}");
            "there".to_owned()
        }
        Err(error) => kind(&error),
    }
}

/// The set of keys, for a token that none of them has signed.
pub(super) fn keys(bytes: &[u8]) -> Outcome {
    // {"alg":"ES256","kid":"ec"} and {"alg":"RS256"}
    let tokens = ["eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjIn0.e30.AAAA", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"];
    let outcomes = tokens.map(|token| {
        let token = json!({"id_token": token}).to_string().into();
        nobody(Answers { keys: bytes.to_vec(), token, ..Answers::default() })
    });
    outcomes.join(" ")
}

/// The ID token.
pub(super) fn id_token(bytes: &[u8]) -> Outcome {
    let token = json!({"access_token": "a", "id_token": text(bytes)}).to_string().into();
    nobody(Answers { token, ..Answers::default() })
}

/// The whole answer of the token endpoint.
pub(super) fn token_answer(bytes: &[u8]) -> Outcome {
    nobody(Answers { token: bytes.to_vec(), ..Answers::default() })
}

/// Claims that were proved: what they give begins as the operator wrote, and means itself alone.
pub(super) fn claims(bytes: &[u8]) -> Outcome {
    const BEGINNINGS: [&str; 5] = ["assume:login-identity:company/", "assume:everybody", "assume:user:", "assume:group:", "assume:team:"];
    let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(bytes) else { return "no claims".to_owned() };
    let templates = ["assume:user:{email}", "assume:group:{group}", "assume:user:{username}/{sub}"].map(str::to_owned);
    let prefixes = [("team_".to_owned(), "assume:team:{group}".to_owned())];
    let Ok(mapping) = Mapping::new(&templates, prefixes, None, true) else { panic!("the templates of the target are wrong") };
    match provider(Answers::default()).attributes(&claims) {
        Ok(person) => {
            let mapped = mapping.map("company", &person);
            for scope in &mapped.scopes {
                assert!(is_valid_scope(scope) && !scope.ends_with('*'), "{scope:?}");
                assert!(BEGINNINGS.iter().any(|beginning| scope.starts_with(beginning)), "{scope:?}");
            }
            assert!(mapped.identity.split('/').count() == 2, "{}", mapped.identity);
            format!("{} scopes, {} refused", magnitude(mapped.scopes.len()), magnitude(mapped.refused.len()))
        }
        Err(error) => kind(&error),
    }
}
