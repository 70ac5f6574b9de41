//! What a use case refused, to stand beside the form that it was asked with.

use axum::response::Response;
use falconer_auth::ApiError;
use falconer_login::LoginError;
use falconer_scopes::Expression;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use crate::http::problem::{Problem, sentence};
use crate::pages::console::records::problem;
use crate::views::words;

/// Why nothing was done, in words for whoever filled in the form; names are in backticks.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    /// The field of the form that it is about, where that is known.
    pub(crate) field: Option<&'static str>,
}

/// Fields of a form: as use cases name them, their name there, and what the page calls them.
pub(crate) type Labels = [(&'static str, &'static str, &'static str)];

impl Refusal {
    /// What the form can be shown again with; the rest is a page of its own.
    pub(crate) fn of(error: ApiError) -> Result<Refusal, Problem> {
        let (status, text) = match error {
            ApiError::InsufficientScopes { missing, .. } => (StatusCode::FORBIDDEN, lacking(&missing)),
            ApiError::InvalidRequestArguments(text) | ApiError::InputError(text) => (StatusCode::BAD_REQUEST, sentence(&text)),
            ApiError::RequestConflict(text) => (StatusCode::CONFLICT, sentence(&text)),
            error => return Err(problem(error)),
        };
        Ok(Refusal { status, text, field: None })
    }

    /// Something that the form itself has wrong.
    pub(crate) fn invalid(text: impl Into<String>) -> Refusal {
        Refusal { status: StatusCode::UNPROCESSABLE_ENTITY, text: text.into(), field: None }
    }

    /// It is about this field.
    pub(crate) fn about(self, field: &'static str) -> Refusal {
        Refusal { field: Some(field), ..self }
    }

    /// Use cases begin with the name of the field that they refuse, as the API has it (`max_life: …`). People know it by what the page calls it.
    pub(crate) fn among(self, labels: &Labels) -> Refusal {
        let found = labels.iter().find_map(|(known, field, label)| {
            let why = self.text.strip_prefix(known)?.strip_prefix(": ")?;
            Some((*field, format!("{label}: {why}")))
        });
        match found {
            Some((field, text)) => Refusal { text, ..self }.about(field),
            None => self,
        }
    }
}

/// Why somebody can't be let in for now. It stands beside the form, so that nothing of what was typed or chosen before is lost.
pub(crate) struct ForNow {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    retry_after_seconds: u64,
}

impl ForNow {
    /// The rest is given back.
    pub(crate) fn of(error: LoginError) -> Result<ForNow, LoginError> {
        let (status, text, retry_after_seconds) = match error {
            LoginError::Throttled { retry_after_seconds } => {
                let text = format!("Too many attempts. Wait {} before you try again.", words::wait(retry_after_seconds));
                (StatusCode::TOO_MANY_REQUESTS, text, retry_after_seconds)
            }
            LoginError::TooBusy => (StatusCode::SERVICE_UNAVAILABLE, LoginError::TooBusy.to_string(), 1),
            error @ (LoginError::Unavailable(_) | LoginError::ClockBehind { .. } | LoginError::ClockAhead { .. }) => {
                let problem = Problem::from(error);
                (problem.status, format!("{}. {}", problem.title, problem.next), problem.retry_after_seconds.unwrap_or(1))
            }
            error => return Err(error),
        };
        Ok(ForNow { status, text, retry_after_seconds })
    }

    /// The page that says it.
    pub(crate) fn on(&self, mut page: Response) -> Response {
        page.headers_mut().insert(RETRY_AFTER, HeaderValue::from(self.retry_after_seconds));
        page
    }
}

fn lacking(missing: &Expression) -> String {
    format!("Nothing was done: you need {}, and don't have it.", named(missing))
}

/// The scopes of an expression, for people: each in backticks.
pub(crate) fn named(expression: &Expression) -> String {
    let mut scopes = Vec::new();
    collect(expression, &mut scopes);
    scopes.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(", ")
}

fn collect<'a>(expression: &'a Expression, into: &mut Vec<&'a str>) {
    match expression {
        Expression::Scope(scope) => into.push(scope),
        Expression::AllOf(parts) | Expression::AnyOf(parts) => parts.iter().for_each(|part| collect(part, into)),
    }
}
