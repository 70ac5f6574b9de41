//! Applications of the configuration or of the store, checked.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use falconer_auth::{ANYTHING, ApplicationInput, ApplicationRecord, DAY_MS};
use falconer_login::LoginError;
use falconer_scopes::ScopeSet;

use crate::applications::application::{Application, ApplicationKind, ApplicationSettings};
use crate::applications::client_metadata::{LONGEST_NAME, MOST_REDIRECTS};
use crate::applications::keys;
use crate::applications::logout_uri::check_logout_uri;
use crate::consent::broad::is_broad_alone;
use crate::consent::lifetime::LONGEST_MS;
use crate::consent::request::{LONGEST_SCOPE, MOST_SCOPES};
use crate::targets::target::Target;

/// Longest description of one of the store, in bytes.
const LONGEST_DESCRIPTION: usize = 2048;
/// Longest identity of its owner, in bytes.
const LONGEST_OWNER: usize = 1280;
/// For so long consent is remembered at most.
const LONGEST_REMEMBERED_MS: i64 = 90 * DAY_MS;
/// The parameters of answers: one that stands in a redirect URI already would be there twice.
const ANSWER: [&str; 9] = ["access_token", "code", "error", "error_description", "expires_in", "iss", "scope", "state", "token_type"];

/// Applications, by id.
#[derive(Default)]
pub(crate) struct Register {
    known: BTreeMap<String, Arc<Application>>,
    /// The origins of their redirect URIs.
    origins: HashSet<String>,
    /// The hosts of their redirect URIs on the person's own machine, where any port is theirs.
    on_loopback: HashSet<String>,
}

impl Register {
    /// Of the configuration. Errors say which application and what to write instead. `is_own`: whether a target is a page of Falconer itself.
    pub(crate) fn new(configured: &[ApplicationSettings], is_own: impl Fn(&Target) -> bool) -> Result<Register, LoginError> {
        let mut register = Register::default();
        for settings in configured {
            let application = check_secret(settings)
                .and_then(|()| check(settings, &is_own))
                .map_err(|why| LoginError::Invalid(format!("[[application]] {:?}: {why}", settings.id)))?;
            if register.add(Arc::new(application)) {
                return Err(LoginError::Invalid(format!("[[application]] {:?}: there are two of this id", settings.id)));
            }
        }
        Ok(register)
    }

    /// Whether there was one of its id.
    pub(crate) fn add(&mut self, application: Arc<Application>) -> bool {
        self.origins.extend(application.redirects.iter().map(|(_, target)| target.origin().to_owned()));
        self.on_loopback.extend(application.hosts_on_any_port().map(str::to_owned));
        self.known.insert(application.settings.id.clone(), application).is_some()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Arc<Application>> {
        self.known.get(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Application>> {
        self.known.values()
    }

    /// Whether a page of this origin may read the answers of one of them.
    pub(crate) fn has_origin(&self, origin: &str) -> bool {
        // Any page can ask this: however many applications there are, it takes the same.
        self.origins.contains(origin) || plain_loopback_host(origin).is_some_and(|host| self.on_loopback.contains(&host))
    }
}

/// The host of an origin that is `http` on the person's own machine.
fn plain_loopback_host(origin: &str) -> Option<String> {
    let target = Target::parse(origin).ok().filter(|target| target.is_plain_loopback() && target.origin() == origin)?;
    Some(target.host().to_owned())
}

/// One of the store. Errors say what to write instead.
pub(crate) fn of_record(record: Arc<ApplicationRecord>, is_own: &impl Fn(&Target) -> bool) -> Result<Application, String> {
    let settings = ApplicationSettings {
        id: record.id.clone(),
        name: record.name.clone(),
        owner: record.owner.clone(),
        redirect_uris: record.redirect_uris.clone(),
        scopes: record.scopes.clone(),
        max_life_ms: record.max_life_ms,
        kind: kind(record.confidential),
        keys: record.keys.clone(),
        agent: record.agent,
        device: false,
        remember_ms: record.remember_ms,
        skip_consent: record.skip_consent,
        pushed_only: record.pushed_only,
        id_token_alg: record.id_token_alg,
        dpop_bound_access_tokens: record.dpop_bound_access_tokens,
        backchannel_logout_uri: record.backchannel_logout_uri.clone(),
        secret_sha256: None,
    };
    let mut application = check(&settings, is_own)?;
    if record.needed_no_token() {
        // It may ask for anything, as a site may, until an administrator says less; what else stands there is what it asks for where its request says nothing.
        application.settings.scopes.retain(|scope| scope != ANYTHING);
    }
    Ok(Application { record: Some(record), ..application })
}

/// What an application of the store is to be, as it is kept. Errors say what to write instead.
pub(crate) fn check_input(id: &str, input: &ApplicationInput, is_own: &impl Fn(&Target) -> bool) -> Result<ApplicationInput, String> {
    let settings = ApplicationSettings {
        id: id.to_owned(),
        name: input.name.clone(),
        owner: input.owner.clone(),
        redirect_uris: input.redirect_uris.clone(),
        scopes: input.scopes.clone(),
        max_life_ms: input.max_life_ms,
        kind: kind(input.confidential),
        keys: input.keys.clone(),
        agent: input.agent,
        device: false,
        remember_ms: input.remember_ms,
        skip_consent: input.skip_consent,
        pushed_only: input.pushed_only,
        id_token_alg: input.id_token_alg,
        dpop_bound_access_tokens: input.dpop_bound_access_tokens,
        backchannel_logout_uri: input.backchannel_logout_uri.clone(),
        secret_sha256: None,
    };
    let checked = check(&settings, is_own)?;
    if input.description.len() > LONGEST_DESCRIPTION {
        return Err(format!("description: write at most {LONGEST_DESCRIPTION} bytes"));
    }
    if input.owner.len() > LONGEST_OWNER {
        return Err(format!("owner: an identity has at most {LONGEST_OWNER} bytes"));
    }
    Ok(ApplicationInput { keys: keys::written(&checked.keys), ..input.clone() })
}

/// Whether people may go unasked. Errors say what to write instead.
fn check_unasked(settings: &ApplicationSettings, redirects: &[(String, Target)]) -> Result<(), String> {
    if !(0..=LONGEST_REMEMBERED_MS).contains(&settings.remember_ms) {
        return Err("remember_consent: consent is remembered for 90 days at most".to_owned());
    }
    let (name, is_unasked) = if settings.skip_consent { ("skip_consent", true) } else { ("remember_consent", settings.remember_ms > 0) };
    if !is_unasked {
        return Ok(());
    }
    if settings.kind.is_of_reference() {
        return Err(format!("{name}: an application of the kind `{}` has no PKCE, so people are asked", settings.kind.as_str()));
    }
    if settings.kind == ApplicationKind::Public && redirects.iter().any(|(_, target)| target.is_plain_loopback()) {
        return Err(format!("{name}: a public application on the person's own machine is not known by its address, so people are asked"));
    }
    match settings.scopes.iter().find(|scope| settings.skip_consent && is_broad_alone(scope)) {
        Some(broad) => Err(format!("skip_consent: {broad} is broad, and for that people are always asked")),
        None => Ok(()),
    }
}

fn kind(confidential: bool) -> ApplicationKind {
    if confidential { ApplicationKind::Confidential } else { ApplicationKind::Public }
}

fn check(settings: &ApplicationSettings, is_own: &impl Fn(&Target) -> bool) -> Result<Application, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if settings.id.is_empty() || settings.id.len() > LONGEST_NAME || !settings.id.bytes().all(plain) {
        return Err(format!("id: write 1 to {LONGEST_NAME} letters, digits, `.`, `_` and `-`"));
    }
    if settings.name.trim().is_empty() || settings.name.len() > LONGEST_NAME || settings.name.chars().any(char::is_control) {
        return Err(format!("name: write what people call it, at most {LONGEST_NAME} bytes"));
    }
    if !(1..=LONGEST_MS).contains(&settings.max_life_ms) {
        return Err("max_life: give more than nothing and at most 31 days, which a certificate can span".to_owned());
    }
    if settings.device && settings.kind.is_of_reference() {
        return Err(format!("device: an application of the kind `{}` knows nothing of it", settings.kind.as_str()));
    }
    if settings.dpop_bound_access_tokens && settings.kind.is_of_reference() {
        return Err(format!("dpop_bound_access_tokens: an application of the kind `{}` knows nothing of it", settings.kind.as_str()));
    }
    if settings.pushed_only && settings.kind.is_of_reference() {
        return Err(format!("pushed_only: an application of the kind `{}` knows nothing of it", settings.kind.as_str()));
    }
    check_logout(settings, is_own)?;
    let (redirects, scopes, keys) = (redirects(settings, is_own)?, scopes(settings)?, keys::of_record(&settings.keys)?);
    if !keys.is_empty() && settings.kind != ApplicationKind::Confidential {
        return Err(format!("jwks: an application of the kind `{}` has no keys; make it `confidential`", settings.kind.as_str()));
    }
    check_unasked(settings, &redirects)?;
    Ok(Application { redirects, scopes, keys, settings: settings.clone(), record: None, document: None, is_command_line: false })
}

fn check_logout(settings: &ApplicationSettings, is_own: &impl Fn(&Target) -> bool) -> Result<(), String> {
    let uri = &settings.backchannel_logout_uri;
    if uri.is_empty() {
        return Ok(());
    }
    if settings.kind.is_of_reference() {
        return Err(format!("backchannel_logout_uri: an application of the kind `{}` knows nothing of it", settings.kind.as_str()));
    }
    check_logout_uri(uri, is_own).map(drop)
}

fn check_secret(settings: &ApplicationSettings) -> Result<(), String> {
    let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    match (settings.kind, &settings.secret_sha256) {
        (ApplicationKind::Confidential, None) if !settings.keys.is_empty() => Ok(()),
        (ApplicationKind::Confidential, Some(_)) if !settings.keys.is_empty() => {
            Err("secret_sha256: an application that has keys (jwks) has no secret".to_owned())
        }
        (ApplicationKind::Confidential, None) => {
            Err("secret_sha256: a confidential application needs one, or keys (jwks); a public one has kind = \"public\"".to_owned())
        }
        (ApplicationKind::Confidential, Some(hash)) if !is_hash(hash) => {
            Err("secret_sha256: write the 64 digits that `printf %s \"$SECRET\" | sha256sum` prints, never the secret".to_owned())
        }
        (ApplicationKind::Confidential, Some(_)) | (_, None) => Ok(()),
        (kind, Some(_)) => Err(format!("secret_sha256: an application of the kind `{}` has no secret", kind.as_str())),
    }
}

fn redirects(settings: &ApplicationSettings, is_own: &impl Fn(&Target) -> bool) -> Result<Vec<(String, Target)>, String> {
    // One that is on devices only has no page to come back to.
    if (settings.redirect_uris.is_empty() && !settings.device) || settings.redirect_uris.len() > MOST_REDIRECTS {
        return Err(format!("redirect_uris: give 1 to {MOST_REDIRECTS}"));
    }
    let mut redirects: Vec<(String, Target)> = Vec::new();
    for uri in &settings.redirect_uris {
        let refuse = |why: String| format!("redirect_uris: {uri}: {why}");
        let target = check_redirect(uri, is_own).map_err(refuse)?;
        if redirects.iter().any(|(known, _)| known == uri) {
            return Err(refuse("it is there twice".to_owned()));
        }
        redirects.push((uri.clone(), target));
    }
    Ok(redirects)
}

/// A URL without fragment that is no target. What is wrong is said of `what`.
pub(crate) fn check_url(url: &str, what: &str) -> Result<Target, String> {
    let target = Target::parse(url).map_err(|error| error.about(what))?;
    if url.contains('#') { Err(format!("a {what} has no fragment")) } else { Ok(target) }
}

/// Where a redirect URI leads, or why none is written like this.
pub(crate) fn check_redirect(uri: &str, is_own: &impl Fn(&Target) -> bool) -> Result<Target, String> {
    let target = check_url(uri, "redirect URI")?;
    if let Some(name) = target.query_names().find(|name| ANSWER.contains(&name.as_str())) {
        return Err(format!("`{name}` is for the answer; leave it out of the query"));
    }
    if is_own(&target) {
        return Err("that is Falconer itself, which takes no answers".to_owned());
    }
    Ok(target)
}

fn scopes(settings: &ApplicationSettings) -> Result<ScopeSet, String> {
    // The star of an application that needed no token to register stands beside what it asks for where its requests name nothing.
    let counted = settings.scopes.iter().filter(|scope| *scope != ANYTHING);
    if settings.scopes.is_empty() || counted.count() > MOST_SCOPES {
        return Err(format!("scopes: give 1 to {MOST_SCOPES}, the most that it may ask for"));
    }
    let is_scope = |scope: &&String| !scope.is_empty() && scope.len() <= LONGEST_SCOPE && falconer_scopes::is_valid_scope(scope);
    match settings.scopes.iter().find(|scope| !is_scope(scope)) {
        Some(wrong) => Err(format!("scopes: {:?} is not a scope", wrong.chars().take(100).collect::<String>())),
        None => Ok(ScopeSet::new(&settings.scopes)),
    }
}
