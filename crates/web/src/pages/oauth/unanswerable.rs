//! The page where it is not known to whom an answer belongs: whose doing that is, and what to do. Nobody is sent anywhere.

use falconer_grants::{AuthorizationError, Cause, Unanswerable};
use http::StatusCode;

use crate::http::problem::{Problem, sentence};

/// `done` is what can't be done with the request, `nothing` what has not happened, without a full stop.
pub(crate) fn page(Unanswerable { cause, why }: &Unanswerable, done: &str, nothing: &str) -> Problem {
    let why = sentence(why);
    let (title, next) = match cause {
        Cause::Wrong => (
            format!("This request can't be {done}"),
            format!("The application that sent you here made a mistake. {why} {nothing}; tell its author."),
        ),
        Cause::Over => {
            ("This request is over".to_owned(), format!("{why} {nothing}. Go back to the application that sent you here, and start again."))
        }
        Cause::Away => (
            format!("This request can't be {done} right now"),
            format!("{why} {nothing}. Try again in a minute. If it stays so, tell the author of the application."),
        ),
        Cause::Unregistered => (
            "This application is not known here".to_owned(),
            format!("{why} The link that led here may be wrong, or an administrator has taken the application out. {nothing}."),
        ),
    };
    Problem::new(StatusCode::BAD_REQUEST, title, next).with_link("/", "Go to your own page")
}

/// The same of what may be Falconer's own doing. What is told to the application is no such page.
pub(crate) fn page_of(error: AuthorizationError, done: &str, nothing: &str) -> Problem {
    match error {
        AuthorizationError::Login(error) => error.into(),
        AuthorizationError::Unknown(reason) => page(&reason, done, nothing),
        AuthorizationError::AtApplication { .. } => Problem::internal(),
    }
}
