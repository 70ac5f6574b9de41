//! What a document of an application says, and what of it counts.

use falconer_auth::SigningAlgorithm;
use falconer_login::http::ProviderAnswer;
use serde_json::{Map, Value};

use crate::applications::application::{Application, ApplicationKind, ApplicationSettings, Documented};
use crate::applications::client_metadata::{MOST_REDIRECTS, WrongMember, flag, is_name, lacking, scopes, text, texts};
use crate::applications::logout_uri::check_logout_uri;
use crate::consent::lifetime::LONGEST_MS;
use crate::targets::target::Target;
use falconer_scopes::ScopeSet;

pub(super) fn answered_with(status: u16) -> String {
    format!("it is answered with the status {status}")
}

/// The application of a document. Errors say to its author what is wrong. `is_redirect`: whether a redirect URI can be used at all, or why not.
pub(crate) fn read(
    url: &Target,
    answer: &ProviderAnswer,
    is_redirect: impl Fn(&str) -> Result<Target, String>,
) -> Result<Application, String> {
    if answer.status != 200 {
        return Err(answered_with(answer.status));
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
    if let Some((name, needed)) = lacking(&document)? {
        return Err(format!("its {name} lack {needed}"));
    }
    let redirects = redirects(url, &document, is_redirect)?;
    let logout = logout_uri(url, &document)?;
    let name = text(&document, "client_name")?.map(str::trim).filter(|name| is_name(name)).map(str::to_owned);
    let wished = wished(text(&document, "scope")?.unwrap_or_default());
    let mut application = application(url, wished, redirects, Some(name), flag(&document, "falconer_agent")?);
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

/// Where it is told that somebody has signed out: of the document's own origin, whose host vouches for it. Empty: nowhere.
fn logout_uri(url: &Target, document: &Map<String, Value>) -> Result<String, String> {
    let Some(uri) = text(document, "backchannel_logout_uri")? else { return Ok(String::new()) };
    let target = check_logout_uri(uri, &|_| false).map_err(|why| format!("its {why}"))?;
    if target.origin() != url.origin() {
        return Err(format!("its backchannel_logout_uri is not of {}", url.origin()));
    }
    Ok(uri.to_owned())
}

impl From<WrongMember> for String {
    fn from(WrongMember { name, why }: WrongMember) -> Self {
        format!("its {name} {why}")
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

/// What it asks for where the request names nothing. What is no list of scopes says nothing.
fn wished(scope: &str) -> Vec<String> {
    let mut wished = scopes(scope).unwrap_or_default();
    let mut seen = std::collections::HashSet::new();
    wished.retain(|scope| seen.insert(scope.clone()));
    wished
}
