//! What a document of an application says, and what of it counts.

use falconer_auth::{SigningAlgorithm, is_unseen};
use falconer_login::http::ProviderAnswer;
use serde_json::{Map, Value};

use crate::applications::application::{Application, ApplicationKind, ApplicationSettings, Documented};
use crate::applications::logout_uri::check_logout_uri;
use crate::consent::lifetime::LONGEST_MS;
use crate::consent::request::{LONGEST_SCOPE, MOST_SCOPES};
use crate::targets::target::Target;
use falconer_scopes::ScopeSet;
use falconer_wire::scope_text;

/// Longest name that is shown, in bytes.
const LONGEST_NAME: usize = 100;
/// Most redirect URIs of one document.
const MOST_REDIRECTS: usize = 20;

/// The application of a document. Errors say to its author what is wrong. `is_redirect`: whether a redirect URI can be used at all, or why not.
pub(crate) fn read(
    url: &Target,
    answer: &ProviderAnswer,
    is_redirect: impl Fn(&str) -> Result<Target, String>,
) -> Result<Application, String> {
    if answer.status != 200 {
        return Err(format!("it is answered with the status {}", answer.status));
    }
    let is_json = answer.content_type == "application/json"
        || (answer.content_type.starts_with("application/") && answer.content_type.ends_with("+json"));
    if !is_json {
        return Err("its content type is not application/json".to_owned());
    }
    let document: Map<String, Value> = serde_json::from_slice(&answer.body).map_err(|_| "it is not an object of JSON".to_owned())?;
    if text(&document, "client_id")? != Some(url.href()) {
        return Err("its client_id is not its own address, letter by letter".to_owned());
    }
    if document.contains_key("client_secret") || document.contains_key("client_secret_expires_at") {
        return Err("it holds a client_secret, which everybody can read".to_owned());
    }
    match text(&document, "token_endpoint_auth_method")? {
        None | Some("none") => {}
        Some(_) => return Err("its token_endpoint_auth_method is not none".to_owned()),
    }
    for (name, needed) in [("grant_types", "authorization_code"), ("response_types", "code")] {
        if texts(&document, name)?.is_some_and(|has| !has.contains(&needed)) {
            return Err(format!("its {name} lack {needed}"));
        }
    }
    let redirects = redirects(url, &document, is_redirect)?;
    let logout = logout_uri(url, &document)?;
    let name = text(&document, "client_name")?.map(str::trim).filter(|name| is_name(name)).map(str::to_owned);
    let scopes = wished(text(&document, "scope")?.unwrap_or_default());
    let mut application = application(url, scopes, redirects, Some(name), flag(&document, "falconer_agent")?);
    application.settings.dpop_bound_access_tokens = flag(&document, "dpop_bound_access_tokens")?;
    application.settings.backchannel_logout_uri = logout;
    Ok(application)
}

/// An application of which nothing is known but where its document is: enough for whoever comes with something that it was given.
pub(crate) fn unread(url: &Target) -> Application {
    application(url, Vec::new(), Vec::new(), None, false)
}

fn application(
    url: &Target,
    scopes: Vec<String>,
    redirects: Vec<(String, Target)>,
    name: Option<Option<String>>,
    agent: bool,
) -> Application {
    let settings = ApplicationSettings {
        id: url.href().to_owned(),
        name: url.host_and_port(),
        owner: String::new(),
        redirect_uris: redirects.iter().map(|(uri, _)| uri.clone()).collect(),
        scopes,
        max_life_ms: LONGEST_MS,
        kind: ApplicationKind::Public,
        secret_sha256: None,
        agent,
        device: false,
        // Nobody has registered it: it asks each time.
        remember_ms: 0,
        skip_consent: false,
        dpop_bound_access_tokens: false,
        pushed_only: false,
        keys: Vec::new(),
        id_token_alg: SigningAlgorithm::default(),
        backchannel_logout_uri: String::new(),
    };
    let documented = Documented { site: url.clone(), is_read: name.is_some(), name: name.flatten() };
    // It may ask for anything, as a site may; what it gets is for the person to say.
    Application {
        settings,
        redirects,
        scopes: ScopeSet::new(["*"]),
        keys: Vec::new(),
        record: None,
        document: Some(documented),
        is_command_line: false,
    }
}

/// What is not there is false.
fn flag(document: &Map<String, Value>, name: &str) -> Result<bool, String> {
    match document.get(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(format!("its {name} is neither true nor false")),
    }
}

/// Where it is told that somebody has signed out: of the document's own origin, whose host vouches for it. Empty: nowhere.
fn logout_uri(url: &Target, document: &Map<String, Value>) -> Result<String, String> {
    let Some(uri) = text(document, "backchannel_logout_uri")? else { return Ok(String::new()) };
    let target = check_logout_uri(uri, &|_| false).map_err(|why| format!("its {why}"))?;
    if target.origin() != url.origin() {
        return Err(format!("its backchannel_logout_uri is not of {}", url.origin()));
    }
    Ok(uri.to_owned())
}

fn text<'d>(document: &'d Map<String, Value>, name: &str) -> Result<Option<&'d str>, String> {
    match document.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("its {name} is not a text")),
    }
}

fn texts<'d>(document: &'d Map<String, Value>, name: &str) -> Result<Option<Vec<&'d str>>, String> {
    let wrong = || format!("its {name} is not a list of texts");
    match document.get(name) {
        None => Ok(None),
        Some(Value::Array(all)) => all.iter().map(|one| one.as_str().ok_or_else(wrong)).collect::<Result<_, _>>().map(Some),
        Some(_) => Err(wrong()),
    }
}

/// Those of the document's own origin, which its host vouches for, and those of the person's own machine. Others are passed over: a document says for which servers it is not.
fn redirects(
    url: &Target,
    document: &Map<String, Value>,
    is_redirect: impl Fn(&str) -> Result<Target, String>,
) -> Result<Vec<(String, Target)>, String> {
    let uris = texts(document, "redirect_uris")?.unwrap_or_default();
    if uris.is_empty() || uris.len() > MOST_REDIRECTS {
        return Err(format!("its redirect_uris are not 1 to {MOST_REDIRECTS}"));
    }
    let mut redirects: Vec<(String, Target)> = Vec::new();
    for uri in uris {
        let Ok(target) = is_redirect(uri) else { continue };
        let is_theirs = target.origin() == url.origin() || target.is_plain_loopback();
        if is_theirs && redirects.iter().all(|(known, _)| known != uri) {
            redirects.push((uri.to_owned(), target));
        }
    }
    if redirects.is_empty() {
        return Err(format!("none of its redirect_uris is of {}, or http on a loopback host", url.origin()));
    }
    Ok(redirects)
}

/// A name that cannot be read as something else.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(is_unseen)
}

/// What it asks for where the request names nothing. What is no list of scopes says nothing.
fn wished(scope: &str) -> Vec<String> {
    let is_scope = |scope: &String| scope.len() <= LONGEST_SCOPE && falconer_scopes::is_valid_scope(scope);
    let mut scopes =
        scope_text::read(scope).filter(|scopes| scopes.len() <= MOST_SCOPES && scopes.iter().all(is_scope)).unwrap_or_default();
    let mut seen = std::collections::HashSet::new();
    scopes.retain(|scope| seen.insert(scope.clone()));
    scopes
}
