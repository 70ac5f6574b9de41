//! What a use case refused, to stand beside the form that it was asked with.

use falconer_auth::ApiError;
use falconer_scopes::Expression;
use http::StatusCode;

use crate::http::problem::{Problem, sentence};
use crate::pages::console::records::problem;

/// Why nothing was done, in words for whoever filled in the form; names are in backticks.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

impl Refusal {
    /// What the form can be shown again with; the rest is a page of its own.
    pub(crate) fn of(error: ApiError) -> Result<Refusal, Problem> {
        let (status, text) = match error {
            ApiError::InsufficientScopes { missing, .. } => (StatusCode::FORBIDDEN, lacking(&missing)),
            ApiError::InvalidRequestArguments(text) | ApiError::InputError(text) => (StatusCode::BAD_REQUEST, sentence(&text)),
            ApiError::RequestConflict(text) => (StatusCode::CONFLICT, sentence(&text)),
            error => return Err(problem(error)),
        };
        Ok(Refusal { status, text })
    }

    /// Something that the form itself has wrong.
    pub(crate) fn invalid(text: impl Into<String>) -> Refusal {
        Refusal { status: StatusCode::UNPROCESSABLE_ENTITY, text: text.into() }
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
