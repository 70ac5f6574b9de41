use falconer_middleware::{Code, Refusal};

use super::request_head::RequestHead;
use crate::metrics::Outcome;
use crate::rules::{BadTarget, CannotAsk};
use crate::session::{is_path_here, sign_in_path};

/// Why a request goes no further.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The caller's: another service could read it as another path.
    Target(BadTarget),
    /// The caller's: the service behind could read another method.
    OtherMethod,
    /// The caller's: its path cannot be part of a scope.
    CannotAsk(CannotAsk),
    /// The caller's: a host that is not protected here.
    OtherHost,
    /// The caller's: no rule has this path, or this method of it.
    NoRule,
    /// Of a page of another site: it sent a browser's request along with the cookie.
    OtherSite,
    /// The caller's: a signed hash of a body that is not seen here, where the rule does not pass over that.
    BodyUnseen,
    /// The caller's, Falconer's or nobody's: what the verifier says.
    Verifier(Refusal),
    /// The caller's: an answer of Falconer that this browser did not ask for.
    NotAskedFor,
    /// Falconer's: credentials that cannot be kept.
    UnusableCredentials,
    /// The operator's: the proxy does not send what its dialect needs, or an answer cannot be made. The text is for the log.
    Misconfigured(&'static str),
    /// The service behind does not answer. The text is for the log.
    Behind(String),
    /// The caller's address has too many questions under way.
    TooMany,
    /// Nobody's: it may go through now, though a moment ago it might not.
    AllowedMeanwhile,
}

impl Refused {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Refused::OtherHost => 421,
            Refused::TooMany => 429,
            Refused::Behind(_) => 502,
            other => other.code().status(),
        }
    }

    pub(crate) fn code(&self) -> Code {
        match self {
            Refused::Target(_)
            | Refused::OtherMethod
            | Refused::CannotAsk(_)
            | Refused::OtherHost
            | Refused::NotAskedFor
            | Refused::UnusableCredentials => Code::InputError,
            Refused::NoRule => Code::ResourceNotFound,
            Refused::OtherSite => Code::InsufficientScopes,
            Refused::BodyUnseen => Code::AuthenticationFailed,
            Refused::Verifier(refusal) => refusal.code(),
            Refused::Misconfigured(_) => Code::InternalServerError,
            Refused::TooMany => Code::TooManyRequests,
            Refused::Behind(_) | Refused::AllowedMeanwhile => Code::ServiceUnavailable,
        }
    }

    /// A stable word.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Refused::Target(_) => "bad-target",
            Refused::OtherMethod => "other-method",
            Refused::CannotAsk(_) => "parameter",
            Refused::OtherHost => "other-host",
            Refused::NoRule => "no-rule",
            Refused::OtherSite => "other-site",
            Refused::BodyUnseen => "payload-not-seen",
            Refused::NotAskedFor => "not-asked-for",
            Refused::UnusableCredentials => "unusable-credentials",
            Refused::Misconfigured(_) => "misconfigured",
            Refused::Behind(_) => "service-unavailable",
            Refused::TooMany => "too-many",
            Refused::AllowedMeanwhile => "unavailable",
            Refused::Verifier(refusal) => refusal.reason().unwrap_or(match refusal.code() {
                Code::ServiceUnavailable => "unavailable",
                Code::InternalServerError => "misconfigured",
                Code::InputTooLarge => "too-large",
                _ => "bad-request",
            }),
        }
    }

    /// For the caller.
    pub(crate) fn message(&self) -> String {
        match self {
            Refused::Target(bad) => sentence(&bad.to_string()),
            Refused::OtherMethod => "The request names another method than its own, in a header or as `_method`.".to_owned(),
            Refused::CannotAsk(cannot) => sentence(&cannot.to_string()),
            Refused::OtherHost => "This host is not served here.".to_owned(),
            Refused::NoRule => "There is nothing here that could be asked for in this way.".to_owned(),
            Refused::OtherSite => "A page of another site sent this request. Go to the page itself.".to_owned(),
            Refused::BodyUnseen => {
                "The hash of a body is signed, and nobody here sees the body. Sign the request without its body's hash.".to_owned()
            }
            Refused::Verifier(refusal) => refusal.message(),
            Refused::NotAskedFor => "This browser did not ask for these credentials, or it was long ago. Sign in again.".to_owned(),
            Refused::UnusableCredentials => "The credentials that came back can't be used. Sign in again.".to_owned(),
            Refused::Misconfigured(_) => "This service is not set up correctly. Its log says more.".to_owned(),
            Refused::Behind(_) => "The service does not answer at the moment. Try again soon.".to_owned(),
            Refused::TooMany => "Too many requests of this address are being asked about. Try again soon.".to_owned(),
            Refused::AllowedMeanwhile => "Try again.".to_owned(),
        }
    }

    /// Where somebody who sees this may go on.
    pub(crate) fn link(&self, request: &RequestHead<'_>) -> Option<(String, &'static str)> {
        match self {
            Refused::NotAskedFor | Refused::UnusableCredentials => Some((sign_in_path("/"), "Sign in")),
            Refused::Behind(_) | Refused::TooMany | Refused::AllowedMeanwhile | Refused::Verifier(Refusal::Unavailable(_)) => {
                (request.method == "GET" && is_path_here(request.target)).then(|| (request.target.to_owned(), "Try again"))
            }
            Refused::NoRule | Refused::Target(_) | Refused::CannotAsk(_) => {
                (request.target != "/").then(|| ("/".to_owned(), "Go to the start page"))
            }
            Refused::OtherMethod
            | Refused::OtherHost
            | Refused::OtherSite
            | Refused::BodyUnseen
            | Refused::Verifier(_)
            | Refused::Misconfigured(_) => None,
        }
    }

    /// What it counts as.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Refused::Target(_) | Refused::OtherMethod | Refused::CannotAsk(_) => Outcome::BadRequest,
            Refused::OtherHost => Outcome::OtherHost,
            Refused::NoRule => Outcome::NoRule,
            Refused::OtherSite => Outcome::OtherSite,
            Refused::BodyUnseen => Outcome::Failed,
            Refused::NotAskedFor | Refused::UnusableCredentials => Outcome::SignInFailed,
            Refused::TooMany => Outcome::TooMany,
            Refused::Misconfigured(_) => Outcome::Misconfigured,
            Refused::Behind(_) | Refused::AllowedMeanwhile => Outcome::Unavailable,
            Refused::Verifier(Refusal::NoCredentials { .. }) => Outcome::Denied,
            Refused::Verifier(refusal) => match refusal.code() {
                Code::InsufficientScopes => Outcome::Denied,
                Code::AuthenticationFailed => Outcome::Failed,
                Code::ServiceUnavailable => Outcome::Unavailable,
                Code::InternalServerError => Outcome::Misconfigured,
                _ => Outcome::BadRequest,
            },
        }
    }

    /// Said in the log, where it is not the caller's fault.
    pub(crate) fn log(&self, id: &str) {
        match self {
            Refused::Misconfigured(problem) => tracing::error!(id, "{problem}"),
            Refused::Behind(problem) => tracing::warn!(id, "the service behind: {problem}"),
            Refused::Verifier(refusal @ Refusal::Unavailable(_)) => tracing::warn!(id, "{refusal}"),
            Refused::Verifier(refusal @ Refusal::Misconfigured(_)) => tracing::error!(id, "{refusal}"),
            other => tracing::info!(id, reason = other.reason(), "refused"),
        }
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}
