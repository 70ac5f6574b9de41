//! `/login/oauth/authorize`: what an application asks for (RFC 6749 section 4.1.1, RFC 7636, RFC 9700).
//!
//! Nothing is sent to a redirect URI before it is known to belong to the application that asks. After that what is wrong with the request is told there.

use std::sync::Arc;

use falconer_auth::{KeyThumbprint, wrong_text};
use falconer_wire::time_expression;

use crate::applications::application::{Application, ApplicationKind};
use crate::consent::request::{GrantRequest, LONGEST_SCOPE, MOST_SCOPES};
use crate::delivery::application::{Delivery, OAuthDelivery, ResponseType, location};
use crate::delivery::redirect::encode_component;
use crate::grants::Grants;
use crate::oauth::request::command_line::{description, device_name};
use crate::oauth::request::parameters::{ParameterError, Parameters};
use crate::oauth::request::refusal::{AuthorizationError, Fault, NOT_REGISTERED, Refusal, Unanswerable};
use crate::openid;
use crate::targets::target::Target;
use falconer_wire::scope_text;

/// Longest `state` in bytes.
const LONGEST_STATE: usize = 2048;
/// SHA-256 in base64url without padding.
const CHALLENGE: usize = 43;

/// How a request came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// As the query of an address.
    WithBrowser,
    /// From the application itself (RFC 9126).
    Pushed,
}

impl Grants {
    /// Reads the query (without `?`) of an application. `issuer` is Falconer's own origin. One that is known by its document has to have it at hand:
    /// [`Grants::read_document`].
    pub fn authorization(&self, query: &str, issuer: &str) -> Result<GrantRequest, AuthorizationError> {
        let parameters = Parameters::read(query).map_err(Unanswerable::from)?;
        let begun = self.begun(&parameters);
        let requested = begun.and_then(|begun| match begun {
            None => self.requested(&parameters, Sent::WithBrowser, issuer),
            Some((of_reference, ends_ms)) => {
                let mut request = self.requested(&of_reference, Sent::Pushed, issuer)?;
                let id = request.application().map(|application| application.id().to_owned()).unwrap_or_default();
                request.canonical = self.reference_on_page(&id, &request.canonical, ends_ms);
                Ok(request)
            }
        });
        requested.map_err(|refusal| match refusal {
            Refusal::Unknown(reason) => AuthorizationError::Unknown(reason),
            Refusal::Fault { location, .. } => {
                let id = parameters.one("client_id").ok().flatten();
                let application = id.and_then(|id| self.known_application(id));
                AuthorizationError::AtApplication { location, is_trusted: application.is_some_and(|known| known.is_registered()) }
            }
        })
    }

    /// Reads the parameters of a request, however they came.
    pub(crate) fn requested(&self, parameters: &Parameters, sent: Sent, issuer: &str) -> Result<GrantRequest, Refusal> {
        let unknown = |text: &str| Refusal::Unknown(Unanswerable::wrong(text));
        let one = |name| parameters.one(name).map_err(Unanswerable::from);
        let id = one("client_id")?.ok_or_else(|| unknown("The request has no `client_id`."))?;
        let application = self.known_application(id).ok_or_else(|| Unanswerable::unregistered(NOT_REGISTERED))?;
        if application.document.as_ref().is_some_and(|document| !document.is_read) {
            // It counted for a while, and that has ended since it was read.
            return Err(Unanswerable::over("The document of this application is not at hand any more.").into());
        }
        let uri = one("redirect_uri")?.ok_or_else(|| unknown("The request has no `redirect_uri`."))?;
        let target = application
            .redirect(uri)
            .ok_or_else(|| unknown("The `redirect_uri` is not one that was registered for this application, letter by letter."))?;
        // A redirect URI of this machine stands for every port.
        if self.is_own(&target) {
            return Err(unknown("The `redirect_uri` leads to Falconer itself, which takes no answers."));
        }
        let must_push = application.settings.pushed_only && sent == Sent::WithBrowser;
        // As far as they can be told: an answer without them is better than none.
        let state = parameters.one("state").ok().flatten().filter(|state| is_state(state));
        let response = parameters.one("response_type").ok().flatten();
        let mode = if response == Some("token") { ResponseType::Token } else { ResponseType::Code }.mode();
        let request = if must_push { Err(Fault::MustBePushed) } else { self.requested_resources(parameters, &application) };
        let request = request.and_then(|resources| read(parameters, &application, uri, &target, resources, issuer, self.now_ms()));
        let is_signed = |request: &GrantRequest| request.openid().is_none() || self.signs_by(application.settings.id_token_alg);
        let request = request.and_then(|request| if is_signed(&request) { Ok(request) } else { Err(Fault::NoSigningKey) });
        let request = request.map(|request| self.for_subject(request, parameters, issuer));
        request.map_err(|fault| {
            let fault_parameters = [("error", fault.code()), ("error_description", fault.description())];
            let location = location(&target, mode, &fault_parameters, state, issuer);
            Refusal::Fault { fault, location }
        })
    }
}

impl Grants {
    fn requested_resources(&self, parameters: &Parameters, application: &Application) -> Result<Vec<String>, Fault> {
        // Third parties of the reference know nothing of it.
        if application.kind().is_of_reference() && parameters.has("resource") {
            return Err(Fault::InvalidTarget);
        }
        self.resources(parameters).map_err(|_| Fault::InvalidTarget)
    }
}

fn read(
    parameters: &Parameters,
    application: &Arc<Application>,
    uri: &str,
    target: &Target,
    resources: Vec<String>,
    issuer: &str,
    now_ms: i64,
) -> Result<GrantRequest, Fault> {
    let invalid = |text: &str| Fault::InvalidRequest(text.to_owned());
    if parameters.one("request")?.is_some() {
        return Err(Fault::RequestNotSupported);
    }
    if parameters.one("request_uri")?.is_some() {
        return Err(Fault::RequestUriNotSupported);
    }
    let state = parameters.one("state")?;
    if state.is_some_and(|state| !is_state(state)) {
        return Err(invalid("The state is longer than 2 KiB, or holds something else than printable ASCII."));
    }
    let response = response_type(parameters, application)?;
    match (parameters.one("response_mode")?, response) {
        (None, _) | (Some("query"), ResponseType::Code) | (Some("fragment"), ResponseType::Token) => (),
        (Some(_), _) => return Err(invalid("The response_mode is query for a code.")),
    }
    let challenge = challenge(parameters, application, response)?;
    let all_scopes = scopes(parameters, application)?;
    let mut scopes = all_scopes.clone();
    // Third parties of the reference know nothing of it.
    let openid = if application.kind().is_of_reference() { None } else { openid::request::read(parameters, &mut scopes)? };
    let expires = parameters.one("expires")?;
    let ttl_ms_wish = match expires.map(time_expression::parse_ms) {
        None => None,
        Some(Ok(ms)) if ms > 0 => Some(ms),
        Some(_) => return Err(invalid("The value of expires is no time to come, such as 3 days.")),
    };
    let name_wish = device_name(parameters, application)?.unwrap_or_default();
    let description = description(parameters, application)?;
    let mut request = GrantRequest {
        target: target.clone(),
        description,
        scopes,
        identity: openid.is_some(),
        audience: Vec::new(),
        ttl_ms_wish,
        expires_ms_wish: ttl_ms_wish.and_then(|ms| now_ms.checked_add(ms)),
        name_wish,
        purpose: purpose(parameters).map_err(|problem| invalid(&problem))?,
        delivery: Delivery::OAuth(Box::new(OAuthDelivery {
            application: Arc::clone(application),
            redirect_uri: uri.to_owned(),
            response,
            challenge,
            jkt: jkt(parameters, response)?,
            state: state.map(str::to_owned),
            is_to_be_asked: asks_for_consent(parameters)?,
            resources,
            openid: openid.clone(),
            issuer: issuer.to_owned(),
        })),
        canonical: String::new(),
    };
    request.canonical = canonical(&all_scopes, parameters)?;
    Ok(request)
}

fn response_type(parameters: &Parameters, application: &Application) -> Result<ResponseType, Fault> {
    let unsupported = |text: &str| Err(Fault::UnsupportedResponseType(text.to_owned()));
    match (parameters.one("response_type")?, application.kind()) {
        (None, _) => Err(Fault::InvalidRequest("The request has no response_type.".to_owned())),
        (Some("token"), ApplicationKind::ReferenceToken) => Ok(ResponseType::Token),
        (Some("code"), ApplicationKind::Public | ApplicationKind::Confidential | ApplicationKind::ReferenceCode) => Ok(ResponseType::Code),
        (Some("code"), ApplicationKind::ReferenceToken) => unsupported("This application is registered for the response_type token."),
        (Some(_), _) => unsupported("This application is registered for the response_type code."),
    }
}

/// Whoever has no PKCE is refused, but for third parties of the reference, which know none; one of them that sends it is held to it.
fn challenge(parameters: &Parameters, application: &Application, response: ResponseType) -> Result<Option<String>, Fault> {
    let invalid = |text: &str| Err(Fault::InvalidRequest(text.to_owned()));
    let method = parameters.one("code_challenge_method")?;
    let Some(challenge) = parameters.one("code_challenge")? else {
        return if application.kind().is_of_reference() && method.is_none() {
            Ok(None)
        } else {
            invalid("The request has no code_challenge: PKCE is required, with the method S256.")
        };
    };
    if response == ResponseType::Token {
        return invalid("PKCE goes with the response_type code.");
    }
    if method != Some("S256") {
        return invalid("The code_challenge_method must be S256.");
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if challenge.len() != CHALLENGE || !challenge.bytes().all(plain) {
        return invalid("The code_challenge is no SHA-256 in base64url without padding.");
    }
    Ok(Some(challenge.to_owned()))
}

/// What an agent says that it wants to do. Errors are sentences.
pub(crate) fn purpose(parameters: &Parameters) -> Result<Option<String>, String> {
    let Some(purpose) = parameters.one("purpose").map_err(|error| error.to_string())?.map(str::trim) else { return Ok(None) };
    match wrong_text("purpose", purpose) {
        None => Ok(Some(purpose.to_owned())),
        Some(problem) => Err(format!("{problem}.")),
    }
}

/// The key that the code is to be bound to (RFC 9449 section 10).
fn jkt(parameters: &Parameters, response: ResponseType) -> Result<Option<String>, Fault> {
    let invalid = |text: &str| Err(Fault::InvalidRequest(text.to_owned()));
    match parameters.one("dpop_jkt")? {
        None => Ok(None),
        Some(_) if response == ResponseType::Token => invalid("A dpop_jkt goes with the response_type code."),
        Some(text) if KeyThumbprint::read(text).is_none() => invalid("The dpop_jkt is no thumbprint in base64url without padding."),
        Some(text) => Ok(Some(text.to_owned())),
    }
}

/// What was asked for; all that the application may ask for where it asked for nothing particular.
pub(crate) fn scopes(parameters: &Parameters, application: &Application) -> Result<Vec<String>, Fault> {
    let invalid = |text: &str| Fault::InvalidScope(text.to_owned());
    // Of Falconer's own command there are none: it asks for whatever the person can give.
    if !names_scopes(parameters)? {
        return Ok(application.settings.scopes.clone());
    }
    let text = parameters.one("scope")?.unwrap_or_default();
    let mut scopes: Vec<String> = Vec::new();
    let named = scope_text::read(text).ok_or_else(|| invalid("A scope is not written as docs/oauth.md says."))?;
    let by_openid = !application.kind().is_of_reference() && openid::request::asks_who(&named);
    for scope in named {
        if by_openid && openid::request::is_passed_over(&scope) && !application.scopes.satisfies(&scope) {
            continue;
        }
        if scope.len() > LONGEST_SCOPE {
            return Err(invalid("A scope is longer than 1 KiB."));
        }
        if !falconer_scopes::is_valid_scope(&scope) || !application.scopes.satisfies(&scope) {
            return Err(invalid("The request asks for a scope that this application may not ask for."));
        }
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
        if scopes.len() > MOST_SCOPES {
            return Err(invalid("The request asks for more than 200 scopes."));
        }
    }
    Ok(scopes)
}

fn is_state(state: &str) -> bool {
    state.len() <= LONGEST_STATE && state.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// The request with what was understood of it, in a fixed order. What is to happen before the page (`prompt`, `max_age`) has happened when this is used. Where it
/// names no scopes there are none here: what the application is registered for may be longer than an address, and than what is carried through a sign-in with a
/// provider.
fn canonical(scopes: &[String], parameters: &Parameters) -> Result<String, ParameterError> {
    const KEPT: [&str; 12] = [
        "response_type",
        "client_id",
        "redirect_uri",
        "state",
        "nonce",
        "expires",
        "purpose",
        "code_challenge",
        "code_challenge_method",
        "dpop_jkt",
        "device_name",
        "description",
    ];
    let mut query = Vec::new();
    for name in KEPT {
        if let Some(value) = parameters.one(name)? {
            query.push(format!("{name}={}", encode_component(value)));
        }
    }
    // The other words of it have happened when this is used.
    if asks_for_consent(parameters)? {
        query.push("prompt=consent".to_owned());
    }
    query.extend(parameters.all("resource").map(|resource| format!("resource={}", encode_component(resource))));
    if names_scopes(parameters)? {
        query.push(format!("scope={}", encode_component(&scope_text::write(scopes.iter().map(String::as_str)))));
    }
    Ok(query.join("&"))
}

/// Whether the person is to be asked although they need not be.
fn asks_for_consent(parameters: &Parameters) -> Result<bool, ParameterError> {
    Ok(parameters.one("prompt")?.is_some_and(|words| words.split(' ').any(|word| word == "consent")))
}

pub(crate) fn names_scopes(parameters: &Parameters) -> Result<bool, ParameterError> {
    Ok(parameters.one("scope")?.is_some_and(|text| text.bytes().any(|byte| byte != b' ')))
}
