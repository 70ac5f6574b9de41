//! What an application says of itself where it registers (RFC 7591 section 2). What is not known is passed over.

use falconer_auth::{ASSERTION_ALGORITHMS, JwsAlgorithm, SigningAlgorithm};
use falconer_scopes::ScopeSet;
use serde_json::{Map, Value};

use crate::applications::client_metadata::{
    LONGEST_NAME, MOST_REDIRECTS, WrongMember, flag, is_name, lacking, member, scopes, text, texts,
};
use crate::applications::keys;
use crate::applications::registration::error::RegistrationError;
use crate::consent::request::MOST_SCOPES;
use crate::targets::target::Target;

/// How an application proves who it is, `token_endpoint_auth_method`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProofMethod {
    /// `none`, and what counts where nothing is said.
    #[default]
    Nothing,
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
    /// `private_key_jwt`
    Key,
}

impl ProofMethod {
    /// As the metadata writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            ProofMethod::Nothing => "none",
            ProofMethod::Basic => "client_secret_basic",
            ProofMethod::Post => "client_secret_post",
            ProofMethod::Key => "private_key_jwt",
        }
    }
}

/// What counts of the metadata.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientMetadata {
    pub(crate) name: String,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) method: ProofMethod,
    /// `jwks`, where it proves itself by keys.
    pub(crate) keys: Vec<String>,
    /// What it wants to ask for. `None`: it says nothing.
    pub(crate) scopes: Option<Vec<String>>,
    /// `require_pushed_authorization_requests` (RFC 9126 section 6)
    pub(crate) pushed_only: bool,
    /// `id_token_signed_response_alg` (OpenID Connect Dynamic Client Registration 1.0 section 2)
    pub(crate) id_token_alg: SigningAlgorithm,
    /// It wants no token that is bound to no key (RFC 9449 section 5.2).
    pub(crate) dpop_bound_access_tokens: bool,
    /// `backchannel_logout_uri` (OpenID Connect Back-Channel Logout 1.0 section 2.2); empty: nowhere.
    pub(crate) backchannel_logout_uri: String,
}

/// Reads it. `is_redirect`: where a redirect URI leads, or why it can't be used; `signs_by`: whether there is a key for this algorithm; `is_told_at`: why somebody can't
/// be told at an address that somebody has signed out.
pub(crate) fn read(
    metadata: &Map<String, Value>,
    is_redirect: impl Fn(&str) -> Result<Target, String>,
    signs_by: impl Fn(SigningAlgorithm) -> bool,
    is_told_at: impl Fn(&str) -> Result<(), String>,
) -> Result<ClientMetadata, RegistrationError> {
    if metadata.contains_key("software_statement") {
        return Err(RegistrationError::SoftwareStatement);
    }
    let (redirect_uris, first) = redirects(metadata, is_redirect)?;
    let method = match text(metadata, "token_endpoint_auth_method")? {
        None | Some("none") => ProofMethod::Nothing,
        Some("client_secret_basic") => ProofMethod::Basic,
        Some("client_secret_post") => ProofMethod::Post,
        Some("private_key_jwt") => ProofMethod::Key,
        Some(_) => {
            return invalid("token_endpoint_auth_method: none, client_secret_basic, client_secret_post and private_key_jwt are there.");
        }
    };
    if let Some((name, needed)) = lacking(metadata)? {
        return invalid(&format!("{name}: it has to have {needed}, which is what is there for applications that register themselves."));
    }
    if metadata.contains_key("jwks") && metadata.contains_key("jwks_uri") {
        return invalid("jwks and jwks_uri exclude each other.");
    }
    let keys = if method == ProofMethod::Key { keys(metadata)? } else { Vec::new() };
    if text(metadata, "subject_type")?.is_some_and(|subject| subject != "public") {
        return invalid("subject_type: the subjects are public.");
    }
    let name = match text(metadata, "client_name")?.map(str::trim) {
        None | Some("") => called_by(&first)?,
        Some(name) if is_name(name) => name.to_owned(),
        Some(_) => return invalid(&format!("client_name: write a line of visible text of at most {LONGEST_NAME} bytes.")),
    };
    let pushed_only = flag(metadata, "require_pushed_authorization_requests")?;
    let id_token_alg = match text(metadata, "id_token_signed_response_alg")?.map(SigningAlgorithm::of_word) {
        None => SigningAlgorithm::default(),
        Some(Some(algorithm)) if signs_by(algorithm) => algorithm,
        Some(_) => return invalid("id_token_signed_response_alg: see id_token_signing_alg_values_supported."),
    };
    let dpop_bound_access_tokens = flag(metadata, "dpop_bound_access_tokens")?;
    let backchannel_logout_uri = text(metadata, "backchannel_logout_uri")?.unwrap_or_default();
    if !backchannel_logout_uri.is_empty() {
        is_told_at(backchannel_logout_uri).map_err(|why| RegistrationError::Metadata(format!("{why}.")))?;
    }
    // A logout token always has the session, whether that is needed or not.
    flag(metadata, "backchannel_logout_session_required")?;
    let (backchannel_logout_uri, scopes) = (backchannel_logout_uri.to_owned(), wished(metadata)?);
    Ok(ClientMetadata {
        name,
        redirect_uris,
        method,
        keys,
        scopes,
        pushed_only,
        id_token_alg,
        dpop_bound_access_tokens,
        backchannel_logout_uri,
    })
}

/// The host in place of a name, as far as a name can be that long.
fn called_by(first: &Target) -> Result<String, RegistrationError> {
    let host = Some(first.host_and_port());
    let short = host.into_iter().chain(first.registrable_domain().map(str::to_owned)).find(|name| name.len() <= LONGEST_NAME);
    short.map_or_else(|| invalid("client_name: write one, the host of the redirect URI is too long to be it."), Ok)
}

fn redirects(
    metadata: &Map<String, Value>,
    is_redirect: impl Fn(&str) -> Result<Target, String>,
) -> Result<(Vec<String>, Target), RegistrationError> {
    let wrong = |why: String| RegistrationError::RedirectUri(format!("redirect_uris: {why}"));
    let uris = texts(metadata, "redirect_uris").map_err(|_| wrong("it is not a list of texts.".to_owned()))?.unwrap_or_default();
    if uris.len() > MOST_REDIRECTS {
        return Err(wrong(format!("there are 1 to {MOST_REDIRECTS}.")));
    }
    let mut first = None;
    let mut all: Vec<String> = Vec::new();
    for uri in uris {
        let target = is_redirect(uri).map_err(wrong)?;
        if all.iter().any(|known| known == uri) {
            return Err(wrong("one is there twice.".to_owned()));
        }
        all.push(uri.to_owned());
        first.get_or_insert(target);
    }
    first.map(|first| (all, first)).ok_or_else(|| wrong(format!("there are 1 to {MOST_REDIRECTS}.")))
}

/// The keys of one that proves itself by them. Nothing is fetched from where somebody says that they are.
fn keys(metadata: &Map<String, Value>) -> Result<Vec<String>, RegistrationError> {
    if member(metadata, "jwks_uri").is_some() {
        return invalid("jwks_uri: it is not read here; give the keys themselves, as jwks, and change them at registration_client_uri.");
    }
    let set = member(metadata, "jwks").ok_or_else(|| RegistrationError::Metadata("jwks: private_key_jwt needs it.".to_owned()))?;
    let mut keys = keys::of_set(set).map_err(|why| RegistrationError::Metadata(format!("{why}.")))?;
    if keys.is_empty() {
        return invalid("jwks: private_key_jwt needs a key at least.");
    }
    if let Some(name) = text(metadata, "token_endpoint_auth_signing_alg")? {
        let algorithm = JwsAlgorithm::named(name).filter(|_| ASSERTION_ALGORITHMS.contains(&name));
        let only = algorithm.and_then(|algorithm| keys.into_iter().map(|key| key.only_for(algorithm)).collect::<Option<Vec<_>>>());
        let wrong = "token_endpoint_auth_signing_alg: it is none of those that are there, or a key of jwks is not for it.";
        keys = only.ok_or_else(|| RegistrationError::Metadata(wrong.to_owned()))?;
    }
    Ok(keys::written(&keys))
}

fn wished(metadata: &Map<String, Value>) -> Result<Option<Vec<String>>, RegistrationError> {
    let Some(text) = text(metadata, "scope")?.filter(|text| !text.trim_matches(' ').is_empty()) else { return Ok(None) };
    match scopes(text) {
        Some(scopes) => Ok(Some(ScopeSet::new(scopes).to_vec())),
        None => invalid(&format!("scope: write at most {MOST_SCOPES} scopes with a blank between.")),
    }
}

fn invalid<T>(why: &str) -> Result<T, RegistrationError> {
    Err(RegistrationError::Metadata(why.to_owned()))
}

impl From<WrongMember> for RegistrationError {
    fn from(WrongMember { name, why }: WrongMember) -> Self {
        RegistrationError::Metadata(format!("{name}: it {why}."))
    }
}
