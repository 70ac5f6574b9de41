//! Asking about all who are due.

use std::pin::Pin;

use futures_util::future::join_all;

use super::refresh::{RefreshError, Refreshment};
use super::silent::Asker;
use crate::error::LoginError;
use crate::login::Login;

/// At most so many are claimed together.
const CLAIMED: u32 = 64;
/// So many are asked about at once.
const AT_ONCE: usize = 8;

/// One of those who are asked about.
type Refreshing<'a> = Pin<Box<dyn Future<Output = Result<Refreshment, RefreshError>> + Send + 'a>>;

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Who was asked about and is there.
    pub still: u64,
    /// Who is gone, or has to sign in again.
    pub ended: u64,
    /// Clients that were disabled.
    pub disabled: u64,
    /// About whom nobody could be asked; they are tried again soon.
    pub failed: u64,
}

impl Login {
    /// Asks about all who are due, in bounded parts, until nobody is. Other nodes ask about others meanwhile.
    pub async fn refresh_due(&self) -> Result<Round, LoginError> {
        self.follow_all_pushed().await;
        let mut round = Round::default();
        loop {
            let due = self.claim_due(CLAIMED).await?;
            if due.is_empty() {
                return Ok(round);
            }
            for together in due.chunks(AT_ONCE) {
                let refreshing: Vec<Refreshing<'_>> =
                    together.iter().map(|claimed| Box::pin(self.refresh_claimed(claimed, Asker::Round)) as Refreshing<'_>).collect();
                for (claimed, outcome) in together.iter().zip(join_all(refreshing).await) {
                    round.note(&claimed.identity, outcome);
                }
            }
        }
    }
}

impl Round {
    fn note(&mut self, identity: &str, outcome: Result<Refreshment, RefreshError>) {
        match outcome {
            Ok(Refreshment::Still { disabled }) => {
                self.still += 1;
                self.disabled += disabled.len() as u64;
            }
            Ok(Refreshment::AdditionsOnly) => self.still += 1,
            Ok(Refreshment::Gone | Refreshment::Refused) => self.ended += 1,
            Err(error) => {
                self.failed += 1;
                if error.is_away() {
                    tracing::info!(identity, %error, "a provider could not be asked about somebody");
                } else {
                    tracing::warn!(identity, %error, "what a provider said about somebody was refused");
                }
            }
        }
    }
}
