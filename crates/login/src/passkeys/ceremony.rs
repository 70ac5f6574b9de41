//! A challenge: asked in one browser, for one purpose, answered there once.
//!
//! The challenge is a MAC of what it is bound to, the time and a random number, under the key of forms; the form carries time and number back. So strangers
//! fill nothing here by asking, any node can check the answer, and what was asked of another browser or for another purpose is no answer. The store only
//! notes that a challenge was answered, as it does for sign-ins with providers (ADR 0131).

use falconer_auth::MINUTE_MS;
use subtle::ConstantTimeEq as _;

use super::error::PasskeyError;
use crate::fingerprint::hash_of_token;
use crate::login::Login;

/// So long a challenge can be answered: a sign-in page lies open for a while before a browser offers a passkey on it.
const CEREMONY_MS: i64 = 30 * MINUTE_MS;

/// A time, a random number and a user handle have less.
const LONGEST_TOKEN: usize = 128;

/// What an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A new passkey of the session's person.
    Register,
    /// Signing in; bound to the cookie of forms.
    SignIn,
    /// Signing in again, within a session.
    Reauthenticate,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Purpose::Register => "register",
            Purpose::SignIn => "sign in",
            Purpose::Reauthenticate => "again",
        }
    }
}

/// A challenge that was made, or is to be checked.
pub(crate) struct Ceremony {
    /// 43 characters of base64url; what the authenticator signs.
    pub(crate) challenge: String,
    /// The same by keys of forms with which another node may have made it.
    others: Vec<String>,
    /// `<milliseconds>.<22 random characters>`, and behind another point what else is to come back; for a hidden field.
    pub(crate) token: String,
    made_ms: i64,
}

impl Login {
    /// A new challenge. `bound_to` is the browser's cookie of forms, or the token of the session's forms, which stays when somebody signs in again.
    pub(crate) fn begin_ceremony(&self, purpose: Purpose, bound_to: &str) -> Ceremony {
        let made_ms = self.now_ms();
        let token = format!("{made_ms}.{}", self.draw::<16>());
        self.ceremony(purpose, bound_to, token, made_ms)
    }

    /// The same for a new passkey, whose owner authenticators will call so: whoever answers it has made the passkey for that name.
    pub(crate) fn begin_registration(&self, bound_to: &str, user_handle: &str) -> Ceremony {
        let made_ms = self.now_ms();
        let token = format!("{made_ms}.{}.{user_handle}", self.draw::<16>());
        self.ceremony(Purpose::Register, bound_to, token, made_ms)
    }

    /// The challenge that an answer must hold.
    pub(crate) fn read_ceremony(&self, purpose: Purpose, bound_to: &str, token: &str) -> Result<Ceremony, PasskeyError> {
        let made_ms = token.split_once('.').filter(|_| token.len() <= LONGEST_TOKEN).and_then(|(made_ms, _)| made_ms.parse().ok());
        let made_ms = made_ms.filter(|_| !bound_to.is_empty()).ok_or(PasskeyError::NotBegunHere)?;
        Ok(self.ceremony(purpose, bound_to, token.to_owned(), made_ms))
    }

    /// Uses a challenge up. To be called when all else holds, so that only who can answer one writes anything.
    pub(crate) async fn use_ceremony(&self, ceremony: &Ceremony) -> Result<(), PasskeyError> {
        let key = format!("passkey-challenge/{}", hash_of_token("passkey challenge", &ceremony.token));
        let uses = self.store.note_attempt(&key, self.now_ms(), CEREMONY_MS).await;
        match uses.map_err(|error| self.store_error(error))? {
            1 => Ok(()),
            _ => Err(PasskeyError::Used),
        }
    }

    fn ceremony(&self, purpose: Purpose, bound_to: &str, token: String, made_ms: i64) -> Ceremony {
        let mut challenges = self.form_keys.macs("falconer passkey challenge", &[purpose.as_str(), bound_to, &token]).into_iter();
        Ceremony { challenge: challenges.next().unwrap_or_default(), others: challenges.collect(), token, made_ms }
    }
}

impl Ceremony {
    /// What a new passkey's owner is called in it.
    pub(crate) fn user_handle(&self) -> Option<&str> {
        self.token.splitn(3, '.').nth(2)
    }

    pub(crate) fn is_answered_by(&self, challenge: &str) -> bool {
        let is = |made: &String| !made.is_empty() && bool::from(made.as_bytes().ct_eq(challenge.as_bytes()));
        is(&self.challenge) || self.others.iter().any(is)
    }

    pub(crate) fn is_over(&self, now_ms: i64) -> bool {
        let age_ms = now_ms.saturating_sub(self.made_ms);
        !(-MINUTE_MS..CEREMONY_MS).contains(&age_ms)
    }
}
