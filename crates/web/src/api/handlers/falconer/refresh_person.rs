//! Asking a provider about a person at once: the call, and what is said of it here and on the command line.

use falconer_login::{Login, RefreshOutcome, Refreshment};
use falconer_wire::{RefreshState, RefreshedPerson};

use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request};

pub(crate) async fn refresh(login: &Login, request: &Request<'_>) -> Answer {
    let identity = request.param("identity");
    let (outcome, revision) = login.ask_about_person(request.who, identity).await?;
    Ok(Reply::json(&refreshed_person(identity, outcome, revision.0)).at_revision(revision.0))
}

/// What came of asking about somebody.
pub fn refreshed_person(identity: &str, outcome: RefreshOutcome, revision: i64) -> RefreshedPerson {
    let state = refresh_state(&outcome);
    let disabled_clients = match outcome {
        RefreshOutcome::Answered(Refreshment::Still { disabled }) => disabled,
        _ => Vec::new(),
    };
    let text = match state {
        RefreshState::Still if disabled_clients.is_empty() => format!("{identity} is what the provider says now."),
        RefreshState::Still => {
            format!("{identity} is what the provider says now; disabled what had more than that: {}.", disabled_clients.join(", "))
        }
        RefreshState::Gone => format!("The provider knows nobody like {identity} any more: all that they had has ended."),
        RefreshState::Refused => {
            format!("The provider takes no more what it gave for asking about {identity}: they have to sign in again.")
        }
        RefreshState::AdditionsOnly => {
            format!("The provider can't be asked about {identity} without them; directories that only authorize were asked.")
        }
        RefreshState::Unanswered => format!("The provider gave no answer: {identity} is as before. The log of the server says why."),
        RefreshState::NotAccepted => {
            format!("The provider's answer was not accepted: {identity} is as before. The log of the server says why.")
        }
    };
    RefreshedPerson { state, text, disabled_clients, revision }
}

/// Which of the outcomes it is.
pub(crate) fn refresh_state(outcome: &RefreshOutcome) -> RefreshState {
    match outcome {
        RefreshOutcome::Answered(Refreshment::Still { .. }) => RefreshState::Still,
        RefreshOutcome::Answered(Refreshment::Gone) => RefreshState::Gone,
        RefreshOutcome::Answered(Refreshment::Refused) => RefreshState::Refused,
        RefreshOutcome::Answered(Refreshment::AdditionsOnly) => RefreshState::AdditionsOnly,
        RefreshOutcome::Unanswered => RefreshState::Unanswered,
        RefreshOutcome::NotAccepted => RefreshState::NotAccepted,
    }
}
