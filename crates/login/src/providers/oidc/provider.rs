//! The flow with one provider.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::claims;
use super::discovery::Discovery;
use super::id_token::{Expected, UnverifiedToken, authenticated_ms};
use super::known::{Known, ask};
use super::settings::{ClaimNames, Issuer, OidcSettings, SettingsError};
use crate::fingerprint::pkce_challenge;
use crate::providers::error::{ProviderError, short};
use crate::providers::http::{ProviderHttp, ProviderRequest};
use crate::providers::oauth_error::{TOKEN_ENDPOINT, of_callback, of_token_endpoint};
use crate::providers::provider::{
    Answer, Attempt, Attributes, Found, IdentityProvider, Keeper, Known as KnownPerson, Refreshed, SignInStart, Turn,
};

/// Sign-ins that wait for the provider at once; a provider that hangs holds no more of this node.
const AT_ONCE: usize = 64;

/// One OpenID provider.
pub struct OidcProvider {
    settings: OidcSettings,
    issuer: Issuer,
    http: Arc<dyn ProviderHttp>,
    known: Known,
    places: Semaphore,
}

/// The answer of the token endpoint, as far as it is used.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct Tokens {
    id_token: Option<String>,
    access_token: Option<String>,
    token_type: Option<String>,
    refresh_token: Option<String>,
}

/// What it says instead.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl OidcProvider {
    /// Checks the settings; asks nobody yet.
    pub fn new(settings: OidcSettings, http: Arc<dyn ProviderHttp>) -> Result<OidcProvider, SettingsError> {
        settings.check()?;
        let issuer = Issuer::parse(&settings.issuer)?;
        Ok(OidcProvider { settings, issuer, http, known: Known::default(), places: Semaphore::new(AT_ONCE) })
    }

    fn place(&self) -> Result<SemaphorePermit<'_>, ProviderError> {
        self.places.try_acquire().map_err(|_| ProviderError::Busy)
    }

    async fn discovery(&self, now_ms: i64) -> Result<Arc<Discovery>, ProviderError> {
        self.known.discovery(self.http.as_ref(), &self.issuer, now_ms).await
    }

    /// The code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
    async fn exchange(&self, discovery: &Discovery, attempt: &Attempt, code: &str) -> Result<Tokens, ProviderError> {
        let form = vec![
            ("grant_type", Zeroizing::new("authorization_code".to_owned())),
            ("code", Zeroizing::new(code.to_owned())),
            ("redirect_uri", Zeroizing::new(attempt.redirect_uri.clone())),
            ("code_verifier", Zeroizing::new(attempt.verifier.clone())),
        ];
        self.ask_for_tokens(discovery, form).await
    }

    /// Asks the token endpoint, as the client that this server is there.
    async fn ask_for_tokens(
        &self,
        discovery: &Discovery,
        mut form: Vec<(&'static str, Zeroizing<String>)>,
    ) -> Result<Tokens, ProviderError> {
        let what = TOKEN_ENDPOINT;
        let mut authorization = None;
        match &self.settings.client_secret {
            Some(secret) if discovery.secret_in_header => authorization = Some(basic(&self.settings.client_id, secret.expose())),
            Some(secret) => {
                form.push(("client_id", Zeroizing::new(self.settings.client_id.clone())));
                form.push(("client_secret", Zeroizing::new(secret.expose().to_owned())));
            }
            None => form.push(("client_id", Zeroizing::new(self.settings.client_id.clone()))),
        }
        let url = discovery.token.clone();
        let allowed_addresses = self.issuer.allowed_addresses(&url);
        let request = ProviderRequest { authorization, form: Some(form), ..ProviderRequest::new(url, allowed_addresses) };
        let answer = self.http.send(request).await.map_err(|error| ProviderError::Http { what, error })?;
        let body = Zeroizing::new(answer.body);
        if answer.status != 200 {
            let said = serde_json::from_slice::<Refusal>(&body).ok().filter(|_| answer.status < 500);
            return Err(said.map_or(ProviderError::Status { what, status: answer.status }, |said| of_token_endpoint(&said.error)));
        }
        let tokens: Tokens = serde_json::from_slice(&body)
            // The library's own words may quote what was read.
            .map_err(|_| ProviderError::Malformed {
                what: "answer of the token endpoint",
                why: "it is not the JSON that it has to be".to_owned(),
            })?;
        match &tokens.token_type {
            Some(kind) if !kind.eq_ignore_ascii_case("Bearer") => Err(ProviderError::TokenType(short(kind))),
            _ => Ok(tokens),
        }
    }

    /// The claims of the ID token. `nonce`: that of the sign-in that it was made for.
    async fn prove(
        &self,
        discovery: &Discovery,
        nonce: Option<&str>,
        tokens: &Tokens,
        now_ms: i64,
    ) -> Result<Map<String, Value>, ProviderError> {
        let token = tokens.id_token.as_ref().ok_or(ProviderError::NoIdToken)?;
        let expected = Expected {
            issuer: &self.issuer.text,
            client_id: &self.settings.client_id,
            nonce,
            access_token: tokens.access_token.as_deref(),
            algorithms: discovery.algorithms.as_deref(),
        };
        let unproved = UnverifiedToken::read(token, &expected)?;
        let http = self.http.as_ref();
        let keys = self.known.keys(http, &self.issuer, &discovery.keys, now_ms).await?;
        match unproved.prove(&keys, &expected, now_ms) {
            Err(error) if error.calls_for_newer_keys() => {
                let keys = self.known.newer_keys(http, &self.issuer, &discovery.keys, now_ms).await?;
                unproved.prove(&keys, &expected, now_ms)
            }
            outcome => outcome,
        }
    }

    /// What the userinfo endpoint says beyond the ID token. It speaks of the same person, or of nobody (OpenID Connect Core 5.3.2).
    async fn add_userinfo(&self, discovery: &Discovery, tokens: &Tokens, claims: &mut Map<String, Value>) -> Result<(), ProviderError> {
        let what = "userinfo endpoint";
        let url = discovery.userinfo.clone().ok_or(ProviderError::Unsupported("userinfo endpoint"))?;
        let token = tokens.access_token.as_ref().ok_or(ProviderError::Unsupported("access token"))?;
        let authorization = Zeroizing::new(format!("Bearer {token}"));
        let answer = ask(self.http.as_ref(), what, &self.issuer, url, Some(authorization)).await?;
        let more: Map<String, Value> = serde_json::from_slice(&answer.body)
            .map_err(|_| ProviderError::Malformed { what: "answer of the userinfo endpoint", why: "it is no JSON object".to_owned() })?;
        if more.get("sub").is_none() || more.get("sub") != claims.get("sub") {
            return Err(ProviderError::OtherPerson);
        }
        // Who somebody is says the signed token alone; and whoever says it twice has to say it the same.
        let subject = self.settings.claims.subject.as_str();
        if !claims.contains_key(subject) {
            return Err(ProviderError::SubjectClaim(short(subject)));
        }
        if more.get(subject).is_some_and(|said| claims.get(subject) != Some(said)) {
            return Err(ProviderError::OtherPerson);
        }
        // An address and whether it is verified are one statement: neither is completed by the other endpoint.
        let address = ["email", "email_verified"];
        let has_address = address.iter().any(|name| claims.contains_key(*name));
        for (name, value) in more {
            let belongs_to_address = has_address && address.contains(&name.as_str());
            if !claims.contains_key(&name) && !belongs_to_address {
                claims.insert(name, value);
            }
        }
        Ok(())
    }

    /// New tokens say who it is now (OpenID Connect Core 1.0 section 12). An answer without an ID token says too little: the groups of many providers are nowhere
    /// else, and somebody would lose them.
    async fn ask_again(&self, known: &KnownPerson<'_>, handle: &str, keeper: &dyn Keeper, now_ms: i64) -> Result<Refreshed, ProviderError> {
        let discovery = self.discovery(now_ms).await?;
        let form = vec![("grant_type", Zeroizing::new("refresh_token".to_owned())), ("refresh_token", Zeroizing::new(handle.to_owned()))];
        let tokens = match self.ask_for_tokens(&discovery, form).await {
            Err(ProviderError::Said(said)) if said == "invalid_grant" => return Ok(Refreshed::Refused),
            tokens => tokens?,
        };
        // First: many providers take a refresh token once, and the keys or the userinfo endpoint may be away.
        if let Some(renewed) = tokens.refresh_token.as_deref().filter(|renewed| *renewed != handle) {
            keeper.keep(&Zeroizing::new(renewed.to_owned())).await?;
        }
        let mut claims = self.prove(&discovery, None, &tokens, now_ms).await?;
        if self.settings.userinfo {
            self.add_userinfo(&discovery, &tokens, &mut claims).await?;
        }
        let attributes = self.attributes(&claims)?;
        if attributes.subject != known.subject {
            return Err(ProviderError::OtherPerson);
        }
        // A provider that gives no new one lets the old one be used again (RFC 6749 section 6).
        let handle = tokens.refresh_token.as_deref().unwrap_or(handle);
        Ok(Refreshed::Still(Found { attributes, handle: Some(Zeroizing::new(handle.to_owned())), proved_ms: None }))
    }
}

#[async_trait]
impl IdentityProvider for OidcProvider {
    fn sign_in_start(&self) -> SignInStart {
        SignInStart::Away
    }

    fn known_by(&self) -> String {
        format!("oidc {}", self.settings.claims.subject)
    }

    fn known_by_before(&self) -> String {
        format!("oidc {}", ClaimNames::default().subject)
    }

    async fn begin(&self, attempt: &Attempt, now_ms: i64) -> Result<Url, ProviderError> {
        let _place = self.place()?;
        let discovery = self.discovery(now_ms).await?;
        let mut url = discovery.authorization.clone();
        let challenge = pkce_challenge(&attempt.verifier);
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &attempt.redirect_uri)
            .append_pair("scope", &self.settings.request_scopes.join(" "))
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        for (name, value) in self.settings.more_parameters(attempt.reauthenticate) {
            url.query_pairs_mut().append_pair(name, value);
        }
        Ok(url)
    }

    async fn finish(&self, _: Turn, attempt: &Attempt, answer: &Answer, now_ms: i64) -> Result<Found, ProviderError> {
        let callback = answer.callback()?;
        let _place = self.place()?;
        let discovery = self.discovery(now_ms).await?;
        // First: what a stranger's provider says through this callback is nothing to go on with.
        match &callback.issuer {
            Some(issuer) if *issuer != self.issuer.text => return Err(ProviderError::ForeignCallback(short(issuer))),
            None if discovery.names_itself => return Err(ProviderError::AnonymousCallback),
            _ => {}
        }
        if let Some(error) = &callback.error {
            return Err(of_callback(error));
        }
        let code = callback.code.as_ref().filter(|code| !code.is_empty()).ok_or(ProviderError::NoCode)?;
        let tokens = self.exchange(&discovery, attempt, code).await?;
        let mut claims = self.prove(&discovery, Some(&attempt.nonce), &tokens, now_ms).await?;
        // Of the ID token alone: it is what was signed for this sign-in.
        let proved_ms = if self.settings.auth_time { authenticated_ms(&claims, now_ms)? } else { Some(now_ms) };
        if self.settings.userinfo {
            self.add_userinfo(&discovery, &tokens, &mut claims).await?;
        }
        let attributes = self.attributes(&claims)?;
        Ok(Found { attributes, handle: tokens.refresh_token.as_deref().map(|token| Zeroizing::new(token.to_owned())), proved_ms })
    }

    async fn refresh(&self, known: &KnownPerson<'_>, keeper: &dyn Keeper, now_ms: i64) -> Result<Refreshed, ProviderError> {
        let Some(handle) = known.handle else { return Ok(Refreshed::CannotBeAsked) };
        let _place = self.place()?;
        self.ask_again(known, handle, keeper, now_ms).await
    }

    async fn probe(&self, now_ms: i64) -> Result<Vec<(&'static str, String)>, ProviderError> {
        let discovery = self.discovery(now_ms).await?;
        let keys = self.known.keys(self.http.as_ref(), &self.issuer, &discovery.keys, now_ms).await?;
        if keys.len() == 0 {
            return Err(ProviderError::Unsupported("key that a signature could be verified with"));
        }
        if self.settings.userinfo && discovery.userinfo.is_none() {
            return Err(ProviderError::Unsupported("userinfo endpoint"));
        }
        let signs = discovery.algorithms.as_ref().map_or_else(|| "not said".to_owned(), |names| short(&names.join(", ")));
        Ok(vec![
            ("issuer", self.issuer.text.clone()),
            ("people go to", discovery.authorization.to_string()),
            ("keys", keys.len().to_string()),
            ("signs with", signs),
            ("names itself in callbacks", if discovery.names_itself { "yes" } else { "no" }.to_owned()),
        ])
    }

    fn attributes(&self, claims: &Map<String, Value>) -> Result<Attributes, ProviderError> {
        claims::attributes(claims, &self.settings.claims)
    }
}

/// RFC 6749 section 2.3.1: both are form-encoded first.
fn basic(client_id: &str, secret: &str) -> Zeroizing<String> {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pair = Zeroizing::new(format!("{}:{}", encoded(client_id), encoded(secret)));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}
