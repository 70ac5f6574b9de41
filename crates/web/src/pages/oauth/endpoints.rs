//! What applications ask behind the page: a code for an access token, that for credentials, and the end of both. No cookie is read here.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use falconer_grants::{ACCESS_TOKEN_TYPE, ClientProof, ParameterError, Parameters, SentAssertion};
use falconer_wire::date_time;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, PRAGMA};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, json};

use super::refused::Refused;
use super::{cors, proof};
use crate::Web;
use crate::api::request_json::{Budget, DuplicateKeys, JsonError, tree};
use crate::http::only::{is_of_kind, the_only};
use crate::http::problem::Problem;

/// Longest body in bytes, as the reference has it.
const LONGEST_BODY: usize = 100 * 1024;
/// A request has no more parameters than this.
const MOST_PARAMETERS: usize = 100;

/// `POST /login/oauth/token`
pub(crate) async fn token(State(web): State<Arc<Web>>, request: Request) -> Response {
    answered(&web, request, async |request| {
        let sent = proof::sent(request.dpop.as_deref(), "/login/oauth/token");
        let issued = web.grants.token(&request.parameters, request.proof()?, sent).await?;
        let body = json!({
            "access_token": issued.token,
            "token_type": issued.scheme.as_str(),
            "expires_in": issued.seconds,
            "scope": issued.scope,
        });
        let id_token = web.grants.id_token(&issued, web.settings.public_origin.as_str())?;
        let token_type = issued.is_derived().then(|| ACCESS_TOKEN_TYPE.to_owned());
        let body = with_member(with_member(body, "issued_token_type", token_type), "refresh_token", issued.refresh_token);
        Ok(json(StatusCode::OK, &with_member(body, "id_token", id_token)))
    })
    .await
}

/// `POST /login/oauth/revoke`
pub(crate) async fn revoke(State(web): State<Arc<Web>>, request: Request) -> Response {
    answered(&web, request, async |request| {
        web.grants.revoke_token(&request.parameters, request.proof()?).await?;
        Ok(json(StatusCode::OK, &json!({})))
    })
    .await
}

/// `GET /login/oauth/credentials`
pub(crate) async fn credentials(State(web): State<Arc<Web>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let mut response = credentials_of(&web, &parts).await.unwrap_or_else(Refused::answer);
    cors::allow(&web.grants, &parts.headers, response.headers_mut());
    response
}

/// Before a page of an application asks one of them.
pub(crate) async fn preflight(State(web): State<Arc<Web>>, request: Request) -> Response {
    cors::preflight(&web.grants, request.headers())
}

async fn credentials_of(web: &Web, parts: &Parts) -> Result<Response, Refused> {
    let shown = proof::shown(web, parts)?.ok_or_else(Refused::no_token)?;
    let granted = web.grants.credentials(&shown).await?;
    let body = json!({
        "expires": date_time::format_ms(granted.renew_ms),
        "credentials": {
            "clientId": granted.client_id,
            "accessToken": granted.access_token,
            "certificate": granted.certificate,
        },
    });
    Ok(json(StatusCode::OK, &body))
}

/// A request with its parameters.
pub(crate) struct ApplicationRequest {
    pub(crate) parameters: Parameters,
    /// The `client_id` and the secret of `Authorization: Basic`.
    basic: Option<(String, String)>,
    /// The header `DPoP`.
    pub(crate) dpop: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    assertion: Option<String>,
    assertion_type: Option<String>,
    /// What an assertion may be for.
    audiences: Vec<String>,
}

/// Where applications push their requests: an assertion may be for that endpoint, at that endpoint (RFC 9126 section 2).
const PUSH: &str = "/login/oauth/par";

impl ApplicationRequest {
    pub(super) async fn read(web: &Web, request: Request) -> Result<ApplicationRequest, Refused> {
        let origin = web.settings.public_origin.as_str();
        let pushed = (request.uri().path() == PUSH).then(|| format!("{origin}{PUSH}"));
        let audiences = [origin.to_owned(), format!("{origin}/login/oauth/token")].into_iter().chain(pushed).collect();
        let basic = basic(request.headers())?;
        let dpop = proof::of_headers(request.headers())?.map(str::to_owned);
        let (parameters, _) = read(request).await?;
        let one = |name| parameters.one(name).map(|value| value.map(str::to_owned)).map_err(invalid);
        let (client_id, client_secret) = (one("client_id")?, one("client_secret")?);
        let (assertion, assertion_type) = (one("client_assertion")?, one("client_assertion_type")?);
        Ok(ApplicationRequest { basic, dpop, client_id, client_secret, assertion, assertion_type, audiences, parameters })
    }

    /// By one way only (RFC 6749 section 2.3).
    pub(crate) fn proof(&self) -> Result<ClientProof<'_>, Refused> {
        if let Some(sent) = self.assertion()? {
            return Ok(ClientProof::Assertion(sent));
        }
        match (&self.basic, self.client_id.as_deref(), self.client_secret.as_deref()) {
            (Some(_), _, Some(_)) => Err(Refused::invalid_request("The application says twice who it is: use the header or the form.")),
            (Some((id, _)), Some(other), None) if id != other => {
                Err(Refused::invalid_request("The client_id in the form is not the one in the header."))
            }
            // A library that knows of no public clients sends no secret.
            (Some((id, secret)), _, None) if secret.is_empty() => Ok(ClientProof::Id(id)),
            (Some((id, secret)), _, None) => Ok(ClientProof::Secret { id, secret }),
            (None, Some(id), Some(secret)) => Ok(ClientProof::Secret { id, secret }),
            (None, Some(id), None) => Ok(ClientProof::Id(id)),
            (None, None, Some(_)) => Err(Refused::invalid_request("A client_secret needs its client_id.")),
            (None, None, None) => Ok(ClientProof::Nothing),
        }
    }

    fn assertion(&self) -> Result<Option<SentAssertion<'_>>, Refused> {
        match (self.assertion.as_deref(), self.assertion_type.as_deref()) {
            (None, None) => Ok(None),
            _ if self.basic.is_some() || self.client_secret.is_some() => {
                Err(Refused::invalid_request("The application says twice who it is: send a secret or a client_assertion."))
            }
            (Some(assertion), Some(kind)) => {
                Ok(Some(SentAssertion { kind, assertion, id: self.client_id.as_deref(), audiences: &self.audiences }))
            }
            _ => Err(Refused::invalid_request("A client_assertion needs its client_assertion_type, and the other way round.")),
        }
    }
}

pub(crate) async fn answered(
    web: &Web,
    request: Request,
    exchange: impl AsyncFnOnce(ApplicationRequest) -> Result<Response, Refused>,
) -> Response {
    let headers = request.headers().clone();
    let outcome = match ApplicationRequest::read(web, request).await {
        Ok(request) => match at_hand(web, &request).await {
            Ok(()) => exchange(request).await,
            Err(refused) => Err(refused),
        },
        Err(refused) => Err(refused),
    };
    let mut response = outcome.unwrap_or_else(Refused::answer);
    cors::allow(&web.grants, &headers, response.headers_mut());
    response
}

async fn at_hand(web: &Web, request: &ApplicationRequest) -> Result<(), Refused> {
    let id = request.basic.as_ref().map(|(id, _)| id).or(request.client_id.as_ref());
    let Some(id) = id else { return Ok(()) };
    web.grants.look_for_application(id).await.map_err(|error| Problem::from(error).into())
}

/// The parameters of a request, and the body that they were in.
pub(crate) async fn read(request: Request) -> Result<(Parameters, Bytes), Refused> {
    let is_json = is_of_kind(request.headers(), b"application/json");
    if !is_json && !is_form(request.headers()) && request.headers().contains_key(CONTENT_TYPE) {
        return Err(no_form());
    }
    let body = match Limited::new(request.into_body(), LONGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Refused::too_large()),
        Err(_) => return Err(Problem::too_slow().into()),
    };
    let parameters = if is_json { of_json(&body)? } else { of_form(&body)? };
    Ok((parameters, body))
}

/// A request that a form of somebody else's page has brought, as the query by which it would come with a link to this place.
pub(crate) async fn form_as_query(web: &Web, place: &str, request: Request) -> Result<Result<String, Refused>, Problem> {
    if is_of_kind(request.headers(), b"application/json") {
        return Ok(Err(no_form()));
    }
    let body = match read(request).await {
        Ok((_, body)) => body,
        Err(refused) => return Ok(Err(refused)),
    };
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(url::form_urlencoded::parse(&body)).finish();
    let address = place.len().saturating_add(1).saturating_add(query.len());
    if address > web.settings.limits.url_bytes { Err(Problem::too_large()) } else { Ok(Ok(query)) }
}

fn no_form() -> Refused {
    Refused::invalid_request("Send the parameters as application/x-www-form-urlencoded.")
}

fn of_form(body: &[u8]) -> Result<Parameters, Refused> {
    let text = std::str::from_utf8(body).map_err(|_| invalid(ParameterError::Encoding))?;
    if text.split('&').count() > MOST_PARAMETERS {
        return Err(Refused::too_large());
    }
    Parameters::read(text).map_err(invalid)
}

/// As third parties of the reference send them: an object of texts. One of a name twice is refused, as in a form. So is what is no text: without a bound that was
/// sent in another way, more would be given than was asked for. `null` is nothing.
fn of_json(body: &[u8]) -> Result<Parameters, Refused> {
    let budget = Budget { bytes: LONGEST_BODY, nodes: MOST_PARAMETERS, entries: MOST_PARAMETERS, window: 0, time: Duration::MAX };
    let text = std::str::from_utf8(body).map_err(|_| Refused::invalid_request("The body is not UTF-8."))?;
    let members = match tree(text, &budget, DuplicateKeys::Refused) {
        Ok(Value::Object(members)) => members,
        Err(JsonError::OverBudget(_)) => return Err(Refused::too_large()),
        Ok(_) | Err(JsonError::Malformed(_)) => {
            return Err(Refused::invalid_request("The body is not a JSON object that has each of its members once."));
        }
    };
    let mut texts = Vec::new();
    for (name, value) in members {
        match value {
            Value::String(text) => texts.push((name, text)),
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                return Err(Refused::invalid_request(format!("In a JSON object each parameter is a text, and {} is none.", named(&name))));
            }
        }
    }
    Ok(Parameters::of(texts))
}

/// The name of a parameter as an `error_description` can hold it (RFC 6749 section 5.2).
fn named(name: &str) -> String {
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    name.chars().filter(plain).take(100).collect()
}

fn invalid(error: ParameterError) -> Refused {
    Refused::invalid_request(error.to_string())
}

/// RFC 6749 section 2.3.1: both parts are form-encoded before they are put together.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refused> {
    if !headers.contains_key(AUTHORIZATION) {
        return Ok(None);
    }
    let read = || {
        let bytes = STANDARD.decode(after_scheme(headers, "Basic")?).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some((form_decoded(id)?, form_decoded(secret)?))
    };
    match read() {
        Some(parts) => Ok(Some(parts)),
        None => Err(Refused::invalid_request("The Authorization header is no Basic header of an application.")),
    }
}

fn form_decoded(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// What stands behind the scheme. `None` also where there are several headers.
pub(crate) fn after_scheme<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let (sent, rest) = the_only(headers, &AUTHORIZATION).ok()??.to_str().ok()?.split_once(' ')?;
    sent.eq_ignore_ascii_case(scheme).then(|| rest.trim()).filter(|rest| !rest.is_empty())
}

pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    is_of_kind(headers, b"application/x-www-form-urlencoded")
}

/// An object with one member more, where there is one.
pub(super) fn with_member(mut body: Value, name: &str, value: Option<impl Into<Value>>) -> Value {
    if let (Value::Object(members), Some(value)) = (&mut body, value) {
        members.insert(name.to_owned(), value.into());
    }
    body
}

/// An answer that nobody keeps (RFC 6749 section 5.1).
pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    response
}
