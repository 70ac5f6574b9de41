//! What an application asks for to learn who somebody is (OpenID Connect Core 1.0 sections 3.1.2.1 and 5.4).

use crate::oauth::request::parameters::Parameters;
use crate::oauth::request::refusal::Fault;

/// Asks for an ID token. Without it the others mean nothing.
const OPENID: &str = "openid";
/// Scopes that say what is told, and give no power. An application may ask for those that are among its `scopes`.
const IDENTITY_SCOPES: [&str; 4] = [OPENID, "profile", "email", "groups"];
/// Scopes of the specification that libraries ask for unbidden. Where an application may not ask for them they are passed over, as sections 3.1.2.1 and 11 have it.
const PASSED_OVER: [&str; 3] = ["address", "phone", "offline_access"];
/// Longest nonce in bytes.
const LONGEST_NONCE: usize = 512;
/// Longer ages are no bound, in seconds.
const LONGEST_AGE_SECONDS: i64 = 366 * 24 * 3600;

/// What is asked for besides the scopes that give something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIdRequest {
    /// Of [`IDENTITY_SCOPES`]; `openid` is there.
    pub(crate) scopes: Vec<String>,
    /// Comes back in the ID token.
    pub(crate) nonce: Option<String>,
    /// What may be shown.
    pub prompt: Prompt,
    /// How long ago the person may have proved to be there, in seconds. Not negative.
    pub max_age_seconds: Option<i64>,
    /// For whom alone the answer is: whose ID token the application has sent (`id_token_hint`).
    pub(crate) subject: Option<String>,
}

impl OpenIdRequest {
    /// Whether it asks for the names of the person's groups.
    pub fn asks_for_groups(&self) -> bool {
        asks_for_groups(&self.scopes)
    }
}

/// `prompt`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prompt {
    /// Whatever is needed: each grant is asked for.
    #[default]
    Any,
    /// `none`: nothing may be shown.
    Nothing,
    /// `login`: the person signs in, also where they are signed in.
    SignIn,
}

/// Whether these scopes ask for the names of the person's groups.
pub(crate) fn asks_for_groups(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| scope == "groups")
}

/// Whether these scopes ask who somebody is.
pub(crate) fn asks_who(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| scope == OPENID)
}

/// Whether a request by OpenID Connect may name this scope although nothing comes of it.
pub(crate) fn is_passed_over(scope: &str) -> bool {
    PASSED_OVER.contains(&scope)
}

/// Takes the identity scopes out of what was asked for. `None`: it does not ask who the person is.
pub(crate) fn read(parameters: &Parameters, scopes: &mut Vec<String>) -> Result<Option<OpenIdRequest>, Fault> {
    let invalid = |text: &str| Fault::InvalidRequest(text.to_owned());
    let identity = take_identity_scopes(scopes);
    let nonce = parameters.one("nonce")?.map(str::to_owned);
    if nonce.as_ref().is_some_and(|nonce| nonce.len() > LONGEST_NONCE || !nonce.bytes().all(|byte| (0x20..0x7f).contains(&byte))) {
        return Err(invalid("The nonce is longer than 512 bytes, or holds something else than printable ASCII."));
    }
    let max_age_seconds = match parameters.one("max_age")?.map(str::parse::<i64>) {
        None => None,
        Some(Ok(seconds)) if (0..=LONGEST_AGE_SECONDS).contains(&seconds) => Some(seconds),
        Some(_) => return Err(invalid("The max_age is no number of seconds up to a year.")),
    };
    let words: Vec<&str> = parameters.one("prompt")?.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
    let prompt = match words.as_slice() {
        ["none"] => Prompt::Nothing,
        words if words.iter().any(|word| !matches!(*word, "login" | "consent")) => {
            return Err(invalid("The prompt is none alone, login, consent, or both of these."));
        }
        words if words.contains(&"login") => Prompt::SignIn,
        _ => Prompt::Any,
    };
    // Whom it names is looked at where keys are.
    parameters.one("id_token_hint")?;
    Ok(asks_who(&identity).then_some(OpenIdRequest { scopes: identity, nonce, prompt, max_age_seconds, subject: None }))
}

/// Those that say who somebody is, taken out of a list of scopes.
pub(crate) fn take_identity_scopes(scopes: &mut Vec<String>) -> Vec<String> {
    let mut identity = Vec::new();
    scopes.retain(|scope| {
        let is_one = IDENTITY_SCOPES.contains(&scope.as_str());
        if is_one {
            identity.push(scope.clone());
        }
        !is_one
    });
    identity
}
