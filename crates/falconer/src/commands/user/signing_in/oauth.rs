//! What Falconer's own command asks a server behind the page, as the application that it is there.

use std::time::Duration;

use anyhow::{Context as _, Result};
use falconer_client::{Client, Credentials, Error, Exchange, HeaderMap, HeaderValue, Method, Retry};
use falconer_credentials::authority;
use falconer_grants::{COMMAND_LINE, CommandLine};
use falconer_wire::GrantCredentials;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::output::WrongUse;

/// No answer of these is larger.
const LARGEST_BYTES: usize = 1024 * 1024;

/// A server, called without credentials.
pub struct OAuthServer {
    client: Client,
}

/// What the token endpoint gives: secrets, so no `Debug`.
#[derive(Deserialize)]
pub struct Tokens {
    /// What services and Falconer take.
    pub access_token: String,
    /// What gives others, once.
    #[serde(default)]
    pub refresh_token: Option<String>,
}

/// A pair of codes for a device: secrets, so no `Debug`.
#[derive(Deserialize)]
pub struct DeviceCodes {
    /// For this program alone.
    pub device_code: String,
    /// For the person.
    pub user_code: String,
    /// The page where it is typed.
    pub verification_uri: String,
    /// The same with the code in it.
    #[serde(default)]
    pub verification_uri_complete: Option<String>,
    /// How long both live, in seconds.
    pub expires_in: u64,
    /// How long to wait between two polls, in seconds.
    #[serde(default)]
    pub interval: Option<u64>,
}

/// An endpoint did not give what was asked for.
pub struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure(error)
    }
}

impl Failure {
    /// The code of RFC 6749 section 5.2, such as `invalid_grant`.
    pub fn code(&self) -> Option<&str> {
        self.text("error")
    }

    /// Whether it is certain that nothing was done: the server said no, or not now, or was not reached.
    pub fn is_not_done(&self) -> bool {
        self.0.was_not_sent() || self.is_for_now() || self.0.status().is_some_and(|status| status < 500)
    }

    /// Whether the server can't at this moment, and says that what it was sent is as it was.
    pub fn is_for_now(&self) -> bool {
        self.code() == Some("temporarily_unavailable")
    }

    /// As an error, with what was not done, and the server's own words where it has some.
    pub fn into_error(self, what: &str) -> anyhow::Error {
        match (self.code(), self.text("error_description")) {
            (None, _) => anyhow::Error::from(self.0).context(what.to_owned()),
            (Some(code), words) => anyhow::anyhow!("{what}: {}", words.unwrap_or(code)),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        let Error::Api { body, .. } = &self.0 else { return None };
        body.get(name).and_then(Value::as_str)
    }
}

impl OAuthServer {
    /// At this root URL. Nothing is sent a second time that may have arrived, and nothing at all in the clear to another machine: codes, their verifiers and tokens
    /// are worth something to whoever reads them, other than a signature.
    pub fn at(root_url: &str) -> Result<OAuthServer> {
        check_secret(root_url)?;
        let once = Retry { tries: 1, timeout: Duration::from_secs(20), ..Retry::default() };
        Ok(OAuthServer { client: Client::new(root_url)?.with_retry(once) })
    }

    /// The server's root URL, which is what it has to call itself too.
    pub fn root_url(&self) -> &str {
        self.client.root_url()
    }

    /// How the command line may sign in there. A server that says nothing of it may still have the page that every site uses, and so may one that calls itself
    /// otherwise than it is called here (RFC 8414 section 3.3).
    pub async fn command_line(&self) -> Result<CommandLine> {
        let address = format!("{}/.well-known/oauth-authorization-server", self.root_url());
        let bytes = match self.client.fetch(&Method::GET, &address, None).await {
            Ok(bytes) => bytes,
            Err(Error::Api { .. }) => return Ok(CommandLine::Off),
            Err(error) => return Err(error.into()),
        };
        let metadata: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let text = |name: &str| metadata.get(name).and_then(Value::as_str);
        if text("issuer") != Some(self.root_url()) {
            return Ok(CommandLine::Off);
        }
        let said = text("falconer_command_line");
        Ok(CommandLine::ALL.into_iter().find(|way| said == Some(way.as_str())).unwrap_or(CommandLine::Off))
    }

    /// Has a request for the page checked before anybody opens it. The reference that comes back is used for nothing: it lives for a minute, and the address may be
    /// copied to another machine.
    pub async fn check(&self, parameters: &[(&str, String)]) -> Result<(), Failure> {
        self.ask::<Value>("par", parameters).await.map(drop)
    }

    /// A code for tokens.
    pub async fn redeem(&self, code: &str, redirect_uri: &str, verifier: &str) -> Result<Tokens, Failure> {
        let own = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri), ("code_verifier", verifier)];
        self.ask("token", &own.map(|(name, value)| (name, value.to_owned()))).await
    }

    /// A refresh token for others, where `resource` is given for this service only.
    pub async fn refresh(&self, refresh_token: &str, resource: Option<&str>) -> Result<Tokens, Failure> {
        let mut own = vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh_token.to_owned())];
        own.extend(resource.map(|resource| ("resource", resource.to_owned())));
        self.ask("token", &own).await
    }

    /// A pair of codes for a device, which proposes a name for the grant. Servers that do not know of the name pass over it.
    pub async fn device(&self, scope: Option<String>, device_name: Option<String>) -> Result<DeviceCodes, Failure> {
        let named = [("scope", scope), ("device_name", device_name)];
        let given: Vec<_> = named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.ask("device_authorization", &given).await
    }

    /// Comes for what a person has granted to a device.
    pub async fn poll(&self, device_code: &str) -> Result<Tokens, Failure> {
        let own = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", device_code)];
        self.ask("token", &own.map(|(name, value)| (name, value.to_owned()))).await
    }

    /// The Hawk credentials of the grant behind an access token.
    pub async fn credentials(&self, access_token: &str) -> Result<GrantCredentials> {
        #[derive(Deserialize)]
        struct Found {
            credentials: GrantCredentials,
        }
        let mut headers = HeaderMap::new();
        headers.insert("authorization", bearer(access_token)?);
        let url = format!("{}/login/oauth/credentials", self.root_url());
        let answer = self.client.exchange(&Exchange { method: Method::GET, url, headers, body: None }).await?;
        let found: Option<Found> = serde_json::from_slice(&answer.whole(LARGEST_BYTES).await?).ok();
        let found = found.map(|found| found.credentials).filter(are_credentials);
        let listed = || format!("the server gave no credentials for what was granted, which is listed at {}/me/grants", self.root_url());
        found.with_context(listed)
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, endpoint: &str, parameters: &[(&str, String)]) -> Result<T, Failure> {
        let url = format!("{}/login/oauth/{endpoint}", self.root_url());
        let named = [("client_id", COMMAND_LINE.to_owned())];
        let all: serde_json::Map<String, Value> =
            named.iter().chain(parameters).map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let bytes = self.client.fetch(&Method::POST, &url, Some(Value::Object(all).to_string().as_bytes())).await?;
        // What the reader says of a wrong answer could repeat a token.
        let unreadable = || Error::Answer { host: self.root_url().to_owned(), detail: format!("it is none of {endpoint}"), source: None };
        serde_json::from_slice(&bytes).map_err(|_| Failure(unreadable()))
    }
}

/// No server of the protocol has its own address there (`root_url` of the configuration), so this is a mistake, or somebody who listens.
fn check_secret(root_url: &str) -> Result<()> {
    let url = url::Url::parse(root_url).ok().filter(|url| url.scheme() == "http");
    match url.as_ref().and_then(url::Url::host_str).filter(|host| !authority::is_loopback(host)) {
        None => Ok(()),
        Some(_) => Err(WrongUse(format!("what {root_url} is sent and gives would travel in the clear: use https")).into()),
    }
}

/// Whether these are of the shape that credentials have. What is kept is read by each command that follows, and shown.
pub fn are_credentials(found: &GrantCredentials) -> bool {
    let GrantCredentials { client_id, access_token, certificate } = found;
    let is_key = !access_token.is_empty() && access_token.bytes().all(|byte| byte.is_ascii_graphic());
    let is_signed = || Credentials::new(client_id.as_str(), access_token.as_str()).with_certificate(certificate.as_str()).is_ok();
    (falconer_wire::pattern::CLIENT_ID.matches)(client_id) && is_key && (certificate.is_empty() || is_signed())
}

/// The value of an `Authorization` header.
pub fn bearer(token: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok().context("the token is no text for a header")?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Story: with an `s` forgotten, the code, its verifier and the tokens went over the network as they are.
    #[test]
    fn no_code_and_no_token_goes_to_another_machine_in_the_clear() {
        for (root_url, is_refused) in [
            ("https://auth.example.com", false),
            ("http://localhost:8080", false),
            ("http://auth.localhost", false),
            ("http://127.0.0.1:8080", false),
            ("http://[::1]:8080", false),
            ("http://auth.example.com", true),
            ("HTTP://auth.example.com", true),
            ("http://10.0.0.1", true),
            ("http://localhost.example.com", true),
        ] {
            let said = OAuthServer::at(root_url).err().map(|error| error.to_string());
            assert_eq!(said.is_some_and(|said| said.contains("use https")), is_refused, "{root_url}");
        }
    }

    /// They were kept and printed as they came: a terminal obeyed what was in them, and each later command ended with what is wrong with the certificate.
    #[test]
    fn what_a_server_gives_is_of_the_shape_of_credentials() {
        let given = |client_id: &str, access_token: &str, certificate: &str| {
            let [client_id, access_token, certificate] = [client_id, access_token, certificate].map(str::to_owned);
            are_credentials(&GrantCredentials { client_id, access_token, certificate })
        };
        assert!(given("local/ann/127.0.0.1:4000/x", "token", "{}") && given("ann", "token", ""));
        for (client_id, access_token, certificate) in [
            ("", "token", "{}"),
            ("ann\u{1b}[2J", "token", "{}"),
            ("ann\nroot", "token", "{}"),
            ("ann", "", "{}"),
            ("ann", "to\nken", "{}"),
            ("ann", "token", "no certificate"),
            ("ann", "token", "[]"),
        ] {
            assert!(!given(client_id, access_token, certificate), "{client_id:?} {access_token:?} {certificate:?}");
        }
    }
}
