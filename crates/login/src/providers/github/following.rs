//! Asking GitHub about somebody without them, with the token that they left here.
//!
//! A token that counts no more says nothing of the person: they may have taken it back, GitHub may have, or they may be gone. Which of these it is
//! the account's number tells, asked for in this server's own name (docs/adr/0156).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::api::refusal;
use super::error::GithubError;
use super::person::User;
use super::provider::GithubProvider;
use super::token::Tokens;
use crate::providers::error::{Fault, ProviderError};
use crate::providers::provider::{Found, Keeper, Known, Refreshed};

/// People whose new tokens are remembered until they are kept.
const MOST_RENEWED: usize = 1000;

/// Tokens that were renewed while the store could not keep them. The refresh token that is kept counts no more then, so the new one would be lost with it.
/// By subject: the refresh token that was spent, and what it gave.
#[derive(Default)]
pub(super) struct Renewed(Mutex<BTreeMap<String, (Zeroizing<String>, Tokens)>>);

impl Renewed {
    /// What the kept tokens gave, if it is here.
    fn instead_of(&self, subject: &str, kept: Tokens) -> Tokens {
        let renewed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match renewed.get(subject) {
            Some((spent, new)) if kept.refresh.as_deref() == Some(spent.as_str()) => new.clone(),
            _ => kept,
        }
    }

    fn remember(&self, subject: &str, spent: &str, new: &Tokens) {
        let mut renewed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of two renewals in a row the first one's token is the one that is kept.
        let spent =
            renewed.get(subject).filter(|(_, one)| one.refresh.as_deref() == Some(spent)).map_or(spent, |(first, _)| first.as_str());
        let entry = (Zeroizing::new(spent.to_owned()), new.clone());
        if renewed.len() < MOST_RENEWED || renewed.contains_key(subject) {
            renewed.insert(subject.to_owned(), entry);
        }
    }

    fn forget(&self, subject: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(subject);
    }
}

impl GithubProvider {
    /// `kept`: what was given to be kept at the last answer.
    pub(super) async fn follow(&self, known: &Known<'_>, kept: &str, keeper: &dyn Keeper, now_ms: i64) -> Result<Refreshed, ProviderError> {
        let Some(kept) = Tokens::read(kept) else { return Ok(Refreshed::Refused) };
        let mut tokens = self.renewed.instead_of(known.subject, kept);
        if tokens.are_over(now_ms) {
            match self.renew(known.subject, &tokens, now_ms).await? {
                Some(new) => {
                    // Before the API is asked: the refresh token that is kept is spent.
                    if let Some(handle) = new.to_keep() {
                        keeper.keep(&handle).await?;
                    }
                    tokens = new;
                }
                None => return self.without_token(known).await,
            }
        }
        let answers = match self.ask(&tokens).await {
            Ok(answers) => answers,
            Err(ProviderError::Github(GithubError::TokenRefused)) => return self.without_token(known).await,
            Err(ProviderError::Github(GithubError::Suspended)) => return Ok(self.ended(known, Refreshed::Gone)),
            Err(error) => return Err(error),
        };
        if answers.user.subject()? != known.subject {
            return Err(ProviderError::OtherPerson);
        }
        match answers.attributes(self.organizations.as_deref()) {
            Ok(attributes) => Ok(self.ended(known, Refreshed::Still(Found { attributes, handle: tokens.to_keep(), proved_ms: None }))),
            Err(ProviderError::Github(error)) => match error {
                // Who has left all of the organisations is nobody here any more; whom GitHub hides may be there.
                GithubError::NoMember { hidden: true } => Ok(self.ended(known, Refreshed::Refused)),
                GithubError::NoMember { hidden: false } | GithubError::Suspended | GithubError::NoPerson(_) => {
                    Ok(self.ended(known, Refreshed::Gone))
                }
                error => Err(error.into()),
            },
            Err(error) => Err(error),
        }
    }

    /// The answer is final, and whoever asked keeps what it holds.
    fn ended(&self, known: &Known<'_>, answer: Refreshed) -> Refreshed {
        self.renewed.forget(known.subject);
        answer
    }

    /// New tokens for the refresh token, which counts once. `None`: it does not count, or there is none.
    async fn renew(&self, subject: &str, tokens: &Tokens, now_ms: i64) -> Result<Option<Tokens>, ProviderError> {
        let Some(spent) = tokens.refresh.as_deref() else { return Ok(None) };
        match self.token(&[("grant_type", "refresh_token"), ("refresh_token", spent)], now_ms).await {
            Ok(new) => {
                self.renewed.remember(subject, spent, &new);
                Ok(Some(new))
            }
            Err(ProviderError::Said(said)) if said == "bad_refresh_token" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether there is such an account at all.
    async fn without_token(&self, known: &Known<'_>) -> Result<Refreshed, ProviderError> {
        self.renewed.forget(known.subject);
        let what = "the account by its number";
        let pair = Zeroizing::new(format!("{}:{}", self.settings.client_id, self.settings.client_secret.expose()));
        let api = self.api(Some(format!("Basic {}", STANDARD.encode(pair.as_bytes()))));
        let answer = api.ask(what, api.url(&format!("user/{}", known.subject))?).await?;
        match answer.status {
            200 => {
                let user: User = super::api::read(what, &answer.body)?;
                if user.subject()? != known.subject {
                    return Err(ProviderError::OtherPerson);
                }
                Ok(if user.is_active() { Refreshed::Refused } else { Refreshed::Gone })
            }
            // A company's own people are hidden from strangers, so that they look gone.
            404 if self.is_hidden(known) => Ok(Refreshed::Refused),
            404 => Ok(Refreshed::Gone),
            _ => match refusal(what, &answer) {
                error if error.fault() == Fault::Away => Err(error),
                _ => Ok(Refreshed::Refused),
            },
        }
    }

    /// Accounts that a company manages have its short name behind an underscore, which no other login has.
    fn is_hidden(&self, known: &Known<'_>) -> bool {
        self.places.only_managed_people || known.username.is_none_or(|login| login.contains('_'))
    }
}
