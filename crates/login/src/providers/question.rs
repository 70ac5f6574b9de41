//! Questions to providers, as far as they count against whoever caused them.
//!
//! A stranger who brings a made-up code or a guess has a provider asked. A task asks, and goes on where nobody waits for it any more: so nobody gets around the counts
//! by hanging up, and nobody has failed because a provider was slow. Before it is their turn nothing is asked, and whoever gives up until then has tried nothing.

use std::sync::Arc;

use falconer_store::StoreError;

use super::error::ProviderError;
use super::provider::{Answer, Attempt as Flow, ConfiguredProvider, Found, Turn};
use super::sign_in::ProviderSignInError;
use crate::error::LoginError;
use crate::in_a_task::in_a_task;
use crate::login::Login;
use crate::sessions::running_attempts::{Attempt, Note};

/// What is asked.
pub(super) struct Question {
    pub(super) turn: Turn,
    pub(super) flow: Flow,
    pub(super) answer: Answer,
    pub(super) now_ms: i64,
}

/// An attempt, and what it has failed by.
pub(super) struct Counted {
    pub(super) attempt: Attempt,
    pub(super) is_failed_by: fn(&ProviderError) -> bool,
}

impl Login {
    /// Asks a provider who somebody is. Attempts that its answer fails are noted, the others are not made any more; all are given back where somebody is found.
    pub(super) async fn ask(
        &self,
        provider: &ConfiguredProvider,
        question: Question,
        attempts: Vec<Counted>,
    ) -> Result<(Found, Vec<Counted>), ProviderSignInError> {
        let (kind, note) = (Arc::clone(&provider.kind), self.note());
        let Question { turn, flow, answer, now_ms } = question;
        let asked = async move {
            match kind.finish(turn, &flow, &answer, now_ms).await {
                Ok(found) => Ok((found, attempts)),
                Err(error) => {
                    let noted = note_failed(attempts, &error, &note).await;
                    Err((error, noted))
                }
            }
        };
        match in_a_task(asked).await? {
            Ok(found) => Ok(found),
            Err((error, noted)) => {
                noted.map_err(|error| self.store_error(error))?;
                Err(error.into())
            }
        }
    }

    /// Notes the attempts that this fails, of which no provider was asked.
    pub(super) async fn fail(&self, attempts: Vec<Counted>, error: &ProviderError) -> Result<(), LoginError> {
        let (error, note) = (error.clone(), self.note());
        let noted = in_a_task(async move { note_failed(attempts, &error, &note).await }).await?;
        noted.map_err(|error| self.store_error(error))
    }
}

/// One that can't be noted keeps no other from being noted.
async fn note_failed(attempts: Vec<Counted>, error: &ProviderError, note: &Note) -> Result<(), StoreError> {
    let mut outcome = Ok(());
    for counted in attempts {
        if (counted.is_failed_by)(error) {
            outcome = outcome.and(counted.attempt.note(note.clone()).await);
        }
    }
    outcome
}
