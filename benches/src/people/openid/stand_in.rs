//! A provider that is fast enough not to be what is measured: it knows everybody, and signs real ID tokens. What the browser would do at it takes no request.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::clock;
use crate::requests::browser::unquery;

const SECRET: &str = "only-for-this-measurement";

/// It ends when dropped.
pub(super) struct StandIn {
    state: Arc<State>,
    _runtime: tokio::runtime::Runtime,
}

struct State {
    issuer: String,
    key: EcdsaKeyPair,
    random: SystemRandom,
    codes: Mutex<HashMap<String, AuthorizationRequest>>,
}

/// What a code stands for.
struct AuthorizationRequest {
    person: usize,
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

impl StandIn {
    /// On a free port, with a new key.
    pub(super) fn start() -> Result<StandIn> {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).map_err(|error| anyhow!("no key: {error}"))?;
        let key = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).map_err(|error| anyhow!("no key: {error}"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(State { issuer, key, random, codes: Mutex::default() });
        let shared = Arc::clone(&state);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                let service = service_fn(move |request| answer(Arc::clone(&state), request));
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(StandIn { state, _runtime: runtime })
    }

    /// The section of a configuration.
    pub(super) fn section(&self) -> String {
        format!(
            "[[provider]]\nkind = \"oidc\"\nname = \"company\"\nlabel = \"Company\"\nissuer = \"{}\"\nclient_id = \"falconer\"\n\
             client_secret = \"{SECRET}\"\ngroups_claim = \"groups\"\nauthoritative_email = true\n\
             scopes = [\"assume:company-user:{{email}}\", \"assume:company-group:{{group}}\"]\n",
            self.state.issuer
        )
    }

    /// Lets somebody in who was sent to this address of it: where they go then.
    pub(super) fn lets_in(&self, away: &str, person: usize) -> Result<String> {
        let query = away.strip_prefix(&self.state.issuer).and_then(|rest| rest.strip_prefix("/authorize?"));
        let fields = unquery(query.with_context(|| format!("sent to {away}"))?)?;
        let value = |key: &str| {
            let found = fields.iter().find(|(name, _)| name == key);
            found.map(|(_, value)| value.clone()).with_context(|| format!("no {key} in {away}"))
        };
        if value("code_challenge_method")? != "S256" || value("client_id")? != "falconer" {
            bail!("sent to {away}");
        }
        let (state, redirect_uri) = (value("state")?, value("redirect_uri")?);
        let code = format!("{:032x}", fastrand::u128(..));
        let sign_in = AuthorizationRequest {
            person,
            nonce: value("nonce")?,
            challenge: value("code_challenge")?,
            redirect_uri: redirect_uri.clone(),
        };
        self.state.codes.lock().unwrap_or_else(PoisonError::into_inner).insert(code.clone(), sign_in);
        Ok(format!("{redirect_uri}?code={code}&state={state}"))
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let said = match request.uri().path() {
        "/.well-known/openid-configuration" => Ok(state.about()),
        "/keys" => Ok(state.keys()),
        "/token" => match request.into_body().collect().await {
            Ok(body) => state.tokens(&body.to_bytes()),
            Err(error) => Err(anyhow!("{error}")),
        },
        path => Err(anyhow!("{path}")),
    };
    let (status, body) = match said {
        Ok(body) => (200, body),
        Err(error) => (400, json!({ "error": "invalid_request", "error_description": error.to_string() })),
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    Ok(response)
}

impl State {
    fn about(&self) -> Value {
        let at = |path: &str| format!("{}/{path}", self.issuer);
        json!({
            "issuer": self.issuer, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"), "jwks_uri": at("keys"),
            "response_types_supported": ["code"], "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"], "token_endpoint_auth_methods_supported": ["client_secret_post"],
        })
    }

    fn keys(&self) -> Value {
        // A point of the curve: 4, then both coordinates.
        let point = self.key.public_key().as_ref();
        let coordinate = |range| BASE64.encode(point.get::<std::ops::Range<usize>>(range).unwrap_or_default());
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": coordinate(1..33), "y": coordinate(33..65) }] })
    }

    /// For a code that was given for this verifier, once.
    fn tokens(&self, form: &[u8]) -> Result<Value> {
        let fields = unquery(std::str::from_utf8(form)?)?;
        let value = |key: &str| fields.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str()).unwrap_or_default();
        let sign_in = self.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(value("code")).context("no such code")?;
        let challenge = BASE64.encode(digest(&SHA256, value("code_verifier").as_bytes()));
        if challenge != sign_in.challenge || value("redirect_uri") != sign_in.redirect_uri || value("client_secret") != SECRET {
            bail!("the code was given to somebody else");
        }
        let (now, person) = (clock::now_ms()? / 1000, sign_in.person);
        let claims = json!({
            "iss": self.issuer, "sub": format!("person-{person}"), "aud": "falconer", "iat": now, "exp": now + 300, "auth_time": now, "nonce": sign_in.nonce,
            "name": format!("Person Number {person}"), "preferred_username": format!("person{person}"),
            "email": format!("person{person}@example.com"), "email_verified": true, "groups": ["engineering", "releases", "people"],
        });
        let header = json!({ "alg": "ES256", "kid": "1", "typ": "JWT" });
        let signed = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = self.key.sign(&self.random, signed.as_bytes()).map_err(|error| anyhow!("not signed: {error}"))?;
        Ok(
            json!({ "token_type": "Bearer", "access_token": "nothing", "expires_in": 300, "id_token": format!("{signed}.{}", BASE64.encode(signature)) }),
        )
    }
}
